//! What verifies: a key or a secret, fit for exactly one algorithm (RFC 8725 section 3.1).

use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::{Sha256, Sha384, Sha512};

use crate::algorithm::ecdsa::{Es256, Es256Signature, Es384, Es384Signature};
use crate::algorithm::eddsa::EdDsaSignature;
use crate::algorithm::eddsa::prepared::Prepared;
use crate::algorithm::hmac::{Hmac, HmacSecret};
use crate::algorithm::rsa_pkcs1::{RsaPkcs1, RsaSignature};
use crate::algorithm::rsa_pss::RsaPss;
use crate::algorithm::{AlgorithmName, EdDsa};
use crate::signature_host::{HostSignature, SignatureHost};

#[derive(Clone, Debug)]
pub(super) enum Material {
    EdDsa(ed25519_dalek::VerifyingKey),
    EdDsaPrepared(Prepared),
    Es256(ForHost<p256::ecdsa::VerifyingKey>),
    Es384(ForHost<p384::ecdsa::VerifyingKey>),
    Rs256(ForHost<rsa::PublicKey>),
    Rs384(ForHost<rsa::PublicKey>),
    Rs512(ForHost<rsa::PublicKey>),
    Ps256(rsa::PublicKey),
    Ps384(rsa::PublicKey),
    Ps512(rsa::PublicKey),
    Hs256(HmacSecret<Sha256>),
    Hs384(HmacSecret<Sha384>),
    Hs512(HmacSecret<Sha512>),
}

/// A key in the form of the filter, and in the one that a host takes.
#[derive(Clone, Debug)]
pub(super) struct ForHost<K> {
    pub(super) key: K,
    /// The DER of its `SubjectPublicKeyInfo`, made once when the key is read.
    pub(super) spki: Vec<u8>,
    /// How many bytes a signature has, which is asked of RSA alone: counted when the key is read, since an RSA key takes as long to
    /// say it as to hash a token.
    pub(super) signature_bytes: usize,
}

/// A signature to be judged.
#[derive(Clone, Copy)]
pub(super) struct Signed<'s> {
    pub(super) input: &'s [u8],
    pub(super) signature: &'s [u8],
    pub(super) host: &'s dyn SignatureHost,
}

impl Material {
    /// Computes what makes it faster, where there is such a thing.
    pub(super) fn prepare(&mut self) {
        if let Self::EdDsa(key) = self
            && let Some(prepared) = Prepared::new(key)
        {
            *self = Self::EdDsaPrepared(prepared);
        }
    }

    pub(super) const fn algorithm(&self) -> AlgorithmName {
        match self {
            Self::EdDsa(_) | Self::EdDsaPrepared(_) => AlgorithmName::EdDsa,
            Self::Es256(_) => AlgorithmName::Es256,
            Self::Es384(_) => AlgorithmName::Es384,
            Self::Rs256(_) => AlgorithmName::Rs256,
            Self::Rs384(_) => AlgorithmName::Rs384,
            Self::Rs512(_) => AlgorithmName::Rs512,
            Self::Ps256(_) => AlgorithmName::Ps256,
            Self::Ps384(_) => AlgorithmName::Ps384,
            Self::Ps512(_) => AlgorithmName::Ps512,
            Self::Hs256(_) => AlgorithmName::Hs256,
            Self::Hs384(_) => AlgorithmName::Hs384,
            Self::Hs512(_) => AlgorithmName::Hs512,
        }
    }

    pub(super) fn verifies(&self, signed: &Signed<'_>) -> bool {
        let name = self.algorithm();
        match self {
            Self::EdDsa(key) => signed.holds(&EdDsa, key),
            Self::EdDsaPrepared(key) => {
                let signature = signed.parse::<EdDsaSignature>();
                signature.is_some_and(|signature| key.verifies(signed.input, &signature.0))
            }
            Self::Es256(key) => signed.holds_by_host(&Es256, name, key, |signature: &Es256Signature| {
                signature.0.to_der().as_bytes().to_vec()
            }),
            Self::Es384(key) => signed.holds_by_host(&Es384, name, key, |signature: &Es384Signature| {
                signature.0.to_der().as_bytes().to_vec()
            }),
            Self::Rs256(key) => signed.holds_by_rsa_host(&RsaPkcs1::<Sha256>::default(), name, key),
            Self::Rs384(key) => signed.holds_by_rsa_host(&RsaPkcs1::<Sha384>::default(), name, key),
            Self::Rs512(key) => signed.holds_by_rsa_host(&RsaPkcs1::<Sha512>::default(), name, key),
            Self::Ps256(key) => signed.holds(&RsaPss::<Sha256>::default(), key),
            Self::Ps384(key) => signed.holds(&RsaPss::<Sha384>::default(), key),
            Self::Ps512(key) => signed.holds(&RsaPss::<Sha512>::default(), key),
            Self::Hs256(secret) => signed.holds(&Hmac::<Sha256>::default(), secret),
            Self::Hs384(secret) => signed.holds(&Hmac::<Sha384>::default(), secret),
            Self::Hs512(secret) => signed.holds(&Hmac::<Sha512>::default(), secret),
        }
    }
}

impl Signed<'_> {
    /// The signature, if it has the form that the algorithm demands.
    fn parse<S: AlgorithmSignature>(&self) -> Option<S> {
        S::LENGTH
            .is_none_or(|length| length.get() == self.signature.len())
            .then(|| S::try_from_slice(self.signature).ok())
            .flatten()
    }

    fn holds<A: Algorithm>(&self, algorithm: &A, key: &A::VerifyingKey) -> bool {
        self.parse().is_some_and(|signature| algorithm.verify_signature(&signature, key, self.input))
    }

    /// The host's word, where it gives one. `encode` makes the form of the signature that it takes.
    fn holds_by_host<A: Algorithm>(
        &self,
        algorithm: &A,
        name: AlgorithmName,
        key: &ForHost<A::VerifyingKey>,
        encode: impl Fn(&A::Signature) -> Vec<u8>,
    ) -> bool {
        let Some(signature) = self.parse::<A::Signature>() else { return false };
        let asked = HostSignature {
            algorithm: name,
            public_key: &key.spki,
            signature: &encode(&signature),
            message: self.input,
        };
        self.host
            .verify(&asked)
            .unwrap_or_else(|| algorithm.verify_signature(&signature, &key.key, self.input))
    }

    /// A signature that has not exactly the length of the modulus is no signature (RFC 8017 section 8.2.2), whoever
    /// verifies it.
    fn holds_by_rsa_host<A>(&self, algorithm: &A, name: AlgorithmName, key: &ForHost<rsa::PublicKey>) -> bool
    where
        A: Algorithm<VerifyingKey = rsa::PublicKey, Signature = RsaSignature>,
    {
        let asked = HostSignature {
            algorithm: name,
            public_key: &key.spki,
            signature: self.signature,
            message: self.input,
        };
        // What the host is asked about needs no form of our own.
        self.signature.len() == key.signature_bytes
            && self.host.verify(&asked).unwrap_or_else(|| self.holds(algorithm, &key.key))
    }
}
