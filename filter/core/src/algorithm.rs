//! Signature algorithms (RFC 7518, RFC 8037) behind jwt-compact's `Algorithm` trait, over current crates.
//!
//! The trait is also the seam where a host's native cryptography can stand in.

mod eddsa;
mod hs256;

pub use eddsa::{EdDsa, EdDsaSignature};
pub use hs256::{Hs256, Hs256Secret, Hs256Signature, SecretTooShort};

/// An `alg` that an issuer's configuration may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlgorithmName {
    /// Ed25519: `EdDSA` (RFC 8037), or by its fully-specified name `Ed25519` (RFC 9864).
    EdDsa,
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256,
}

impl AlgorithmName {
    /// Every algorithm, in the order of the documentation.
    pub const ALL: &'static [Self] = &[Self::EdDsa, Self::Hs256];

    /// Reads the value of an `alg` member. Case-sensitive (RFC 7515 section 4.1.1); `none` is not one of them.
    #[must_use]
    pub fn parse(alg: &str) -> Option<Self> {
        match alg {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    /// The name in the registry of RFC 7518 section 7.1.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether whoever can verify can also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        match self {
            Self::EdDsa => false,
            Self::Hs256 => true,
        }
    }
}
