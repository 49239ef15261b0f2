//! What a key is, apart from its name.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::material::Material;

/// SHA-256 over the algorithm and the key. Two keys are one exactly where these are equal.
///
/// Not that of RFC 7638: it never leaves the filter, and tells a key for PS256 from the same one for RS256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of the bytes that make the key: for a secret these are itself, for a public key a form that it has one of.
    pub(super) fn of(material: &Material, key: &[u8]) -> Self {
        let digest =
            Sha256::new().chain_update(material.algorithm().as_str()).chain_update([0]).chain_update(key);
        Self(digest.finalize().into())
    }
}

/// Says nothing: a weak secret could be guessed by its hash.
impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Thumbprint(..)")
    }
}
