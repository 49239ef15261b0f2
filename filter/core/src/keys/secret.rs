//! A secret that issuer and filter share.

use super::material::Material;
use super::thumbprint::Thumbprint;
use crate::algorithm::AlgorithmName;
use crate::algorithm::hmac::{HmacSecret, SecretTooShort};

/// A shared secret, for one algorithm (RFC 8725 section 3.1).
#[derive(Clone, Debug)]
pub struct Secret {
    pub(super) material: Material,
    pub(super) thumbprint: Thumbprint,
}

/// Why a secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// It is shorter than the hash output (RFC 7518 section 3.2).
    TooShort(SecretTooShort),
    /// The algorithm takes no secret.
    NotSymmetric,
}

impl Secret {
    /// Takes a secret for `algorithm`.
    ///
    /// # Errors
    /// [`SecretError`]
    pub fn new(algorithm: AlgorithmName, secret: &[u8]) -> Result<Self, SecretError> {
        let material = match algorithm {
            AlgorithmName::Hs256 => HmacSecret::new(secret).map(Material::Hs256),
            AlgorithmName::Hs384 => HmacSecret::new(secret).map(Material::Hs384),
            AlgorithmName::Hs512 => HmacSecret::new(secret).map(Material::Hs512),
            _ => return Err(SecretError::NotSymmetric),
        };
        let material = material.map_err(SecretError::TooShort)?;
        Ok(Self { thumbprint: Thumbprint::of_secret(algorithm, secret), material })
    }
}
