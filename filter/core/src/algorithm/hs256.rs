//! HMAC with SHA-256 (RFC 2104, RFC 7518 section 3.2).

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;

use bearward_protocol::bounds::MIN_HS256_SECRET_BYTES;
use hmac::{Hmac, KeyInit, Mac};
use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::Sha256;

const OUTPUT_BYTES: usize = 32;

/// The algorithm `HS256`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hs256;

/// A shared secret, kept as the state of the hash after the padded key, so that a token costs no key set-up.
#[derive(Clone)]
pub struct Hs256Secret(Hmac<Sha256>);

/// The secret is shorter than the hash output (RFC 7518 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretTooShort;

impl Hs256Secret {
    /// Takes a secret of at least [`MIN_HS256_SECRET_BYTES`] bytes.
    ///
    /// # Errors
    /// [`SecretTooShort`]
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        if secret.len() < MIN_HS256_SECRET_BYTES {
            return Err(SecretTooShort);
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| SecretTooShort)
    }
}

impl fmt::Debug for Hs256Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hs256Secret(..)")
    }
}

/// The 32 bytes of the tag.
#[derive(Debug)]
pub struct Hs256Signature([u8; OUTPUT_BYTES]);

impl AlgorithmSignature for Hs256Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(OUTPUT_BYTES);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        bytes.try_into().map(Self).map_err(anyhow::Error::msg)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl Algorithm for Hs256 {
    type SigningKey = Hs256Secret;
    type VerifyingKey = Hs256Secret;
    type Signature = Hs256Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("HS256")
    }

    fn sign(&self, secret: &Hs256Secret, message: &[u8]) -> Hs256Signature {
        Hs256Signature(secret.0.clone().chain_update(message).finalize().into_bytes().into())
    }

    /// Compares in constant time.
    fn verify_signature(&self, signature: &Hs256Signature, secret: &Hs256Secret, message: &[u8]) -> bool {
        secret.0.clone().chain_update(message).verify_slice(&signature.0).is_ok()
    }
}
