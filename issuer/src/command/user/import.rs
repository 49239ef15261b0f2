//! Line by line: checked, created, told.

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::io::{self, BufRead};

use serde_json::json;
use uuid::Uuid;

use super::lines::{self, Line, MAX_LINE_BYTES};
use crate::account::{Email, Name, Role};
use crate::api::{ApiError, FieldError, Fields};
use crate::hashing::PasswordHash;
use crate::random;
use crate::store::{NewUser, Store, StoreError};

/// The most lines of one import.
const MAX_LINES: u64 = 100_000;

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created {
        email: String,
        id: Uuid,
    },
    /// What a dry run says instead.
    WouldCreate {
        email: String,
    },
    /// Somebody has this e-mail, and stays as he is.
    AlreadyThere {
        email: String,
    },
    /// Nothing was created; what is wrong, never empty.
    Refused(Vec<FieldError>),
}

/// Why an import stopped. What was created until then stays, and importing the file again goes on from there.
#[derive(Debug)]
pub(crate) enum Stopped {
    Input(io::Error),
    TooManyLines,
    Random(getrandom::Error),
    Store(StoreError),
}

/// One import.
pub(crate) struct Import<'a> {
    store: &'a Store,
    /// The addresses that a dry run would have created.
    would_create: Option<HashSet<String>>,
}

impl<'a> Import<'a> {
    pub(crate) fn new(store: &'a Store, dry_run: bool) -> Self {
        Self { store, would_create: dry_run.then(HashSet::new) }
    }

    /// Every line is a transaction of its own. Blank lines are passed over.
    ///
    /// # Errors
    /// [`Stopped`]
    pub(crate) async fn run(
        mut self,
        mut input: impl BufRead,
        mut tell: impl FnMut(u64, Outcome),
    ) -> Result<(), Stopped> {
        for number in 1..=MAX_LINES {
            let Some(line) = lines::next(&mut input).map_err(Stopped::Input)? else { return Ok(()) };
            let text = match line {
                Line::Text(text) if text.trim_ascii().is_empty() => continue,
                Line::Text(text) => text,
                Line::TooLong => {
                    let why = format!("Line must be at most {MAX_LINE_BYTES} bytes");
                    tell(number, Outcome::Refused(vec![wrong_line(why)]));
                    continue;
                }
            };
            let outcome = match User::parse(&text) {
                Ok(user) => self.import(user).await?,
                Err(errors) => Outcome::Refused(errors),
            };
            tell(number, outcome);
        }
        match lines::next(&mut input).map_err(Stopped::Input)? {
            None => Ok(()),
            Some(_) => Err(Stopped::TooManyLines),
        }
    }

    async fn import(&mut self, user: User) -> Result<Outcome, Stopped> {
        let email = user.email.as_str().to_owned();
        if let Some(would_create) = &mut self.would_create {
            let known = self.store.credentials(&email).await.map_err(Stopped::Store)?.is_some();
            let is_new = !known && would_create.insert(email.clone());
            return Ok(if is_new { Outcome::WouldCreate { email } } else { Outcome::AlreadyThere { email } });
        }
        let id = random::uuid().map_err(Stopped::Random)?;
        let User { name, email: address, password_hash, role } = &user;
        let new = NewUser { id, name, email: address, password_hash, role: role.as_str() };
        let created = self.store.import_user(&new).await.map_err(Stopped::Store)?;
        Ok(if created { Outcome::Created { email, id } } else { Outcome::AlreadyThere { email } })
    }
}

/// A user to be, held to the rules of signup but for the password, of which there is only the hash.
struct User {
    name: Name,
    email: Email,
    password_hash: PasswordHash,
    role: Role,
}

