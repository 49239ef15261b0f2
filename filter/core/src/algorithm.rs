//! Signature algorithms (RFC 7518, RFC 8037) behind jwt-compact's `Algorithm` trait, over current crates.
//!
//! One file for each family: [`eddsa`], [`ecdsa`], [`rsa_pkcs1`], [`rsa_pss`], [`hmac`]. None of them is cryptography
//! of our own.

pub mod ecdsa;
pub mod eddsa;
pub mod hmac;
pub mod rsa_pkcs1;
pub mod rsa_pss;

pub use eddsa::{EdDsa, EdDsaSignature};

use sha2::{Sha256, Sha384, Sha512};

/// An `alg` that an issuer's configuration may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlgorithmName {
    /// Ed25519: `EdDSA` (RFC 8037), or by its fully-specified name `Ed25519` (RFC 9864).
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// ECDSA with P-384 and SHA-384 (RFC 7518 section 3.4).
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256 (RFC 7518 section 3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512.
    Ps512,
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl AlgorithmName {
    /// Every algorithm, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// Another name that RFC 9864 gives to [`AlgorithmName::EdDsa`].
    pub(crate) const ED25519: &'static str = "Ed25519";

    /// Reads the value of an `alg` member. Case-sensitive (RFC 7515 section 4.1.1); `none` is not one of them.
    #[must_use]
    pub fn parse(alg: &str) -> Option<Self> {
        if alg == Self::ED25519 {
            return Some(Self::EdDsa);
        }
        Self::ALL.iter().copied().find(|name| name.as_str() == alg)
    }

    /// The name in the registry of RFC 7518 section 7.1.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether whoever can verify can also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// A hash of SHA-2, and the algorithms that JOSE builds on it.
pub trait JoseHash {
    /// HMAC with it.
    const HS: AlgorithmName;
    /// RSASSA-PKCS1-v1_5 with it.
    const RS: AlgorithmName;
    /// RSASSA-PSS with it.
    const PS: AlgorithmName;
}

impl JoseHash for Sha256 {
    const HS: AlgorithmName = AlgorithmName::Hs256;
    const RS: AlgorithmName = AlgorithmName::Rs256;
    const PS: AlgorithmName = AlgorithmName::Ps256;
}

impl JoseHash for Sha384 {
    const HS: AlgorithmName = AlgorithmName::Hs384;
    const RS: AlgorithmName = AlgorithmName::Rs384;
    const PS: AlgorithmName = AlgorithmName::Ps384;
}

impl JoseHash for Sha512 {
    const HS: AlgorithmName = AlgorithmName::Hs512;
    const RS: AlgorithmName = AlgorithmName::Rs512;
    const PS: AlgorithmName = AlgorithmName::Ps512;
}

#[cfg(test)]
mod tests;
