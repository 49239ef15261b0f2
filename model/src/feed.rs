//! What goes over the wire.

use crate::database::{Position, Record};
use crate::state::Tick;

/// A signed answer. Whoever holds the bytes can check the signature, wherever he has them from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(crate) signer: FeedKey,
    pub(crate) kind: Kind,
    /// What was the head when `as_of` had been read.
    pub(crate) head: Position,
    /// The primary's time, read before the head was.
    pub(crate) as_of: Tick,
    pub(crate) records: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The records after `from`, up to the head.
    Delta { from: Position },
    /// Of a snapshot at `head`: the records after one sequence and up to another.
    Page { number: u8, after: u8, through: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FeedKey {
    Feed(u8),
    /// One of those that sign tokens.
    Token,
    Attacker,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Signed(Object),
    /// 409: this log does not hold your position, take a snapshot.
    Conflict,
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    After(Position),
    FirstPage,
    /// The first page of the snapshot at this position, while that is the head; what came after it, else.
    PageAt(Position),
    /// The page after this one of the snapshot at `head`.
    NextPage {
        head: Position,
        number: u8,
        after: u8,
    },
}

impl Object {
    /// Whether nothing follows it in its snapshot.
    pub(crate) fn is_last(&self) -> bool {
        match self.kind {
            Kind::Delta { .. } => true,
            Kind::Page { through, .. } => through >= self.head.sequence,
        }
    }

    /// Whether it says nothing but that there is nothing new.
    pub(crate) fn is_heartbeat(&self) -> bool {
        matches!(self.kind, Kind::Delta { from } if from == self.head)
    }
}
