//! A command on a terminal: what people see of it, which a pipe does not.

use std::fs::File;
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What a command wrote on a terminal, standard output and error alike.
#[derive(Debug)]
pub struct Screen {
    /// How the command ended.
    pub status: ExitStatus,
    /// All that was written, styles included.
    pub written: String,
}

impl Screen {
    /// The lines without their styles, as a person sees them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.written.lines().map(|line| without_styles(line).trim_end_matches('\r').to_owned()).collect()
    }

    /// Whether anything of it has a colour or another style.
    #[must_use]
    pub fn is_styled(&self) -> bool {
        self.written.contains('\u{1b}')
    }
}

/// Runs a command on a pseudo-terminal that is so many columns wide.
///
/// # Panics
/// If the machine has no pseudo-terminals, or the command does not start.
#[must_use]
pub fn run(command: Command, columns: u16) -> Screen {
    run_with(command, columns, &[])
}

/// As [`run`], with these environment variables.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn run_with(mut command: Command, columns: u16, variables: &[(&str, &str)]) -> Screen {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&controller).expect("a pseudo-terminal");
    unlockpt(&controller).expect("a pseudo-terminal");
    let name = ptsname(&controller, Vec::new()).expect("a name");
    let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("the other end");
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).expect("a terminal with a size");
    command
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE");
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(terminal.try_clone().expect("a descriptor")).stderr(terminal);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // It holds the other end open, too.
    drop(command);
    let mut written = Vec::new();
    // The end is an error on Linux: nobody has the other end open any more.
    let _ = File::from(controller).read_to_end(&mut written);
    let status = child.wait().expect("a process that ends");
    Screen { status, written: String::from_utf8(written).expect("UTF-8") }
}

/// A line without the sequences that begin with ESC `[` and end with a letter (ECMA-48 section 5.4).
fn without_styles(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.trim_start_matches(|next: char| !next.is_ascii_alphabetic()).get(1..).unwrap_or_default()
    })
}
