//! Signatures of every algorithm, as the tokens of the tests bear them: by keys that are always the same.

use std::sync::OnceLock;

pub use bearward_forge::Scheme;

use bearward_core::algorithm::AlgorithmName;
use serde_json::Value;

use crate::token::Key;

/// The key of RFC 7515 appendix A.2, which is published whole.
const RSA: &str = include_str!("../vectors/rsa-key-of-rfc-7515.json");

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

    /// The public half as a JWK without `alg` and `kid`; of a secret, all of it.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.made().jwk()
    }

    /// The signature of a text.
    ///
    /// A key pair may be told to sign with HMAC: then its public half, as PEM, is the secret. That is the confusion of
    /// keys that RFC 8725 section 2.1 warns of.
    ///
    /// # Panics
    /// Where the key cannot sign like that.
    #[must_use]
    pub fn sign(&self, scheme: Scheme, text: &[u8]) -> Vec<u8> {
        let key = match self.made() {
            pair if scheme.algorithm.is_symmetric() && pair.as_secret().is_none() => {
                bearward_forge::Key::secret(pair.rsa_pem().expect("a key of RSA").as_bytes())
            }
            key => key,
        };
        key.sign(scheme, text).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    fn made(&self) -> bearward_forge::Key {
        match self {
            Self::Ed25519(seed) => bearward_forge::Key::ed25519(seed),
            Self::P256(scalar) => bearward_forge::Key::p256(scalar).expect("a scalar of P-256"),
            Self::P384(scalar) => bearward_forge::Key::p384(scalar).expect("a scalar of P-384"),
            Self::Rsa => rsa_key(),
            Self::Hmac(secret) => bearward_forge::Key::secret(secret),
            Self::None => panic!("there is no key"),
        }
    }
}

/// Put together once: to check it takes longer than to sign.
fn rsa_key() -> bearward_forge::Key {
    static KEY: OnceLock<bearward_forge::Key> = OnceLock::new();
    let read = || {
        let jwk = serde_json::from_str(RSA).expect("a JWK");
        bearward_forge::Key::rsa(&jwk).expect("a key")
    };
    KEY.get_or_init(read).clone()
}
