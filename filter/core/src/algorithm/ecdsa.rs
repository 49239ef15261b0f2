//! ECDSA with the curves P-256 and P-384 (FIPS 186-5, RFC 7518 section 3.4).

use std::borrow::Cow;
use std::convert::Infallible;
use std::num::NonZeroUsize;

use jwt_compact::{Algorithm, AlgorithmSignature};
use p256::ecdsa::signature::Verifier;

use super::AlgorithmName;

/// The algorithm of one curve. Its hash is the one that RFC 7518 joins with the curve, and the crate's default.
macro_rules! ecdsa {
    ($algorithm:ident, $signature:ident, $name:expr, $curve:ident, $bytes:literal, $about:literal) => {
        #[doc = $about]
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $algorithm;

        /// `R || S`, each of full length and from 1 to the order of the curve less 1. Never DER.
        ///
        /// The greater of the two `S` that fit is as good as the smaller: RFC 7518 asks for neither, and half of all
        /// signers give it. So a signature has two forms, and nothing may take it for a token's identity.
        #[derive(Debug)]
        pub struct $signature(pub(crate) $curve::ecdsa::Signature);

        impl AlgorithmSignature for $signature {
            const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new($bytes);

            fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
                $curve::ecdsa::Signature::from_slice(bytes).map(Self).map_err(anyhow::Error::msg)
            }

            fn as_bytes(&self) -> Cow<'_, [u8]> {
                Cow::Owned(self.0.to_bytes().to_vec())
            }
        }

        impl Algorithm for $algorithm {
            /// Nobody signs with it here.
            type SigningKey = Infallible;
            type VerifyingKey = $curve::ecdsa::VerifyingKey;
            type Signature = $signature;

            fn name(&self) -> Cow<'static, str> {
                Cow::Borrowed($name.as_str())
            }

            fn sign(&self, key: &Infallible, _message: &[u8]) -> $signature {
                match *key {}
            }

            fn verify_signature(
                &self,
                signature: &$signature,
                key: &$curve::ecdsa::VerifyingKey,
                message: &[u8],
            ) -> bool {
                key.verify(message, &signature.0).is_ok()
            }
        }
    };
}

ecdsa!(Es256, Es256Signature, AlgorithmName::Es256, p256, 64, "The algorithm `ES256`: P-256 with SHA-256.");
ecdsa!(Es384, Es384Signature, AlgorithmName::Es384, p384, 96, "The algorithm `ES384`: P-384 with SHA-384.");
