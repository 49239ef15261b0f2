//! What signs.

use std::fmt;

use bearward_core::algorithm::AlgorithmName;
use ed25519_dalek::Signer as _;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::jws::encode;
use crate::{ForgeError, rsa_key};

/// The length of a secret that is made: as many bytes as the longest hash, so that it serves every algorithm.
const SECRET_BYTES: usize = 64;
/// How often random bytes may be no scalar of a curve: once is less likely than one in four thousand million.
const MAX_TRIES: usize = 8;

/// A private key or a secret, of one kind.
#[derive(Clone)]
pub struct Key(Material);

#[derive(Clone)]
enum Material {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<rsa::PrivateKey>),
    Secret(Vec<u8>),
}

/// How a key signs.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The algorithm.
    pub algorithm: AlgorithmName,
    /// The bytes of salt where the algorithm is PSS; `None`: as many as the hash (RFC 7518 section 3.5).
    pub salt_bytes: Option<usize>,
}

impl From<AlgorithmName> for Scheme {
    fn from(algorithm: AlgorithmName) -> Self {
        Self { algorithm, salt_bytes: None }
    }
}

impl Key {
    /// A new key for an algorithm, by the random numbers of the operating system. One of RSA has 2048 bits, and takes long.
    ///
    /// # Errors
    /// [`ForgeError::NoRandomNumbers`]
    pub fn random(algorithm: AlgorithmName) -> Result<Self, ForgeError> {
        use AlgorithmName::{
            EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
        };
        match algorithm {
            EdDsa => random_bytes().map(|seed| Self::ed25519(&seed)),
            Es256 => by_tries(|| Self::p256(&random_bytes()?)),
            Es384 => by_tries(|| Self::p384(&random_bytes()?)),
            Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => {
                rsa_key::random().map(|key| Self(Material::Rsa(Box::new(key))))
            }
            Hs256 | Hs384 | Hs512 => random_bytes::<SECRET_BYTES>().map(|secret| Self::secret(&secret)),
        }
    }

    /// The key of Ed25519 with this seed.
    #[must_use]
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        Self(Material::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The key of P-256 with this scalar.
    ///
    /// # Errors
    /// [`ForgeError::NoKey`] where it is zero, or not less than the order of the curve.
    pub fn p256(scalar: &[u8; 32]) -> Result<Self, ForgeError> {
        let key = p256::ecdsa::SigningKey::from_slice(scalar);
        key.map(|key| Self(Material::P256(key))).map_err(|_| ForgeError::NoKey("P-256"))
    }

    /// The key of P-384 with this scalar.
    ///
    /// # Errors
    /// As [`Key::p256`].
    pub fn p384(scalar: &[u8; 48]) -> Result<Self, ForgeError> {
        let key = p384::ecdsa::SigningKey::from_slice(scalar);
        key.map(|key| Self(Material::P384(key))).map_err(|_| ForgeError::NoKey("P-384"))
    }

    /// The key of RSA in a private JWK with `n`, `e`, `d`, `p` and `q` (RFC 7518 section 6.3.2).
    ///
    /// # Errors
    /// [`ForgeError::NoKey`]
    pub fn rsa(jwk: &Value) -> Result<Self, ForgeError> {
        rsa_key::of_jwk(jwk).map(|key| Self(Material::Rsa(Box::new(key))))
    }

    /// A secret, of any length.
    #[must_use]
    pub fn secret(secret: &[u8]) -> Self {
        Self(Material::Secret(secret.to_vec()))
    }

    /// Whether the key signs with this algorithm.
    #[must_use]
    pub fn is_for(&self, algorithm: AlgorithmName) -> bool {
        use AlgorithmName::{
            EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
        };
        matches!(
            (&self.0, algorithm),
            (Material::Ed25519(_), EdDsa)
                | (Material::P256(_), Es256)
                | (Material::P384(_), Es384)
                | (Material::Rsa(_), Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512)
                | (Material::Secret(_), Hs256 | Hs384 | Hs512)
        )
    }

    /// What verifies, as a JWK without `alg` and `kid`: the public half, or the secret itself, which nobody else may see.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match &self.0 {
            Material::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().to_bytes()) })
            }
            Material::P256(key) => ec_jwk("P-256", key.verifying_key().to_sec1_point(false).as_bytes()),
            Material::P384(key) => ec_jwk("P-384", key.verifying_key().to_sec1_point(false).as_bytes()),
            Material::Rsa(key) => rsa_key::jwk(key),
            Material::Secret(secret) => json!({ "kty": "oct", "k": encode(secret) }),
        }
    }

    /// The public half of a key of RSA as PEM, which some verifiers could be brought to take for a secret (RFC 8725
    /// section 2.1); `None` for other keys.
    #[must_use]
    pub fn rsa_pem(&self) -> Option<String> {
        match &self.0 {
            Material::Rsa(key) => rsa_key::pem(key),
            _ => None,
        }
    }

    /// The bytes of a secret; `None` for other keys.
    #[must_use]
    pub fn as_secret(&self) -> Option<&[u8]> {
        match &self.0 {
            Material::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// The signature of a text, in the form of a JWS.
    ///
    /// # Errors
    /// [`ForgeError::Unfit`], [`ForgeError::NotSigned`].
    pub fn sign(&self, scheme: impl Into<Scheme>, text: &[u8]) -> Result<Vec<u8>, ForgeError> {
        use AlgorithmName::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512};
        let scheme = scheme.into();
        match (&self.0, scheme.algorithm) {
            (Material::Ed25519(key), EdDsa) => Ok(key.sign(text).to_bytes().to_vec()),
            (Material::P256(key), Es256) => {
                let signature: p256::ecdsa::Signature = key.sign(text);
                Ok(signature.to_bytes().to_vec())
            }
            (Material::P384(key), Es384) => {
                let signature: p384::ecdsa::Signature = key.sign(text);
                Ok(signature.to_bytes().to_vec())
            }
            (Material::Rsa(key), _) => rsa_key::sign(key, scheme, text),
            (Material::Secret(secret), Hs256) => tag::<Sha256>(secret, text, Hs256),
            (Material::Secret(secret), Hs384) => tag::<Sha384>(secret, text, Hs384),
            (Material::Secret(secret), Hs512) => tag::<Sha512>(secret, text, Hs512),
            (_, algorithm) => Err(ForgeError::Unfit(algorithm)),
        }
    }
}

/// Says nothing.
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// `point` without compression (SEC 1 section 2.3.3): 4, then both coordinates.
fn ec_jwk(curve: &str, point: &[u8]) -> Value {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
}

fn tag<D: EagerHash>(secret: &[u8], text: &[u8], algorithm: AlgorithmName) -> Result<Vec<u8>, ForgeError>
where
    Hmac<D>: KeyInit + Mac,
{
    // HMAC takes secrets of every length.
    let mut mac = Hmac::<D>::new_from_slice(secret).map_err(|_| ForgeError::NotSigned(algorithm))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn random_bytes<const N: usize>() -> Result<[u8; N], ForgeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ForgeError::NoRandomNumbers)?;
    Ok(bytes)
}

fn by_tries(make: impl Fn() -> Result<Key, ForgeError>) -> Result<Key, ForgeError> {
    let mut made = make();
    for _ in 1..MAX_TRIES {
        if made.is_ok() {
            break;
        }
        made = make();
    }
    made
}
