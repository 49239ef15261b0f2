//! Tokens whose signature and claims held: a second request with the same bytes need not prove them again.
//!
//! It never changes a verdict. What may change between two requests is asked on every one of them: whether the rule
//! trusts the issuer, whether the key is still there, the times, what the rule requires. Refusals are not kept.

use std::borrow::Borrow;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use lru::LruCache;
use serde_json::{Map, Value};

use crate::claims::VerifiedClaims;
use crate::edit::Edit;
use crate::policy::IssuerId;
use crate::rejection::Rejection;
use crate::token::{Header, KnownHeaders, Proof};
use crate::wide::are_same;

/// The most tokens that are kept.
pub const MAX_VERIFIED_TOKENS: usize = 4096;

/// The most memory that they may take, in bytes, as [`weight`] estimates it.
pub const MAX_VERIFIED_BYTES: usize = 8 * 1024 * 1024;

/// How much of a token is hashed, in bytes: more than a whole tag of HMAC in base64url. What is wrong in a forgery of one is thus
/// always hashed, and its look-up does not tell where it is.
const HASHED_BYTES: usize = 96;

/// The least recently used go first.
///
/// Hashed without a random seed, which the host would have to be asked for: only verified tokens are kept, and nobody can
/// choose what a signature looks like. But by SipHash: of a hash that can be undone word by word, a forgery would learn from the time of
/// its look-up what the words of the tag are.
#[derive(Debug)]
pub struct VerifiedTokens {
    entries: LruCache<Known, Entry, BuildHasherDefault<Hashed>>,
    headers: KnownHeaders,
    bytes: usize,
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
        Self {
            entries: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            headers: KnownHeaders::default(),
            bytes: 0,
            hits: 0,
            misses: 0,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An estimate of the memory that they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The look-ups since this was asked last.
    pub fn take_lookups(&mut self) -> Lookups {
        Lookups { hits: std::mem::take(&mut self.hits), misses: std::mem::take(&mut self.misses) }
    }

    /// A token that is the same to the last byte.
    pub(crate) fn get(&mut self, token: &[u8]) -> Option<Entry> {
        let found = self.entries.get(&Sought::of(token) as &dyn Token).cloned();
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

    /// Keeps a token, and forgets others where there is no room.
    pub(crate) fn insert(&mut self, token: &[u8], entry: Entry) {
        self.bytes = self.bytes.saturating_add(weight(token, &entry));
        if let Some((known, old)) = self.entries.push(Known::of(token), entry) {
            self.bytes = self.bytes.saturating_sub(weight(&known.bytes, &old));
        }
        while self.entries.len() > MAX_VERIFIED_TOKENS || self.bytes > MAX_VERIFIED_BYTES {
            let Some((token, entry)) = self.entries.pop_lru() else { break };
            self.bytes = self.bytes.saturating_sub(weight(&token.bytes, &entry));
        }
    }

    /// Forgets one whose key has left.
    pub(crate) fn remove(&mut self, token: &[u8]) {
        if let Some((token, entry)) = self.entries.pop_entry(&Sought::of(token) as &dyn Token) {
            self.bytes = self.bytes.saturating_sub(weight(&token.bytes, &entry));
        }
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self::new()
    }
}

/// A node of an ordered map, which has room for eleven members.
const NODE_BYTES: usize = 512;
/// A node of the list, its place in the table, and what an allocator adds to a handful of allocations.
const ENTRY_BYTES: usize = 256;

/// An estimate of what an entry takes: rather too much than too little.
fn weight(token: &[u8], entry: &Entry) -> usize {
    let claims = &entry.claims;
    let roles = claims.roles().iter().map(|role| ITEM_BYTES.saturating_add(role.len()));
    let told = entry.told.iter().flat_map(|told| told.iter()).filter_map(Edit::as_set);
    let told = told.map(|(_, value)| ITEM_BYTES.saturating_add(value.len()));
    let payload = claims.payload().iter().map(|(_, value)| match value {
        // All of it stands in the list.
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(_) | Value::Array(_) | Value::Object(_) => value_bytes(value),
    });
    let own = [ENTRY_BYTES, token.len(), claims.subject().len(), claims.payload().own_bytes()];
    own.into_iter().chain(payload).chain(roles).chain(told).fold(0, usize::saturating_add)
}

/// A string or a value in an array.
const ITEM_BYTES: usize = 48;

fn members(members: &Map<String, Value>) -> usize {
    let nodes = NODE_BYTES.saturating_mul(members.len().div_ceil(6).max(1));
    members.iter().map(|(name, value)| member(name, value)).fold(nodes, usize::saturating_add)
}

fn member(name: &str, value: &Value) -> usize {
    ITEM_BYTES.saturating_add(name.len()).saturating_add(value_bytes(value))
}

/// As deep as JSON in a token may be nested: the parser has a bound.
fn value_bytes(value: &Value) -> usize {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_bytes).fold(0, usize::saturating_add),
        Value::Object(inner) => members(inner),
    };
    ITEM_BYTES.saturating_add(inner)
}

/// A token that is kept. It is compared in constant time: else a forgery of it could be told how many letters of its
/// signature are right.
#[derive(Debug)]
struct Known {
    bytes: Box<[u8]>,
    hash: u64,
}

/// A token that is looked up.
struct Sought<'t> {
    bytes: &'t [u8],
    hash: u64,
}

/// The one or the other. Hashed once, and not whenever the table asks.
trait Token {
    fn bytes(&self) -> &[u8];

    fn hash(&self) -> u64;
}

impl Known {
    fn of(token: &[u8]) -> Self {
        Self { bytes: token.into(), hash: hash_of(token) }
    }
}

impl<'t> Sought<'t> {
    fn of(token: &'t [u8]) -> Self {
        Self { bytes: token, hash: hash_of(token) }
    }
}

impl Token for Known {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn hash(&self) -> u64 {
        self.hash
    }
}

impl Token for Sought<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn hash(&self) -> u64 {
        self.hash
    }
}

/// Of the end of the signature, which differs between any two.
fn hash_of(token: &[u8]) -> u64 {
    let end = token.last_chunk::<HASHED_BYTES>().map_or(token, <[u8; HASHED_BYTES]>::as_slice);
    let mut hasher = DefaultHasher::new();
    hasher.write(end);
    hasher.finish()
}

/// A hash that is there already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Nothing but a hash is hashed.
    fn write(&mut self, _bytes: &[u8]) {}
}

impl<'t> Borrow<dyn Token + 't> for Known {
    fn borrow(&self) -> &(dyn Token + 't) {
        self
    }
}

impl PartialEq for dyn Token + '_ {
    fn eq(&self, other: &Self) -> bool {
        are_same(self.bytes(), other.bytes()).into()
    }
}

impl Eq for dyn Token + '_ {}

impl Hash for dyn Token + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Token::hash(self));
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        let one: &dyn Token = self;
        one == (other as &dyn Token)
    }
}

impl Eq for Known {}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

#[cfg(test)]
mod tests;
