//! `bearward-issuer admin create`: the first administrator, without default credentials.

use std::fs::File;
use std::io::{Read, Write, stdin, stdout};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, begin, runtime};
use crate::account::{ADMIN, Email, Name, NewPassword};
use crate::hashing::Hasher;
use crate::random;
use crate::settings::{DatabaseSettings, HashSettings, PasswordSettings, Sources};
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
    /// Reads the password from standard input.
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) fn create(sources: &Sources, arguments: &CreateArguments) -> Result<(), Failure> {
    let ((database, rules), _log) = begin::<(DatabaseSettings, PasswordSettings)>(sources)?;
    let account = Account::parse(arguments, rules)?;
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
        let password = arguments.password.read().and_then(|text| NewPassword::parse(text, rules));
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
            None => (Box::new(stdin()), "standard input".to_owned()),
        };
        let mut text = String::new();
        input
            .take(MAX_PASSWORD_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| format!("{place}: {error}"))?;
        let line =
            text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        Ok(line.to_owned())
    }
}
