//! Keys that are thrown away, and tokens signed with them: for tests of policies, and for our own.
//!
//! What it is not for: no key here is protected from those who watch the machine, wiped from memory or stored. Nothing that
//! a real issuer signs comes from here, and the module that ships does not know this crate. The cryptography is that of
//! the crates that the filter verifies with.
//!
//! In reading order: [`Key`] what signs, [`Scheme`] how, [`compact`] what comes out.
#![forbid(unsafe_code)]

mod jws;
mod key;
mod rsa_key;

pub use jws::{compact, signing_input};
pub use key::{Key, Scheme};

use std::fmt;

use bearward_core::algorithm::AlgorithmName;

/// Why a key or a token could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeError {
    /// The operating system gave no random numbers.
    NoRandomNumbers,
    /// These bytes are no key of this kind.
    NoKey(&'static str),
    /// The key signs nothing with this algorithm.
    Unfit(AlgorithmName),
    /// The algorithm refused to sign: a salt that is longer than the key has room for.
    NotSigned(AlgorithmName),
}

impl fmt::Display for ForgeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRandomNumbers => formatter.write_str("the operating system gives no random numbers"),
            Self::NoKey(kind) => write!(formatter, "these bytes are no key of {kind}"),
            Self::Unfit(algorithm) => write!(formatter, "the key cannot sign with {}", algorithm.as_str()),
            Self::NotSigned(algorithm) => write!(formatter, "{} did not sign", algorithm.as_str()),
        }
    }
}

impl std::error::Error for ForgeError {}

#[cfg(test)]
mod tests;
