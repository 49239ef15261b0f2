//! Why an administrator's or operator's wish was not done.

use std::fmt;

use crate::account::{ADMIN, Role};
use crate::audit::Event;
use crate::store::{Store, StoreError};

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoSuchUser,
    /// Nobody would be left who has the role `admin`, is enabled and can log in.
    LastAdministrator,
    /// Who asks is no administrator (any more).
    NotAdministrator,
    /// Somebody has this e-mail.
    EmailTaken,
    /// The user is disabled, and could do nothing with it.
    Disabled,
    /// With the role `admin` there would be more roles than a token can carry.
    TooManyRoles,
}

impl Refused {
    /// As the trail has it. `None`: nobody is concerned.
    fn cause(self) -> Option<&'static str> {
        match self {
            Self::NoSuchUser => None,
            Self::LastAdministrator => Some("last_administrator"),
            Self::NotAdministrator => Some("not_administrator"),
            Self::EmailTaken => Some("email_taken"),
            Self::Disabled => Some("disabled"),
            Self::TooManyRoles => Some("too_many_roles"),
        }
    }
}

/// Why nothing was done, or what failed.
#[derive(Debug)]
pub(crate) enum AdministrationError {
    Refused(Refused),
    Store(StoreError),
}

impl Store {
    /// Does this, which `event` would say, and writes down where it is refused: who tries what he may not is worth as much as
    /// who does what he may. Nothing else of it is left then, its transaction is over.
    pub(super) async fn noting<T>(
        &self,
        event: &Event<'_>,
        work: impl Future<Output = Result<T, AdministrationError>>,
    ) -> Result<T, AdministrationError> {
        let done = work.await;
        if let Err(AdministrationError::Refused(refused)) = &done {
            self.audit_refused(event, *refused).await?;
        }
        done
    }

    /// Writes down that this was refused.
    pub(crate) async fn audit_refused(&self, event: &Event<'_>, refused: Refused) -> Result<(), StoreError> {
        match refused.cause() {
            Some(cause) => self.audit(&event.but_refused(cause)).await,
            None => Ok(()),
        }
    }
}

impl From<Refused> for AdministrationError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for AdministrationError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for AdministrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// For an operator.
impl fmt::Display for AdministrationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::Refused(refused) => refused.fmt(formatter),
        }
    }
}

/// The same.
impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooManyRoles => {
                return write!(formatter, "the user has too many roles to get `{ADMIN}` beside them, of which {} are the most: take one away first, with `user roles`", Role::MOST);
            }
            Self::NoSuchUser => "there is no such user",
            Self::LastAdministrator => {
                "this is the last administrator who can log in: make another one first, with `admin create`"
            }
            Self::NotAdministrator => "only administrators may do this",
            Self::EmailTaken => "somebody has this e-mail already",
            Self::Disabled => "the user is disabled: enable first",
        })
    }
}
