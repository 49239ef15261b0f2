//! Where the password of an administrator comes from. Never from an argument: it would stand in the list of processes and
//! in the history of the shell.

use std::fs::File;
use std::io::{IsTerminal, Read, stdin};
use std::path::PathBuf;

use clap::Args;

/// The most that is read for a password, in bytes: beyond every acceptable one.
const MAX_PASSWORD_BYTES: u64 = 4096;

#[derive(Debug, Args)]
#[group(required = false, multiple = false)]
pub(super) struct PasswordSource {
    /// A file that holds the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Reads the password from standard input, which must not be a terminal.
    #[arg(long)]
    password_stdin: bool,
    /// Prints a one-time link, by which the administrator sets the password.
    #[arg(long)]
    link: bool,
}

/// What is known of the password before anything is done.
pub(super) enum Given {
    /// As it was read; the rules are not asked yet.
    Text(String),
    /// A person is asked, once it is known that it makes sense.
    Prompt,
    Link,
}

impl PasswordSource {
    /// # Errors
    /// A sentence for the operator, without the password.
    pub(super) fn read(&self) -> Result<Given, String> {
        let (input, place): (Box<dyn Read>, String) = match &self.password_file {
            _ if self.link => return Ok(Given::Link),
            Some(path) => {
                let place = path.display().to_string();
                (Box::new(File::open(path).map_err(|error| format!("{place}: {error}"))?), place)
            }
            None if !self.password_stdin && stdin().is_terminal() => return Ok(Given::Prompt),
            None if !self.password_stdin => {
                let ways = "--password-stdin, --password-file or --link";
                return Err(format!("there is no terminal to ask for a password: give {ways}"));
            }
            None if stdin().is_terminal() => {
                let advice = "leave --password-stdin out to be asked for it";
                return Err(format!("standard input is a terminal, which would show the password: {advice}"));
            }
            None => (Box::new(stdin()), "standard input".to_owned()),
        };
        password_of(input).map(Given::Text).map_err(|why| format!("{place}: {why}"))
    }
}

/// Asks a person twice, on the terminal, which shows nothing of it.
///
/// # Errors
/// A sentence for the operator, without the password.
pub(super) fn prompt(email: &str) -> Result<String, String> {
    let ask =
        |text: String| rpassword::prompt_password(text).map_err(|error| format!("the terminal: {error}"));
    let first = ask(format!("Password of {email}: "))?;
    let second = ask("The same again: ".to_owned())?;
    if first == second { Ok(first) } else { Err("the two passwords differ; nothing was done".to_owned()) }
}

/// The one line of this input. What an editor or a shell may have left in it unseen is refused: whoever typed the
/// password could never log in with it.
fn password_of(input: impl Read) -> Result<String, String> {
    let mut text = String::new();
    input.take(MAX_PASSWORD_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.contains('\n') {
        return Err("holds more than one line; give the password alone".to_owned());
    }
    if line.starts_with('\u{feff}') {
        return Err("begins with a byte order mark; save it without".to_owned());
    }
    if line.chars().any(char::is_control) {
        return Err("holds control characters; remove them".to_owned());
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_stripped_and_nothing_else() {
        for text in ["mypassword123", "mypassword123\n", "mypassword123\r\n"] {
            assert_eq!(password_of(text.as_bytes()), Ok("mypassword123".to_owned()), "{text:?}");
        }
        assert_eq!(password_of(&b" my password \n"[..]), Ok(" my password ".to_owned()));
    }

    #[test]
    fn a_password_with_what_nobody_sees_is_refused_and_not_shown() {
        for text in
            ["hunter2\n\n", "hunter2\nx", "\u{feff}hunter2", "hunter2\u{7}", "hunter2\r\r\n", "hunt\0er2"]
        {
            let error = password_of(text.as_bytes()).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(password_of(&b"\xff"[..]).is_err());
    }
}
