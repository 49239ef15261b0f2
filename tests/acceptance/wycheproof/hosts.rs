//! The test host's `verify_signature`, without a module around it.

use std::cell::Cell;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::signature_host::{HostSignature, SignatureHost};
use bearward_testhost::verify_signature;
use prost::Message as _;

/// As Envoy verifies, where it can.
#[derive(Debug, Default)]
pub(super) struct Envoy {
    asked: Cell<usize>,
}

impl Envoy {
    /// How many answers it gave.
    pub(super) fn asked(&self) -> usize {
        self.asked.get()
    }
}

impl SignatureHost for Envoy {
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        let hash = match asked.algorithm {
            AlgorithmName::Rs256 | AlgorithmName::Es256 => "sha256",
            AlgorithmName::Rs384 | AlgorithmName::Es384 => "sha384",
            AlgorithmName::Rs512 => "sha512",
            _ => return None,
        };
        let arguments = Arguments {
            hash_function: hash.to_owned(),
            public_key: asked.public_key.to_vec(),
            signature: asked.signature.to_vec(),
            text: asked.message.to_vec(),
        };
        self.asked.set(self.asked.get() + 1);
        let answer = verify_signature(&arguments.encode_to_vec()).expect("an answer");
        Some(Answer::decode(answer.as_slice()).expect("a message").result)
    }
}

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

#[derive(prost::Message)]
struct Answer {
    #[prost(bool, tag = "1")]
    result: bool,
}
