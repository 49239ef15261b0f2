//! How a known token is found: by all its bytes, and of nobody else's does the time of a look-up tell anything.

use std::borrow::Borrow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::wide::are_same;

/// How much of a token is hashed, in bytes: more than a whole tag of HMAC in base64url. What is wrong in a forgery of one is thus
/// always hashed, and its look-up does not tell where it is.
const HASHED_BYTES: usize = 96;

/// A token that is kept. It is compared in constant time: else a forgery of it could be told how many letters of its
/// signature are right.
#[derive(Debug)]
pub(super) struct Known {
    bytes: Box<[u8]>,
    hash: u64,
}

/// A token that is looked up.
pub(super) struct Sought<'t> {
    bytes: &'t [u8],
    hash: u64,
}

/// The one or the other. Hashed once, and not whenever the table asks.
pub(super) trait Token {
    fn bytes(&self) -> &[u8];

    fn hash(&self) -> u64;
}

impl Known {
    pub(super) fn of(sought: &Sought<'_>) -> Self {
        Self { bytes: sought.bytes.into(), hash: sought.hash }
    }
}

impl<'t> Sought<'t> {
    pub(super) fn of(token: &'t [u8]) -> Self {
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
///
/// Without a random seed, which the host would have to be asked for: only verified tokens are kept, and nobody can choose what a
/// signature looks like. But by SipHash: of a hash that can be undone word by word, a forgery would learn from the time of its look-up
/// what the words of the tag are.
fn hash_of(token: &[u8]) -> u64 {
    let end = token.last_chunk::<HASHED_BYTES>().map_or(token, <[u8; HASHED_BYTES]>::as_slice);
    let mut hasher = DefaultHasher::new();
    hasher.write(end);
    hasher.finish()
}

/// A hash that is there already.
#[derive(Default)]
pub(super) struct Hashed(u64);

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
