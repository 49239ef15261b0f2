//! What has ended early: the records of a feed, and how a proxy follows it. `model/README.md` is the protocol.
//!
//! Pure: bytes and the time in. Whoever has a host fetches, shares and calls. In reading order:
//!
//! 1. [`answer`] from the bytes of an answer to what was signed; [`refusal`] every way to be refused, one table
//! 2. [`records`] what is held, and whether it concerns a token
//! 3. [`feed`] the state of one feed in one VM: what to ask, how to take an answer, whether it is fresh
//! 4. [`chain`] what stands in the data that VMs share, [`reading`] how it is taken from there, [`lease`] who of them asks
//!    and [`pace`] when, [`attempts`] when it is given up
//! 5. [`deny_list`] the same out of a file, for issuers that have no feed
//! 6. [`ring`] what a policy's issuers have of these

pub mod answer;
pub mod attempts;
pub mod chain;
mod cursor;
pub mod deny_list;
pub mod feed;
mod hex;
pub mod lease;
mod name;
pub mod pace;
pub mod reading;
pub mod records;
pub mod refusal;
pub mod ring;

pub use answer::{Answer, FeedTrust};
pub use deny_list::DenyList;
pub use feed::{Feed, Freshness, Taken};
pub use records::{Concern, Record, Records, RevocableToken};
pub use refusal::FeedRefusal;
pub use ring::FeedRing;

/// A place in a log: nothing is skipped as long as all three parts agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which log.
    pub generation: [u8; 16],
    /// The number of the newest record.
    pub sequence: u64,
    /// Chains the records up to it.
    pub digest: [u8; 32],
}

/// A position, and the time at which nothing was after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where.
    pub position: Position,
    /// The issuer's time, but never ahead of our own; in milliseconds since the epoch.
    pub as_of: u64,
}

impl Standing {
    /// Whether taking this one in the place of `held` would be a step back: an older time; at the same time, another log
    /// or an earlier place.
    #[must_use]
    pub fn goes_back_from(&self, held: &Self) -> bool {
        let (own, other) = (&self.position, &held.position);
        self.as_of < held.as_of
            || (self.as_of == held.as_of
                && (own.generation != other.generation || own.sequence < other.sequence))
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
