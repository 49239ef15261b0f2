//! The seam where a host's own cryptography may stand in for the filter's: Envoy's is native, ours
//! WebAssembly.
//!
//! What the filter asks a host has been checked by itself before: form, length and range of the signature, the key.
//! A host that cannot tell is no refusal, and none that lets anything pass: the filter then verifies by itself.

mod known;
mod proven;

pub use proven::ProvenHost;

use crate::algorithm::AlgorithmName;

/// A host that may verify signatures.
pub trait SignatureHost {
    /// Whether the signature holds; `None` where the host does not verify such ones, or failed at it.
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool>;
}

/// What a host is asked.
#[derive(Clone, Copy, Debug)]
pub struct HostSignature<'s> {
    /// The algorithm, which is that of the key.
    pub algorithm: AlgorithmName,
    /// The key: the DER of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub public_key: &'s [u8],
    /// RSA: the bytes of the token. ECDSA: the DER of an `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).
    pub signature: &'s [u8],
    /// What was signed.
    pub message: &'s [u8],
}

/// No host: the filter verifies everything by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSignatureHost;

impl SignatureHost for NoSignatureHost {
    fn verify(&self, _asked: &HostSignature<'_>) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests;
