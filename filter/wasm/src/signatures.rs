//! Envoy's own verification of signatures: the foreign function `verify_signature`, there since Envoy 1.30.

use bearward_core::algorithm::AlgorithmName;
use bearward_core::signature_host::{HostSignature, SignatureHost};
use prost::Message as _;

use crate::host;

/// Envoy, asked by hostcall. Also where it has no such function, or may not be asked: then it cannot tell.
#[derive(Debug)]
pub(crate) struct Envoy;

impl SignatureHost for Envoy {
    /// A signature that does not hold is a result like any other. Everything else that goes wrong is no answer.
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        let arguments = Arguments {
            hash_function: hash_function(asked.algorithm)?.to_owned(),
            public_key: asked.public_key.to_vec(),
            signature: asked.signature.to_vec(),
            text: asked.message.to_vec(),
        };
        let answer = host::foreign_function("verify_signature", &arguments.encode_to_vec()).ok()?;
        Answer::decode(answer.as_slice()).ok().map(|answer| answer.result)
    }
}

/// `VerifySignatureArguments` of `envoy.source.extensions.common.wasm`.
#[derive(prost::Message)]
struct Arguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// `VerifySignatureResult`; its text of what went wrong is not for us.
#[derive(prost::Message)]
struct Answer {
    #[prost(bool, tag = "1")]
    result: bool,
}

/// The rest of the algorithm stands in the key: PKCS #1 v1.5 or the curve. PSS and EdDSA are not to be had.
fn hash_function(algorithm: AlgorithmName) -> Option<&'static str> {
    match algorithm {
        AlgorithmName::Rs256 | AlgorithmName::Es256 => Some("sha256"),
        AlgorithmName::Rs384 | AlgorithmName::Es384 => Some("sha384"),
        AlgorithmName::Rs512 => Some("sha512"),
        AlgorithmName::EdDsa
        | AlgorithmName::Ps256
        | AlgorithmName::Ps384
        | AlgorithmName::Ps512
        | AlgorithmName::Hs256
        | AlgorithmName::Hs384
        | AlgorithmName::Hs512 => None,
    }
}
