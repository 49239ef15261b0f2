//! Policies that no host may load, each with everything that must be said of it: `tests/vectors/refused/`.
//!
//! What is wrong with a key, or with a rule, shows when the policy is read and never at a request. So it has no case of
//! its own: one policy holds many mistakes, and every host names each of them.

use serde::Deserialize;
use serde_json::Value;

use super::file::{self, Keys};
use super::forge;

/// A policy with mistakes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedFile {
    /// The file's name, for reports.
    #[serde(skip)]
    pub name: String,
    /// What its mistakes have in common.
    pub about: String,
    /// The keys by name.
    #[serde(default)]
    pub keys: Keys,
    /// The policy, as in a file of vectors.
    policy: Value,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// What is refused, in a sentence.
    pub name: String,
    /// The clause of a standard that says so, or the part of our own documentation.
    pub clause: String,
    /// How what is said of it begins: the path of the field, and what is wrong there.
    pub says: String,
    /// Whether Envoy hands it over as it is written. Its YAML makes a text of a number with a fraction.
    #[serde(default = "file::yes")]
    pub envoy: bool,
}

impl RefusedFile {
    /// Every file of `tests/vectors/refused/`, by name.
    ///
    /// # Panics
    /// If one cannot be read.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let named = file::read_all::<Self>("tests/vectors/refused").into_iter();
        named.map(|(name, file)| Self { name, ..file }).collect()
    }

    /// The policy, with its JWKs in place.
    #[must_use]
    pub fn policy(&self) -> Value {
        forge::with_keys(&self.policy, &self.keys)
    }
}
