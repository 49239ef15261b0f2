//! The records that are held, and whether one of them concerns a token.
//!
//! What is held counts until its own end, whatever a feed says later: records are merged, never replaced.

mod subjects;

use std::collections::BTreeSet;

use bearward_protocol::revocations::{RECORD_MARGIN_SECONDS, SubjectReason};

pub use super::name::Name;
use super::name::{Cursor, Named, Swept};
use subjects::{Pair, Subjects};

/// The most memory that the records of one feed may take, in bytes, as [`Records::bytes`] estimates it. Nothing is forgotten
/// to make room: what does not fit is refused, and the feed grows stale.
pub const MAX_RECORD_BYTES: usize = 256 * 1024 * 1024;

/// What an entry takes in an ordered map of random keys, which are two thirds full; in bytes.
const ENTRY_BYTES: usize = 72;

/// How many names one sweep looks at.
const SWEPT_AT_ONCE: usize = 512;

/// What verifiers refuse although its signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// All tokens of a session.
    Session {
        /// Its `sid`.
        name: Name,
        /// In seconds since the epoch.
        ends_at: u64,
    },
    /// Tokens of a user with a lower version, of this epoch or an earlier one.
    Subject {
        /// The `sub`.
        name: Name,
        /// The least `user_version` that is good.
        minimum: u64,
        /// Of tokens of a later epoch it says nothing: versions of a log that was lost are not those of the one after it.
        epoch: u64,
        /// The text of the refusal.
        reason: SubjectReason,
        /// In seconds since the epoch.
        ends_at: u64,
    },
    /// Whatever a key signed, for ever.
    Key {
        /// Its `kid`.
        name: Box<str>,
    },
    /// All tokens of an earlier epoch.
    Epoch {
        /// The least `epoch` that is good.
        minimum: u64,
        /// In seconds since the epoch.
        ends_at: u64,
    },
}

/// What records look at of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocableToken<'t> {
    /// Its session.
    pub sid: &'t str,
    /// Its user.
    pub sub: &'t str,
    /// The version of the user that it was made of.
    pub user_version: u64,
    /// The epoch that it was made in.
    pub epoch: u64,
    /// The key that has proved it, where it has a name.
    pub kid: Option<&'t str>,
}

/// Which record concerns a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// One of its session.
    Session,
    /// One of its user.
    Subject {
        /// The least `user_version` that is good.
        minimum: u64,
        /// Why.
        reason: SubjectReason,
    },
    /// One of its key.
    Key,
    /// One of its epoch.
    Epoch {
        /// The least `epoch` that is good.
        minimum: u64,
    },
}

/// Every record of a feed that counts.
#[derive(Debug, Default)]
pub struct Records {
    sessions: Named<u64>,
    subjects: Subjects,
    keys: BTreeSet<Box<str>>,
    epoch: Option<Epoch>,
    /// Beyond the entries themselves.
    extra_bytes: usize,
    sweep: Sweep,
    /// The latest time at which something was dropped as ended, in seconds since the epoch.
    dropped_at: u64,
}

/// Of two, the greater minimum and the later end: no token that either concerns is good after its end, so to refuse it
/// longer refuses nobody.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    minimum: u64,
    ends_at: u64,
}

/// Which part a sweep looks at next.
#[derive(Debug, Default)]
struct Sweep {
    sessions: Cursor,
    subjects: Cursor,
    is_at_subjects: bool,
}

impl Records {
    /// The record that concerns a token at the time `now`, in seconds since the epoch. Without allocation.
    ///
    /// Users come first: what a client is told of one who is gone does not depend on what else has ended.
    #[must_use]
    pub fn concerning(&self, token: &RevocableToken<'_>, now: u64) -> Option<Concern> {
        if let Some((minimum, reason)) = self.subjects.concerning(token, now) {
            return Some(Concern::Subject { minimum, reason });
        }
        if self.sessions.get(token.sid).is_some_and(|ends_at| now < *ends_at) {
            return Some(Concern::Session);
        }
        if token.kid.is_some_and(|kid| self.keys.contains(kid)) {
            return Some(Concern::Key);
        }
        let epoch = self.epoch.filter(|record| now < record.ends_at && token.epoch < record.minimum)?;
        Some(Concern::Epoch { minimum: epoch.minimum })
    }