impl User {
    fn parse(line: &[u8]) -> Result<Self, Vec<FieldError>> {
        let members = bearward_core::json::parse_object(line).map_err(|_| {
            vec![wrong_line("Line must be one JSON object without duplicate members".to_owned())]
        })?;
        let mut fields = Fields::new(members);
        let name = fields.take("name", "Name", |text| Name::parse(&text));
        let email = fields.take("email", "Email", |text| Email::parse(&text));
        let password_hash = fields.take("password", "Password", |text| {
            PasswordHash::parse(text).map_err(|why| {
                format!("Password must be a hash of bcrypt ($2a$, $2b$, $2y$) or argon2id: {why}")
            })
        });
        let role = fields.take("role", "Role", |text| Role::parse(&text));
        let all = name.zip(email).zip(password_hash).zip(role);
        let user =
            all.map(|(((name, email), password_hash), role)| Self { name, email, password_hash, role });
        fields.finish(user).map_err(|error| match error {
            ApiError::Fields(errors) => errors,
            other => vec![wrong_line(format!("{other:?}"))],
        })
    }
}

fn wrong_line(error: String) -> FieldError {
    FieldError { field: "line".to_owned(), error }
}

/// What is printed, and the sums.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    created: u64,
    would_create: u64,
    already_there: u64,
    refused: u64,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, created: 0, would_create: 0, already_there: 0, refused: 0 }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// The line about one line.
    pub(crate) fn line(&mut self, line: u64, outcome: &Outcome) -> String {
        *match outcome {
            Outcome::Created { .. } => &mut self.created,
            Outcome::WouldCreate { .. } => &mut self.would_create,
            Outcome::AlreadyThere { .. } => &mut self.already_there,
            Outcome::Refused(_) => &mut self.refused,
        } += 1;
        if !self.json {
            return format!("line {line}: {outcome}");
        }
        match outcome {
            Outcome::Created { email, id } => {
                json!({ "line": line, "result": "created", "email": email, "id": id.to_string() })
            }
            Outcome::WouldCreate { email } => {
                json!({ "line": line, "result": "would_create", "email": email })
            }
            Outcome::AlreadyThere { email } => {
                json!({ "line": line, "result": "already_there", "email": email })
            }
            Outcome::Refused(errors) => json!({ "line": line, "result": "refused", "errors": errors }),
        }
        .to_string()
    }

    /// The line at the end.
    pub(crate) fn sums(&self) -> String {
        let Self { json, created, would_create, already_there, refused } = self;
        if *json {
            let sums = json!({
                "created": created, "would_create": would_create, "already_there": already_there, "refused": refused,
            });
            return json!({ "sums": sums }).to_string();
        }
        let would =
            if *would_create > 0 { format!("{would_create} would be created, ") } else { String::new() };
        format!("{would}{created} created, {already_there} already there, {refused} refused")
    }
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { email, id } => write!(formatter, "created {email} with id {id}"),
            Self::WouldCreate { email } => write!(formatter, "would create {email}"),
            Self::AlreadyThere { email } => write!(formatter, "{email} is already there and stays as it is"),
            Self::Refused(errors) => {
                formatter.write_str("refused")?;
                errors.iter().try_for_each(|wrong| write!(formatter, "; {}: {}", wrong.field, wrong.error))
            }
        }
    }
}

impl Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stop = match self {
            Self::Input(error) => format!(": the input cannot be read: {error}"),
            Self::TooManyLines => format!(" after {MAX_LINES} lines, the most of one import"),
            Self::Random(error) => format!(": no random numbers: {error}"),
            Self::Store(error) => format!(": {error}"),
        };
        write!(formatter, "stopped{stop}")?;
        formatter.write_str("; what was created stays, so import the rest, or all of it again")
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Imports these lines and returns what became of each, by its number.
    pub(crate) async fn import(store: &Store, dry_run: bool, lines: &str) -> Vec<(u64, Outcome)> {
        let mut told = Vec::new();
        let done =
            Import::new(store, dry_run).run(lines.as_bytes(), |number, outcome| told.push((number, outcome)));
        done.await.unwrap();
        told
    }
}

#[cfg(test)]
mod tests;
