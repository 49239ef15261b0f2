//! What a key is, apart from its name.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::algorithm::AlgorithmName;

/// SHA-256 over the algorithm and the key. Two keys are one exactly where these are equal.
///
/// Not that of RFC 7638: it never leaves the filter, and tells a key for PS256 from the same one for RS256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of a public key that has been read.
    pub(super) fn of_jwk(algorithm: AlgorithmName, jwk: &Map<String, Value>) -> Self {
        let mut digest = Self::begin(algorithm);
        for member in members(algorithm) {
            let value = jwk.get(*member).and_then(Value::as_str).unwrap_or_default();
            digest = digest.chain_update(value).chain_update([0]);
        }
        Self(digest.finalize().into())
    }

    /// Of a secret.
    pub(super) fn of_secret(algorithm: AlgorithmName, secret: &[u8]) -> Self {
        Self(Self::begin(algorithm).chain_update(secret).finalize().into())
    }

    fn begin(algorithm: AlgorithmName) -> Sha256 {
        Sha256::new().chain_update(algorithm.as_str()).chain_update([0])
    }
}

/// The members that tell two public keys for this algorithm apart (RFC 7638 section 3.2). The readers of keys look at
/// these and take one spelling of each, without a zero byte; what stands in others is never looked at.
fn members(algorithm: AlgorithmName) -> &'static [&'static str] {
    match algorithm {
        AlgorithmName::EdDsa => &["x"],
        AlgorithmName::Es256 | AlgorithmName::Es384 => &["x", "y"],
        AlgorithmName::Rs256
        | AlgorithmName::Rs384
        | AlgorithmName::Rs512
        | AlgorithmName::Ps256
        | AlgorithmName::Ps384
        | AlgorithmName::Ps512 => &["e", "n"],
        // Their keys are secrets.
        AlgorithmName::Hs256 | AlgorithmName::Hs384 | AlgorithmName::Hs512 => &[],
    }
}

/// Says nothing: a weak secret could be guessed by its hash.
impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Thumbprint(..)")
    }
}