    /// Adds one to what is held. One that has ended at the time `now` is of no use to anybody.
    pub fn merge(&mut self, record: Record, now: u64) {
        match record {
            Record::Session { ends_at, .. }
            | Record::Subject { ends_at, .. }
            | Record::Epoch { ends_at, .. }
                if ends_at <= now =>
            {
                self.dropped_at = self.dropped_at.max(now);
            }
            Record::Session { name, ends_at } => match self.sessions.get_mut(&name) {
                Some(held) => *held = ends_at.max(*held),
                None => {
                    self.grow(name.extra_bytes());
                    self.sessions.insert(name, ends_at);
                }
            },
            Record::Subject { name, minimum, epoch, reason, ends_at } => {
                let extra = self.subjects.merge(name, Pair::new(minimum, epoch, reason, ends_at));
                self.grow(extra);
            }
            Record::Key { name } => {
                let extra = name.len();
                if self.keys.insert(name) {
                    self.grow(extra);
                }
            }
            Record::Epoch { minimum, ends_at } => {
                let held = self.epoch.get_or_insert(Epoch { minimum, ends_at });
                held.minimum = minimum.max(held.minimum);
                held.ends_at = ends_at.max(held.ends_at);
            }
        }
    }

    /// Forgets what has ended at the time `now`, in a small portion; the next call goes on from there. What is not yet swept
    /// does not count all the same.
    pub fn sweep(&mut self, now: u64) {
        let has_ended = |ends_at: &u64| *ends_at <= now;
        let swept = if self.sweep.is_at_subjects {
            self.subjects.sweep(&mut self.sweep.subjects, SWEPT_AT_ONCE, now)
        } else {
            self.sessions.sweep(&mut self.sweep.sessions, SWEPT_AT_ONCE, has_ended)
        };
        self.sweep.is_at_subjects = !self.sweep.is_at_subjects;
        self.extra_bytes = self.extra_bytes.saturating_sub(swept.extra_bytes);
        let epoch = self.epoch.filter(|record| now < record.ends_at);
        if swept.entries > 0 || epoch.is_none() && self.epoch.is_some() {
            self.dropped_at = self.dropped_at.max(now);
        }
        self.epoch = epoch;
    }

    /// Whether something was dropped at a time that, by the clock as it is now, has not come yet: what has ended may not have
    /// ended. Asked once, it is forgotten.
    pub(super) fn take_premature(&mut self, now: u64) -> bool {
        let is_premature = self.dropped_at > now.saturating_add(RECORD_MARGIN_SECONDS);
        if is_premature {
            self.dropped_at = 0;
        }
        is_premature
    }

    /// How many are held, those among them that have ended and are not swept yet.
    #[must_use]
    pub fn len(&self) -> usize {
        [self.sessions.len(), self.subjects.len(), self.keys.len(), usize::from(self.epoch.is_some())]
            .into_iter()
            .fold(0, usize::saturating_add)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An estimate of the memory that they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len().saturating_mul(ENTRY_BYTES).saturating_add(self.extra_bytes)
    }

    /// Whether there is room for an answer's records: none is longer than the room that is kept.
    pub(super) fn has_room(&self) -> bool {
        self.bytes() < MAX_RECORD_BYTES
    }

    fn grow(&mut self, extra: usize) {
        self.extra_bytes = self.extra_bytes.saturating_add(extra);
    }
}

impl Swept {
    fn and(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            extra_bytes: self.extra_bytes.saturating_add(other.extra_bytes),
        }
    }
}

#[cfg(test)]
mod tests;
