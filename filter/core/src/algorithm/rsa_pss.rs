//! RSASSA-PSS (RFC 8017 section 8.1, RFC 7518 section 3.5).

use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;

use jwt_compact::Algorithm;
use rsa::PublicKey;
use sha2::Digest;
use sha2::digest::FixedOutputReset;

use super::JoseHash;
use super::rsa_pkcs1::RsaSignature;

/// The algorithms `PS256`, `PS384` and `PS512`, by their hash, which is also that of the mask (MGF1).
#[derive(Clone, Copy, Debug, Default)]
pub struct RsaPss<D>(PhantomData<D>);

impl<D: JoseHash + Digest + FixedOutputReset> Algorithm for RsaPss<D> {
    /// Nobody signs with it here.
    type SigningKey = Infallible;
    type VerifyingKey = PublicKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(D::PS.as_str())
    }

    fn sign(&self, key: &Infallible, _message: &[u8]) -> RsaSignature {
        match *key {}
    }

    /// The salt has exactly as many bytes as the hash (RFC 7518 section 3.5).
    fn verify_signature(&self, signature: &RsaSignature, key: &PublicKey, message: &[u8]) -> bool {
        key.pss_verify::<D>(message, &signature.0).is_ok()
    }
}
