//! What a key is, apart from its name.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::algorithm::AlgorithmName;

/// The members that make a public key (RFC 7638 section 3.2), in their order. The readers of keys take one spelling of
/// each value.
const MEMBERS: [&str; 6] = ["crv", "e", "kty", "n", "x", "y"];

/// SHA-256 over the algorithm and the key. Two keys are one exactly where these are equal.
///
/// Not that of RFC 7638: it never leaves the filter, and tells a key for PS256 from the same one for RS256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of a public key.
    pub(super) fn of_jwk(algorithm: AlgorithmName, jwk: &Map<String, Value>) -> Self {
        let mut digest = Self::begin(algorithm);
        for member in MEMBERS {
            let value = jwk.get(member).and_then(Value::as_str).unwrap_or_default();
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

/// Says nothing: a weak secret could be guessed by its hash.
impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Thumbprint(..)")
    }
}
