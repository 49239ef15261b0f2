//! HMAC with SHA-2 (RFC 2104, RFC 7518 section 3.2).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use hmac::digest::typenum::Unsigned;
use hmac::digest::{Output, OutputSizeUser};
use hmac::{EagerHash, KeyInit, Mac};
use jwt_compact::{Algorithm, AlgorithmSignature};

use super::JoseHash;

/// The algorithms `HS256`, `HS384` and `HS512`, by their hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hmac<D>(PhantomData<D>);

/// A shared secret, kept as the state of the hash after the padded key, so that a token costs no key set-up.
pub struct HmacSecret<D: EagerHash>(hmac::Hmac<D>);

/// The secret is shorter than the hash output (RFC 7518 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretTooShort {
    /// The fewest bytes that a secret of its algorithm must have.
    pub min_bytes: usize,
}

impl<D: EagerHash + OutputSizeUser> HmacSecret<D> {
    /// Takes a secret of at least as many bytes as the hash gives.
    ///
    /// # Errors
    /// [`SecretTooShort`]
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        let too_short = SecretTooShort { min_bytes: <D as OutputSizeUser>::OutputSize::USIZE };
        if secret.len() < too_short.min_bytes {
            return Err(too_short);
        }
        hmac::Hmac::new_from_slice(secret).map(Self).map_err(|_| too_short)
    }
}

impl<D: EagerHash> Clone for HmacSecret<D>
where
    hmac::Hmac<D>: Clone,
{
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: EagerHash> fmt::Debug for HmacSecret<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacSecret(..)")
    }
}

/// The tag: all bytes of the hash, none cut off.
#[derive(Debug)]
pub struct HmacTag<D: OutputSizeUser>(Output<D>);

impl<D: OutputSizeUser> AlgorithmSignature for HmacTag<D> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(D::OutputSize::USIZE);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        bytes.try_into().map(Self).map_err(anyhow::Error::msg)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl<D> Algorithm for Hmac<D>
where
    D: JoseHash + EagerHash + OutputSizeUser,
    hmac::Hmac<D>: Mac + OutputSizeUser<OutputSize = D::OutputSize> + Clone,
{
    type SigningKey = HmacSecret<D>;
    type VerifyingKey = HmacSecret<D>;
    type Signature = HmacTag<D>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(D::HS.as_str())
    }

    fn sign(&self, secret: &HmacSecret<D>, message: &[u8]) -> HmacTag<D> {
        HmacTag(secret.0.clone().chain_update(message).finalize().into_bytes())
    }

    /// Compares in constant time.
    fn verify_signature(&self, signature: &HmacTag<D>, secret: &HmacSecret<D>, message: &[u8]) -> bool {
        secret.0.clone().chain_update(message).verify_slice(&signature.0).is_ok()
    }
}
