//! Verification keys: JWK Sets (RFC 7517) and shared secrets, read once and never per request.

mod jwk;

use std::fmt;

use bearward_protocol::bounds::{MAX_JWK_SET_BYTES, MAX_KEYS};
use ed25519_dalek::VerifyingKey;
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Map, Value};

use crate::algorithm::{AlgorithmName, EdDsa, Hs256, Hs256Secret};
use crate::json;
use crate::rejection::Rejection;

/// The keys that verify one issuer's tokens.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    skipped: usize,
}

#[derive(Clone, Debug)]
struct Key {
    name: Name,
    material: Material,
}

/// What `kid` a key answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// Exactly this `kid`.
    Is(String),
    /// A JWK without `kid`: only tokens without one.
    Absent,
    /// A secret from the environment has no `kid`; whatever the token says is ignored.
    Any,
}

/// One key, fit for exactly one algorithm (RFC 8725 section 3.1).
#[derive(Clone, Debug)]
enum Material {
    Ed25519(VerifyingKey),
    Hs256(Hs256Secret),
}

impl Material {
    const fn algorithm(&self) -> AlgorithmName {
        match self {
            Self::Ed25519(_) => AlgorithmName::EdDsa,
            Self::Hs256(_) => AlgorithmName::Hs256,
        }
    }

    fn verifies(&self, signing_input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => verifies(&EdDsa, key, signing_input, signature),
            Self::Hs256(secret) => verifies(&Hs256, secret, signing_input, signature),
        }
    }
}

fn verifies<A: Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    signing_input: &[u8],
    signature: &[u8],
) -> bool {
    A::Signature::LENGTH.is_none_or(|length| length.get() == signature.len())
        && A::Signature::try_from_slice(signature)
            .is_ok_and(|signature| algorithm.verify_signature(&signature, key, signing_input))
}

impl KeySet {
    /// Reads a JWK Set of public keys.
    ///
    /// Keys of a type, curve, algorithm or use that we do not verify with are skipped (RFC 7517 section 5).
    /// Anything else that is wrong refuses the whole set: a set that is wrong in one place was not made by who we think.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<KeySetProblem>> {
        if text.len() > MAX_JWK_SET_BYTES {
            return Err(vec![KeySetProblem::whole(format!("larger than {MAX_JWK_SET_BYTES} bytes"))]);
        }
        match json::parse_object(text) {
            Ok(members) => match Self::from_members(&members) {
                Ok(set) if set.is_empty() => Err(vec![KeySetProblem::whole("holds no key".to_owned())]),
                result => result,
            },
            Err(error) => Err(vec![KeySetProblem::whole(error.to_string())]),
        }
    }

    /// As [`KeySet::parse`], for a set that is part of a document already parsed. Such a set may be empty.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, Vec<KeySetProblem>> {
        let Some(Value::Array(entries)) = members.get("keys") else {
            return Err(vec![KeySetProblem::whole("the member `keys` must be an array".to_owned())]);
        };
        if entries.len() > MAX_KEYS {
            return Err(vec![KeySetProblem::whole(format!("more than {MAX_KEYS} keys"))]);
        }
        let mut set = Self::default();
        let mut problems = Vec::new();
        // Ordered, not hashed: seeding a hash asks the host for random numbers, and panics where there are none.
        let mut kids = std::collections::BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(kid) = entry.get("kid").and_then(Value::as_str)
                && !kids.insert(kid)
            {
                problems.push(KeySetProblem::at(index, "kid", "another key of the set has the same `kid`"));
            }
            match jwk::read(index, entry) {
                Ok(Some(key)) => set.keys.push(key),
                Ok(None) => set.skipped += 1,
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() && set.keys.is_empty() && set.skipped > 0 {
            problems.push(KeySetProblem::whole(format!(
                "none of its {} keys is of a kind that can be used here: kty OKP with crv Ed25519",
                set.skipped
            )));
        }
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// A set of shared secrets for HS256; any of them may have signed.
    #[must_use]
    pub fn from_secrets(secrets: Vec<Hs256Secret>) -> Self {
        let keys =
            secrets.into_iter().map(|secret| Key { name: Name::Any, material: Material::Hs256(secret) });
        Self { keys: keys.collect(), skipped: 0 }
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys were skipped because they are of a kind that is not used here.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Verifies a signature with the key that `kid` names; without `kid`, with the only key that fits.
    ///
    /// # Errors
    /// [`Rejection::KeyUnknown`], [`Rejection::AlgorithmNotAllowed`] where the key is for another algorithm,
    /// [`Rejection::SignatureInvalid`].
    pub(crate) fn verify(
        &self,
        kid: Option<&str>,
        algorithm: AlgorithmName,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), Rejection> {
        let named = self.keys.iter().filter(|key| match (&key.name, kid) {
            (Name::Any, _) | (_, None) => true,
            (Name::Is(name), Some(kid)) => name == kid,
            (Name::Absent, Some(_)) => false,
        });
        let mut fitting = named.clone().filter(|key| key.material.algorithm() == algorithm).peekable();
        if fitting.peek().is_none() {
            return Err(match kid {
                Some(_) if named.count() > 0 => Rejection::AlgorithmNotAllowed,
                _ => Rejection::KeyUnknown,
            });
        }
        if kid.is_none() && fitting.clone().filter(|key| key.name != Name::Any).count() > 1 {
            return Err(Rejection::KeyUnknown);
        }
        if fitting.any(|key| key.material.verifies(signing_input, signature)) {
            Ok(())
        } else {
            Err(Rejection::SignatureInvalid)
        }
    }
}

/// What is wrong with a JWK Set, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetProblem {
    /// The position in `keys`, and the member of that key.
    pub place: Option<(usize, &'static str)>,
    /// What is wrong there. Never holds key material.
    pub text: String,
}

impl KeySetProblem {
    fn whole(text: String) -> Self {
        Self { place: None, text }
    }

    fn at(index: usize, member: &'static str, text: impl Into<String>) -> Self {
        Self { place: Some((index, member)), text: text.into() }
    }
}

impl fmt::Display for KeySetProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((index, "")) => write!(formatter, "keys[{index}]: {}", self.text),
            Some((index, member)) => write!(formatter, "keys[{index}].{member}: {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests;
