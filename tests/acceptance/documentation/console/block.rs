/// A block of `console` that runs `bearward`.
pub(super) struct Block {
    pub(super) commands: Vec<Command>,
}

/// A command and what the document shows of its output.
pub(super) struct Command {
    /// Its line in the document, from 1.
    pub(super) line: usize,
    /// The command for the shell; of several lines where each but the last ends in a backslash.
    pub(super) text: String,
    pub(super) shown: Vec<String>,
}

const BEGIN: &str = "```console";
const END: &str = "```";
const PROMPT: &str = "$ ";

/// The blocks in which some command runs `bearward`, at its beginning or after a pipe.
pub(super) fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        if line == BEGIN {
            let inside = lines.by_ref().take_while(|(_, line)| *line != END);
            found.push(Block { commands: commands(inside) });
        }
    }
    found.retain(|block| block.commands.iter().any(Command::runs_bearward));
    found
}

impl Command {
    fn runs_bearward(&self) -> bool {
        self.text.starts_with("bearward ") || self.text.contains("| bearward ")
    }
}

fn commands<'d>(lines: impl Iterator<Item = (usize, &'d str)>) -> Vec<Command> {
    let mut found: Vec<Command> = Vec::new();
    for (index, line) in lines {
        let goes_on = |command: &Command| command.shown.is_empty() && command.text.ends_with('\\');
        match (line.strip_prefix(PROMPT), found.last_mut()) {
            (None, Some(last)) if goes_on(last) => last.text = format!("{}\n{line}", last.text),
            (Some(text), _) => {
                found.push(Command { line: index + 1, text: text.to_owned(), shown: Vec::new() });
            }
            (None, Some(last)) => last.shown.push(line.to_owned()),
            // What stands before the first command is no output of any.
            (None, None) => {}
        }
    }
    found
}
