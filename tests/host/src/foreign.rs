//! Foreign functions that Envoy has and this host can have.

mod protobuf;
mod spki;
mod verify_signature;

pub use verify_signature::verify_signature;

/// A foreign function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    VerifySignature,
}

/// Which of them are there.
#[derive(Debug)]
pub(crate) struct ForeignFunctions {
    pub(crate) verify_signature: bool,
}

impl ForeignFunctions {
    pub(crate) fn find(&self, name: &str) -> Option<Foreign> {
        match name {
            "verify_signature" if self.verify_signature => Some(Foreign::VerifySignature),
            _ => None,
        }
    }
}
