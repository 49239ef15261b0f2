//! EdDSA with Ed25519 (RFC 8032, RFC 8037 section 3.1).

pub(crate) mod prepared;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer, SigningKey, VerifyingKey};
use jwt_compact::{Algorithm, AlgorithmSignature};

/// The algorithm `EdDSA` with the curve Ed25519.
#[derive(Clone, Copy, Debug, Default)]
pub struct EdDsa;

/// The 64 bytes `R || S`.
#[derive(Debug)]
pub struct EdDsaSignature(pub(crate) Signature);

impl AlgorithmSignature for EdDsaSignature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(SIGNATURE_LENGTH);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        Signature::from_slice(bytes).map(Self).map_err(anyhow::Error::msg)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.to_bytes().to_vec())
    }
}

impl Algorithm for EdDsa {
    type SigningKey = SigningKey;
    type VerifyingKey = VerifyingKey;
    type Signature = EdDsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, key: &SigningKey, message: &[u8]) -> EdDsaSignature {
        EdDsaSignature(key.sign(message))
    }

    /// Strict verification: also refuses small-order keys and `R`, so that no signature fits two messages.
    fn verify_signature(&self, signature: &EdDsaSignature, key: &VerifyingKey, message: &[u8]) -> bool {
        key.verify_strict(message, &signature.0).is_ok()
    }
}
