//! The JWK Set (RFC 7517) as the issuer publishes it. The filter reads foreign sets by stricter code of its own.

use serde::{Deserialize, Serialize};

/// The path of the JWK Set below the issuer's address.
pub const JWK_SET_PATH: &str = "/.well-known/jwks.json";

/// A set of public verification keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys; `kid` is unique among them.
    pub keys: Vec<Jwk>,
}

/// One public key: Ed25519 in the form of RFC 8037.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The public key: 32 bytes in unpadded base64url.
    pub x: String,
    /// The key's identifier: its RFC 7638 thumbprint.
    pub kid: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub use_: String,
    /// Always `EdDSA`.
    pub alg: String,
}

impl Jwk {
    /// The JWK of an Ed25519 public key; `x` is its 32 bytes in unpadded base64url.
    #[must_use]
    pub fn ed25519(kid: String, x: String) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x,
            kid,
            use_: "sig".to_owned(),
            alg: "EdDSA".to_owned(),
        }
    }
}
