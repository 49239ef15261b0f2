//! How often something was throttled, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::audit::Kind;

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttled {
    /// Refused: too many from this address.
    Address,
    /// Refused: too many at this account from this address.
    Account,
    /// Refused: too many of this session.
    Session,
    /// Answered later: too many at this account from anywhere.
    Slowed,
}

impl Throttled {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Account => "account",
            Self::Session => "session",
            Self::Slowed => "slowed",
        }
    }

    /// The cause in log and trail.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::Address => "throttled_address",
            Self::Account => "throttled_account",
            Self::Session => "throttled_session",
            Self::Slowed => "slowed_account",
        }
    }
}

/// A counter for everything that can be throttled.
#[derive(Debug)]
pub(crate) struct Counts([(Kind, Throttled, AtomicU64); 9]);

impl Default for Counts {
    fn default() -> Self {
        let zero = |kind, by| (kind, by, AtomicU64::new(0));
        Self([
            zero(Kind::Login, Throttled::Address),
            zero(Kind::Login, Throttled::Account),
            zero(Kind::Login, Throttled::Slowed),
            zero(Kind::PasswordChange, Throttled::Address),
            zero(Kind::PasswordChange, Throttled::Account),
            zero(Kind::PasswordChange, Throttled::Slowed),
            zero(Kind::Signup, Throttled::Address),
            zero(Kind::Refresh, Throttled::Address),
            zero(Kind::Refresh, Throttled::Session),
        ])
    }
}

impl Counts {
    pub(super) fn add(&self, kind: Kind, by: Throttled) {
        let Self(all) = self;
        if let Some((_, _, count)) = all.iter().find(|(of, how, _)| (*of, *how) == (kind, by)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was tried, what was done about it, how often.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        let Self(all) = self;
        all.iter().map(|(kind, by, count)| (kind.as_str(), by.as_str(), count.load(Ordering::Relaxed)))
    }
}
