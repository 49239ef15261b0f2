//! Tokens whose signature and claims held: a second request with the same bytes need not prove them again.
//!
//! It never changes a verdict. What may change between two requests is asked on every one of them: whether the rule
//! trusts the issuer, whether the key is still there, the times, what the rule requires. Refusals are not kept.

mod known;
mod room;
mod sighted;
mod weight;

use std::rc::Rc;

use self::room::Room;
use crate::claims::VerifiedClaims;
use crate::edit::Edit;
use crate::policy::IssuerId;
use crate::rejection::Rejection;
use crate::token::{Header, KnownHeaders, Proof};

/// The most tokens that are kept.
pub const MAX_VERIFIED_TOKENS: usize = 4096;

/// The most memory that they may take, in bytes, as it is estimated.
pub const MAX_VERIFIED_BYTES: usize = 8 * 1024 * 1024;

/// Those of one policy.
#[derive(Debug, Default)]
pub struct VerifiedTokens {
    tokens: Room,
    headers: KnownHeaders,
    hits: u64,
    misses: u64,
}

/// What is known of a token.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) issuer: IssuerId,
    pub(crate) proof: Proof,
    pub(crate) claims: Rc<VerifiedClaims>,
    /// What the upstream is told of it; or that it cannot be.
    pub(crate) told: Result<Rc<[Edit]>, Rejection>,
}

/// How often a token was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// How many tokens were found.
    pub hits: u64,
    /// How many were not.
    pub misses: u64,
}

impl VerifiedTokens {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An estimate of the memory that they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tokens.bytes()
    }

    /// The look-ups since this was asked last.
    pub fn take_lookups(&mut self) -> Lookups {
        Lookups { hits: std::mem::take(&mut self.hits), misses: std::mem::take(&mut self.misses) }
    }

    /// A token that is the same to the last byte. `now`, here and below: in seconds since the epoch.
    pub(crate) fn get(&mut self, token: &[u8], now: u64) -> Option<Entry> {
        let found = self.tokens.get(token, now);
        let lookups = if found.is_some() { &mut self.hits } else { &mut self.misses };
        *lookups = lookups.saturating_add(1);
        found
    }

    /// The headers of some of them.
    pub(crate) fn headers(&self) -> &KnownHeaders {
        &self.headers
    }

    /// Keeps what the header of a token says.
    pub(crate) fn keep_header(&mut self, token: &[u8], header: Rc<Header>) {
        self.headers.keep(token, header);
    }

    /// Keeps a token, as long as there is room, and as `room.rs` has it where there is none.
    pub(crate) fn insert(&mut self, token: &[u8], entry: Entry, now: u64) {
        self.tokens.insert(token, entry, now);
    }

    /// Forgets one whose key has left.
    pub(crate) fn remove(&mut self, token: &[u8]) {
        self.tokens.remove(token);
    }
}

#[cfg(test)]
mod tests;
