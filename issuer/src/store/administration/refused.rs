//! Why an administrator's or operator's wish was not done.

use std::fmt;

use crate::store::StoreError;

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
}

/// Why nothing was done, or what failed.
#[derive(Debug)]
pub(crate) enum AdministrationError {
    Refused(Refused),
    Store(StoreError),
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
