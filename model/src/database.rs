//! What PostgreSQL holds: users, sessions, the log of records. A copy of it is a standby or a backup.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::state::{Grounds, Tick};

/// How long after `exp` a verifier may still accept a token, in ticks.
pub(crate) const LEEWAY: u8 = 1;
/// How much longer than that a record lasts: for clocks that differ.
pub(crate) const MARGIN: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    pub(crate) users: Vec<User>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) epoch: u8,
    /// Every epoch record goes with one; so does the end of all sessions that were opened before a fork.
    pub(crate) sessions_from_epoch: u8,
    pub(crate) generation: u8,
    /// The instance that generation and epoch were raised for.
    pub(crate) known_instance: u8,
    /// The head: in a row of its own, because the newest record may be purged.
    pub(crate) head: Position,
    /// Records by sequence; those that were purged are missing.
    pub(crate) log: Vec<Row>,
    /// Known to the checker: the causes that it knows of.
    pub(crate) causes: u16,
    /// Known to the checker: how many times a copy had taken over.
    pub(crate) history: u8,
    /// Known to the checker: when generation and epoch were raised last.
    pub(crate) raised_at: Tick,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct User {
    /// Which password it is.
    pub(crate) password: u8,
    pub(crate) version: u8,
    pub(crate) enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) id: u8,
    pub(crate) user: u8,
    pub(crate) greatest_exp: Tick,
    pub(crate) ended: bool,
    pub(crate) epoch: u8,
    pub(crate) grounds: Grounds,
}

/// What verifiers must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) what: What,
    /// The epoch in which it was written. Tokens of a later epoch are not concerned.
    pub(crate) epoch: u8,
    /// `None`: never forgotten.
    pub(crate) ends_at: Option<Tick>,
    /// The second at which it was written, which only a broken protocol looks at.
    pub(crate) written_at: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum What {
    Session { id: u8 },
    Subject { user: u8, minimum: u8, gone: bool },
    Key { kid: u8 },
    Epoch { minimum: u8 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) sequence: u8,
    pub(crate) digest: Digest,
    pub(crate) record: Record,
}

/// Of all records up to one; two logs with the same digest hold the same.
pub(crate) type Digest = u32;

/// How far a log has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub(crate) generation: u8,
    pub(crate) sequence: u8,
    pub(crate) digest: Digest,
}

impl Database {
    pub(crate) fn new(users: u8) -> Self {
        Self {
            users: (0..users).map(|_| User { password: 0, version: 1, enabled: true }).collect(),
            sessions: Vec::new(),
            epoch: 1,
            sessions_from_epoch: 1,
            generation: 1,
            known_instance: 0,
            head: Position { generation: 1, sequence: 0, digest: 0 },
            log: Vec::new(),
            causes: 0,
            history: 0,
            raised_at: 0,
        }
    }

    pub(crate) fn user(&self, user: u8) -> Option<&User> {
        self.users.get(usize::from(user))
    }

    pub(crate) fn user_mut(&mut self, user: u8) -> Option<&mut User> {
        self.users.get_mut(usize::from(user))
    }

    pub(crate) fn session_mut(&mut self, id: u8) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    /// The greatest `exp` among all tokens of a user.
    pub(crate) fn greatest_exp(&self, user: u8) -> Option<Tick> {
        self.sessions.iter().filter(|session| session.user == user).map(|session| session.greatest_exp).max()
    }

    /// Puts a record at this sequence; the head is the newest that is there.
    pub(crate) fn append(&mut self, sequence: u8, record: Record) {
        let digest = chained(self.head.digest, &record);
        let place = self.log.partition_point(|row| row.sequence < sequence);
        self.log.insert(place, Row { sequence, digest, record });
        if sequence > self.head.sequence {
            self.head = Position { generation: self.generation, sequence, digest };
        }
    }

    /// Whether a position is on this log, as far as that can be known.
    pub(crate) fn holds(&self, position: Position) -> bool {
        holds(self.head, &self.log, position)
    }

    pub(crate) fn purge(&mut self, now: Tick) {
        self.log.retain(|row| !row.record.has_ended(now));
    }
}

impl Record {
    pub(crate) fn has_ended(&self, now: Tick) -> bool {
        self.ends_at.is_some_and(|end| now >= end)
    }
}

/// Whether a position is on a log. One whose record has been purged cannot be told from one of another log.
pub(crate) fn holds(head: Position, log: &[Row], position: Position) -> bool {
    let is_named = |row: &Row| (row.sequence, row.digest) == (position.sequence, position.digest);
    let is_start = position.sequence == 0;
    position.generation == head.generation && (position == head || is_start || log.iter().any(is_named))
}

fn chained(before: Digest, record: &Record) -> Digest {
    let mut hasher = DefaultHasher::new();
    (before, record).hash(&mut hasher);
    // The half that is kept is as good as the whole in a world of some records.
    u32::try_from(hasher.finish() & 0xffff_ffff).unwrap_or_default()
}
