//! From the bytes of an answer to what the issuer signed: step 1 and 2 of the model, and the shape of all there is.
//!
//! Nothing of the payload is looked at before the signature holds. The same reader is for answers of the issuer and for what
//! stands in shared data, which may come from anybody.

#[cfg(any(test, feature = "explain"))]
mod saved;
mod shape;

#[cfg(any(test, feature = "explain"))]
pub use saved::read_saved;

use bearward_protocol::revocations::{FEED_TYPE, MAX_ANSWER_BYTES};

use self::shape::Payload;
use super::records::Record;
use super::{FeedRefusal, Position};
use crate::algorithm::AlgorithmName;
use crate::issuer::normalized_type;
use crate::keys::{KeySet, KeySetProblem};
use crate::rejection::Rejection;
use crate::signature_host::SignatureHost;
use crate::token::{Header, Proof, UnverifiedJws};

/// What answers are judged by.
#[derive(Clone, Copy)]
pub struct FeedTrust<'t> {
    /// The issuer whose tokens the feed is about.
    pub iss: &'t str,
    /// The feed's own keys, never those of the tokens.
    pub keys: &'t KeySet,
    /// Who may verify signatures in the filter's place.
    pub host: &'t dyn SignatureHost,
}

/// What was signed, of a shape that can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The head that was read.
    pub head: Position,
    /// The issuer's time before it was, in milliseconds since the epoch.
    pub as_of: u64,
    /// What it is a part of.
    pub part: Part,
    /// In the order of their sequence, which each has within the range of the answer.
    pub records: Vec<Record>,
    /// What has proved it.
    pub(crate) proof: Proof,
}

/// What an answer is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What came after a position.
    Delta {
        /// That position, in the head's generation.
        from: Position,
        /// Whether it was cut: then it makes nobody fresh.
        more: bool,
    },
    /// A part of a snapshot.
    Page {
        /// The sequence it goes on after.
        after: u64,
        /// The sequence it goes to.
        through: u64,
    },
}

impl Answer {
    /// Whether it says nothing but the time.
    #[must_use]
    pub fn is_heartbeat(&self) -> bool {
        matches!(self.part, Part::Delta { from, .. } if from == self.head)
    }

    pub(super) const fn is_cut(&self) -> bool {
        matches!(self.part, Part::Delta { more: true, .. })
    }

    /// Reads and verifies one.
    ///
    /// # Errors
    /// The first [`FeedRefusal`] in the order of its table.
    pub fn read(bytes: &[u8], trust: FeedTrust<'_>) -> Result<Self, FeedRefusal> {
        let decode = |segment: &[u8]| crate::base64url::decode(segment).ok_or(Rejection::TokenMalformed);
        let (jws, payload) =
            UnverifiedJws::parse_with(bytes, MAX_ANSWER_BYTES, Header::parse, decode).map_err(refusal)?;
        // Without case and without `application/` (RFC 7515 section 4.1.9), but not without `typ`.
        if jws.typ().map(normalized_type).as_deref() != Some(FEED_TYPE) {
            return Err(FeedRefusal::Type);
        }
        let proof = jws.prove(trust.keys, trust.host).map_err(refusal)?;
        let Payload { head, as_of, part, records } = shape::read(&payload, trust.iss)?;
        Ok(Self { head, as_of, part, records, proof })
    }
}

/// Reads the JWK Set of a feed. Its answers are signed with EdDSA and nothing else.
///
/// # Errors
/// As [`KeySet::parse`].
pub fn parse_keys(text: &[u8]) -> Result<KeySet, Vec<KeySetProblem>> {
    KeySet::parse(text, FEED_ALGORITHMS)
}

/// What an answer may be signed with.
pub const FEED_ALGORITHMS: &[AlgorithmName] = &[AlgorithmName::EdDsa];

/// What the reader of tokens has to say, in the words of this table.
const fn refusal(rejection: Rejection) -> FeedRefusal {
    match rejection {
        Rejection::TokenTooLarge => FeedRefusal::Size,
        Rejection::TypeNotAllowed => FeedRefusal::Type,
        Rejection::KeyUnknown => FeedRefusal::KeyUnknown,
        Rejection::SignatureInvalid | Rejection::AlgorithmNotAllowed => FeedRefusal::Signature,
        _ => FeedRefusal::Form,
    }
}

#[cfg(test)]
mod tests;
