//! Signatures of every algorithm, as the tokens of the tests bear them.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::algorithm::AlgorithmName;
use ed25519_dalek::Signer as _;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use p256::pkcs8::LineEnding;
use rsa::BoxedUint;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::pss::SigningKey as PssKey;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use serde_json::{Value, json};
use sha2::digest::common::getrandom::SysRng;
use sha2::{Sha256, Sha384, Sha512};

use crate::token::Key;

/// The key of RFC 7515 appendix A.2, which is published whole.
const RSA: &str = include_str!("../vectors/rsa-key-of-rfc-7515.json");

/// How a key signs.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The algorithm.
    pub algorithm: AlgorithmName,
    /// The bytes of salt where the algorithm is PSS; `None`: as many as the hash.
    pub salt_bytes: Option<usize>,
}

impl Key {
    /// The algorithm that the key signs with where nothing else is said.
    ///
    /// # Panics
    /// Where there is no key.
    #[must_use]
    pub fn algorithm(&self) -> AlgorithmName {
        match self {
            Self::Ed25519(_) => AlgorithmName::EdDsa,
            Self::P256(_) => AlgorithmName::Es256,
            Self::P384(_) => AlgorithmName::Es384,
            Self::Rsa => AlgorithmName::Rs256,
            Self::Hmac(_) => AlgorithmName::Hs256,
            Self::None => panic!("no key signs nothing"),
        }
    }

    /// The public half as a JWK without `alg` and `kid`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match self {
            Self::Ed25519(seed) => {
                let x = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes();
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(x) })
            }
            Self::P256(scalar) => {
                let point = p256_key(scalar).verifying_key().to_sec1_point(false);
                let (x, y) = (point.x().expect("a point"), point.y().expect("a point"));
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Self::P384(scalar) => {
                let point = p384_key(scalar).verifying_key().to_sec1_point(false);
                let (x, y) = (point.x().expect("a point"), point.y().expect("a point"));
                json!({ "kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y) })
            }
            Self::Rsa => {
                let jwk: Value = serde_json::from_str(RSA).expect("a JWK");
                json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"] })
            }
            Self::Hmac(_) | Self::None => panic!("no public half"),
        }
    }

    /// The signature of a text; empty where there is no key.
    ///
    /// A key pair may be told to sign with HMAC: then its public half, as PEM, is the secret. That is the confusion of
    /// keys that RFC 8725 section 2.1 warns of.
    ///
    /// # Panics
    /// Where the key cannot sign like that.
    #[must_use]
    pub fn sign(&self, scheme: Scheme, text: &[u8]) -> Vec<u8> {
        use AlgorithmName::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512};
        match (self, scheme.algorithm) {
            (Self::None, _) => Vec::new(),
            (Self::Ed25519(seed), EdDsa) => {
                ed25519_dalek::SigningKey::from_bytes(seed).sign(text).to_bytes().to_vec()
            }
            (Self::P256(scalar), Es256) => {
                let signature: p256::ecdsa::Signature = p256_key(scalar).sign(text);
                signature.to_bytes().to_vec()
            }
            (Self::P384(scalar), Es384) => {
                let signature: p384::ecdsa::Signature = p384_key(scalar).sign(text);
                signature.to_bytes().to_vec()
            }
            (Self::Hmac(secret), Hs256) => tag::<Sha256>(secret, text),
            (Self::Hmac(secret), Hs384) => tag::<Sha384>(secret, text),
            (Self::Hmac(secret), Hs512) => tag::<Sha512>(secret, text),
            (Self::Rsa, Hs256) => tag::<Sha256>(&rsa_pem(), text),
            (Self::Rsa, _) => sign_by_rsa(scheme, text),
            (key, algorithm) => panic!("{key:?} signs nothing with {}", algorithm.as_str()),
        }
    }
}

fn sign_by_rsa(scheme: Scheme, text: &[u8]) -> Vec<u8> {
    use AlgorithmName::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let key = rsa_key();
    let salt = |hash_bytes| scheme.salt_bytes.unwrap_or(hash_bytes);
    match scheme.algorithm {
        Rs256 => key.pkcs1v15_sign::<Sha256>(text).expect("a signature"),
        Rs384 => key.pkcs1v15_sign::<Sha384>(text).expect("a signature"),
        Rs512 => key.pkcs1v15_sign::<Sha512>(text).expect("a signature"),
        Ps256 => PssKey::<Sha256>::new_with_salt_len(key, salt(32))
            .try_sign_with_rng(&mut SysRng, text)
            .expect("a signature")
            .to_vec(),
        Ps384 => PssKey::<Sha384>::new_with_salt_len(key, salt(48))
            .try_sign_with_rng(&mut SysRng, text)
            .expect("a signature")
            .to_vec(),
        Ps512 => PssKey::<Sha512>::new_with_salt_len(key, salt(64))
            .try_sign_with_rng(&mut SysRng, text)
            .expect("a signature")
            .to_vec(),
        other => panic!("RSA signs nothing with {}", other.as_str()),
    }
}

fn tag<D: EagerHash>(secret: &[u8], text: &[u8]) -> Vec<u8>
where
    Hmac<D>: KeyInit + Mac,
{
    let mut mac = Hmac::<D>::new_from_slice(secret).expect("HMAC takes secrets of every length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn p256_key(scalar: &[u8; 32]) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(scalar).expect("a scalar of P-256")
}

fn p384_key(scalar: &[u8; 48]) -> p384::ecdsa::SigningKey {
    p384::ecdsa::SigningKey::from_slice(scalar).expect("a scalar of P-384")
}

/// Put together once: to check it takes longer than to sign.
fn rsa_key() -> rsa::PrivateKey {
    static KEY: OnceLock<rsa::PrivateKey> = OnceLock::new();
    let read = || {
        let jwk: Value = serde_json::from_str(RSA).expect("a JWK");
        let number = |member: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(jwk[member].as_str().expect("a text")).expect("base64url");
            BoxedUint::from_be_slice(&bytes, 2048).expect("2048 bits")
        };
        let primes = vec![number("p"), number("q")];
        rsa::PrivateKey::from_components(number("n"), number("e"), number("d"), primes).expect("a key")
    };
    KEY.get_or_init(read).clone()
}

fn rsa_pem() -> Vec<u8> {
    let key = rsa::PublicKey::from(rsa_key());
    key.to_public_key_pem(LineEnding::LF).expect("PEM").into_bytes()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
