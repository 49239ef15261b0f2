//! RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2, RFC 7518 section 3.3).

use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use jwt_compact::{Algorithm, AlgorithmSignature};
use rsa::PublicKey;
use rsa::pkcs8::AssociatedOid;
use sha2::Digest;

use super::JoseHash;

/// The algorithms `RS256`, `RS384` and `RS512`, by their hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct RsaPkcs1<D>(PhantomData<D>);

/// The bytes of an RSA signature, of either scheme. How many they must be, the key says: as many as its modulus.
#[derive(Debug)]
pub struct RsaSignature(pub(super) Vec<u8>);

impl AlgorithmSignature for RsaSignature {
    const LENGTH: Option<NonZeroUsize> = None;

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(bytes.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl<D: JoseHash + Digest + AssociatedOid> Algorithm for RsaPkcs1<D> {
    /// Nobody signs with it here.
    type SigningKey = Infallible;
    type VerifyingKey = PublicKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(D::RS.as_str())
    }

    fn sign(&self, key: &Infallible, _message: &[u8]) -> RsaSignature {
        match *key {}
    }

    /// The padding is compared with the only one that fits, byte by byte; nothing of it is parsed.
    fn verify_signature(&self, signature: &RsaSignature, key: &PublicKey, message: &[u8]) -> bool {
        key.pkcs1v15_verify::<D>(message, &signature.0).is_ok()
    }
}
