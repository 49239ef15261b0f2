//! `bearward-issuer admin create`: the first administrator, without default credentials.

use std::fs::File;
use std::io::{IsTerminal, Read, Write, stdin, stdout};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, begin, runtime};
use crate::account::{ADMIN, Email, Name, NewPassword};
use crate::hashing::Hasher;
use crate::random;
use crate::settings::{AdminSettings, HashSettings, PasswordSettings, Sources};
use crate::store::{NewUser, connect};

/// The most that is read for a password, in bytes: beyond every acceptable one.
const MAX_PASSWORD_BYTES: u64 = 4096;

#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The administrator's e-mail address; compared without letter case.
    #[arg(long)]
    email: String,
    /// The administrator's name.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PasswordSource {
    /// A file that holds the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Reads the password from standard input, which must not be a terminal.
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) fn create(sources: &Sources, arguments: &CreateArguments) -> Result<(), Failure> {
    let (AdminSettings { database, passwords, .. }, _log) = begin(sources, AdminSettings::read)?;
    let account = Account::parse(arguments, passwords)?;
    runtime()?.block_on(async {
        // Waits for the database; what it finds there is up to `migrate`.
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        let hasher = Hasher::new(HashSettings { permits: 1, queue: 0 }).map_err(Failure::new)?;
        let password_hash = hasher.hash(account.password).await.map_err(Failure::new)?;
        let id = random::uuid().map_err(Failure::new)?;
        let (name, email) = (&account.name, &account.email);
        let user = NewUser { id, name, email, password_hash: &password_hash, role: ADMIN };
        if !store.create_user(&user).await.map_err(Failure::new)? {
            let text = "has an account already, which stays as it is: choose another address";
            return Err(Failure::new(format!("{} {text}", email.as_str())));
        }
        // It is done, whoever reads this.
        let _ = writeln!(stdout(), "created administrator {} with id {id}", email.as_str());
        Ok(())
    })
}

struct Account {
    email: Email,
    name: Name,
    password: NewPassword,
}

impl Account {
    /// Holds the arguments to the rules of signup; all that is wrong is reported at once.
    fn parse(arguments: &CreateArguments, rules: PasswordSettings) -> Result<Self, Failure> {
        let email = Email::parse(&arguments.email);
        let name = Name::parse(&arguments.name);
        let password = arguments.password.read().and_then(|text| {
            NewPassword::parse(text, rules)?.apart_from(name.as_ref().ok(), email.as_ref().ok())
        });
        match (email, name, password) {
            (Ok(email), Ok(name), Ok(password)) => Ok(Self { email, name, password }),
            (email, name, password) => {
                let errors = [email.err(), name.err(), password.err()];
                Err(Failure::usage(errors.into_iter().flatten().collect::<Vec<_>>().join("; ")))
            }
        }
    }
}

impl PasswordSource {
    fn read(&self) -> Result<String, String> {
        let (input, place): (Box<dyn Read>, String) = match &self.password_file {
            Some(path) => {
                let place = path.display().to_string();
                (Box::new(File::open(path).map_err(|error| format!("{place}: {error}"))?), place)
            }
            None if stdin().is_terminal() => {
                let advice = "pipe the password in, as `bearward-issuer help admin create` shows";
                return Err(format!("standard input is a terminal, which would show the password: {advice}"));
            }
            None => (Box::new(stdin()), "standard input".to_owned()),
        };
        password_of(input).map_err(|why| format!("{place}: {why}"))
    }
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
