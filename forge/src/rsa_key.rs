//! Keys of RSA.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::algorithm::AlgorithmName;
use getrandom::SysRng;
use p256::pkcs8::LineEnding;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::pss::SigningKey as PssKey;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, PrivateKey};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::jws::encode;
use crate::{ForgeError, Scheme};

/// The least that a verifier takes (RFC 7518 section 3.3).
const MODULUS_BITS: usize = 2048;
/// The longest number that is read, in bits.
const MAX_BITS: u32 = 16_384;

pub(crate) fn random() -> Result<PrivateKey, ForgeError> {
    PrivateKey::new(&mut SysRng, MODULUS_BITS).map_err(|_| ForgeError::NoRandomNumbers)
}

pub(crate) fn of_jwk(jwk: &Value) -> Result<PrivateKey, ForgeError> {
    let number = |member: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(jwk.get(member)?.as_str()?).ok()?;
        let bits = u32::try_from(bytes.len() * 8).ok().filter(|bits| *bits <= MAX_BITS)?;
        BoxedUint::from_be_slice(&bytes, bits).ok()
    };
    let numbers = || Some((number("n")?, number("e")?, number("d")?, vec![number("p")?, number("q")?]));
    let (n, e, d, primes) = numbers().ok_or(ForgeError::NoKey("RSA"))?;
    PrivateKey::from_components(n, e, d, primes).map_err(|_| ForgeError::NoKey("RSA"))
}

pub(crate) fn jwk(key: &PrivateKey) -> Value {
    let number = |bytes: Box<[u8]>| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encode(bytes.get(zeros..).unwrap_or_default())
    };
    json!({ "kty": "RSA", "n": number(key.n_bytes()), "e": number(key.e_bytes()) })
}

pub(crate) fn pem(key: &PrivateKey) -> Option<String> {
    rsa::PublicKey::from(key).to_public_key_pem(LineEnding::LF).ok()
}

pub(crate) fn sign(key: &PrivateKey, scheme: Scheme, text: &[u8]) -> Result<Vec<u8>, ForgeError> {
    use AlgorithmName::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let salt = |hash_bytes| scheme.salt_bytes.unwrap_or(hash_bytes);
    /// With salt from the operating system.
    macro_rules! pss {
        ($hash:ty, $bytes:literal) => {
            PssKey::<$hash>::new_with_salt_len(key.clone(), salt($bytes))
                .try_sign_with_rng(&mut SysRng, text)
                .map(|signature| signature.to_vec())
                .ok()
        };
    }
    let signature = match scheme.algorithm {
        Rs256 => key.pkcs1v15_sign::<Sha256>(text).ok(),
        Rs384 => key.pkcs1v15_sign::<Sha384>(text).ok(),
        Rs512 => key.pkcs1v15_sign::<Sha512>(text).ok(),
        Ps256 => pss!(Sha256, 32),
        Ps384 => pss!(Sha384, 48),
        Ps512 => pss!(Sha512, 64),
        other => return Err(ForgeError::Unfit(other)),
    };
    signature.ok_or(ForgeError::NotSigned(scheme.algorithm))
}
