//! Verification keys: JWK Sets (RFC 7517) and shared secrets, read once and never per request.

mod jwk;
mod material;
mod secret;
mod thumbprint;

pub use secret::{Secret, SecretError};
pub use thumbprint::Thumbprint;

use std::sync::Arc;

use std::fmt;

use bearward_protocol::bounds::{MAX_JWK_SET_BYTES, MAX_KEYS};
use serde_json::{Map, Value};

use self::jwk::{Entry, Kinds};
use self::material::{Material, Signed};
use crate::algorithm::AlgorithmName;
use crate::json;
use crate::rejection::Rejection;
use crate::signature_host::SignatureHost;

/// So many keys of an issuer are [prepared](KeySet::prepare): the one that signs, and the next or the one before.
const MAX_PREPARED: usize = 2;

/// The keys that verify one issuer's tokens.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    skipped: usize,
    undecided: usize,
}

#[derive(Clone, Debug)]
struct Key {
    name: Name,
    material: Material,
    thumbprint: Thumbprint,
}

/// What `kid` a key answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// Exactly this `kid`.
    Is(Arc<str>),
    /// A JWK without `kid`: only tokens without one.
    Absent,
    /// A secret from the environment has no `kid`; whatever the token says is ignored.
    Any,
}

impl KeySet {
    /// Reads a JWK Set of public keys, for an issuer whose tokens have one of `algorithms`.
    ///
    /// Keys of a type, curve, algorithm or use that this issuer's tokens do not have are skipped (RFC 7517 section 5),
    /// and so are keys of RSA that do not say which of several algorithms they are for.
    /// Anything else that is wrong refuses the whole set: a set that is wrong in one place was not made by who we think.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn parse(text: &[u8], algorithms: &[AlgorithmName]) -> Result<Self, Vec<KeySetProblem>> {
        match Self::from_members(&members_of(text)?, algorithms) {
            Ok(set) if set.is_empty() => Err(vec![KeySetProblem::whole("holds no key".to_owned())]),
            result => result,
        }
    }

    /// As [`KeySet::parse`], for a set that is part of a document already parsed. Such a set may be empty.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn from_members(
        members: &Map<String, Value>,
        algorithms: &[AlgorithmName],
    ) -> Result<Self, Vec<KeySetProblem>> {
        match Self::collect(members, algorithms, Kinds::Public) {
            Ok(set) if set.keys.is_empty() && set.skipped > 0 => {
                Err(vec![KeySetProblem::whole(set.why_empty(algorithms))])
            }
            result => result,
        }
    }

    /// The keys for these algorithms, where there are any, of a set that is right as a whole.
    fn collect(
        members: &Map<String, Value>,
        algorithms: &[AlgorithmName],
        kinds: Kinds,
    ) -> Result<Self, Vec<KeySetProblem>> {
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
            match jwk::read(index, entry, algorithms, kinds) {
                Ok(Entry::Key(key)) => set.keys.push(*key),
                Ok(Entry::Skipped) => set.skipped += 1,
                Ok(Entry::Undecided) => {
                    set.skipped += 1;
                    set.undecided += 1;
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// A set of shared secrets; any of them may have signed.
    #[must_use]
    pub fn from_secrets(secrets: Vec<Secret>) -> Self {
        let keys = secrets.into_iter().map(|secret| Key {
            name: Name::Any,
            material: secret.material,
            thumbprint: secret.thumbprint,
        });
        Self { keys: keys.collect(), ..Self::default() }
    }

    /// The same set, ready for many signatures, as a [`KeyRing`](crate::KeyRing) keeps it.
    #[must_use]
    pub fn prepared(mut self) -> Self {
        self.prepare(None);
        self
    }

    /// Computes of the first keys of Ed25519 what makes them faster, at 220 kB for each, and a millisecond.
    /// `before`: the set that this one replaces, of which the same keys are taken over.
    pub(crate) fn prepare(&mut self, before: Option<&Self>) {
        let keys = self.keys.iter_mut().filter(|key| matches!(key.material, Material::EdDsa(_)));
        for key in keys.take(MAX_PREPARED) {
            let known =
                before.and_then(|before| before.keys.iter().find(|known| known.thumbprint == key.thumbprint));
            match known.map(|known| &known.material) {
                Some(material @ Material::EdDsaPrepared(_)) => key.material = material.clone(),
                _ => key.material.prepare(),
            }
        }
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

    /// How many of the skipped keys are of RSA, without `alg`, where several algorithms of RSA are listed.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    /// Verifies a signature with the key that `kid` names; without `kid`, with the only key that fits. `host` is asked
    /// before the filter computes by itself.
    ///
    /// # Errors
    /// [`Rejection::KeyUnknown`], [`Rejection::AlgorithmNotAllowed`] where the key is for another algorithm,
    /// [`Rejection::SignatureInvalid`].
    pub fn verify(
        &self,
        kid: Option<&str>,
        algorithm: AlgorithmName,
        signing_input: &[u8],
        signature: &[u8],
        host: &dyn SignatureHost,
    ) -> Result<(), Rejection> {
        self.prove(kid, algorithm, signing_input, signature, host).map(|_| ())
    }

    /// As [`KeySet::verify`], and says which key it was, by its thumbprint and by the name that the set has for it.
    pub(crate) fn prove(
        &self,
        kid: Option<&str>,
        algorithm: AlgorithmName,
        signing_input: &[u8],
        signature: &[u8],
        host: &dyn SignatureHost,
    ) -> Result<(Thumbprint, Option<Arc<str>>), Rejection> {
        let signed = Signed { input: signing_input, signature, host };
        let mut fitting = self.select(kid, algorithm)?;
        let key = fitting.find(|key| key.material.verifies(&signed)).ok_or(Rejection::SignatureInvalid)?;
        let name = match &key.name {
            Name::Is(name) => Some(Arc::clone(name)),
            Name::Absent | Name::Any => None,
        };
        Ok((key.thumbprint, name))
    }

    /// Whether [`KeySet::verify`] would still ask the key that a signature was verified with.
    pub(crate) fn still_selects(
        &self,
        thumbprint: &Thumbprint,
        kid: Option<&str>,
        algorithm: AlgorithmName,
    ) -> bool {
        self.select(kid, algorithm).is_ok_and(|mut fitting| fitting.any(|key| key.thumbprint == *thumbprint))
    }

    /// The keys that may have signed a token with such a header.
    fn select<'s>(
        &'s self,
        kid: Option<&'s str>,
        algorithm: AlgorithmName,
    ) -> Result<impl Iterator<Item = &'s Key>, Rejection> {
        let named = self.keys.iter().filter(move |key| match (&key.name, kid) {
            (Name::Any, _) | (_, None) => true,
            (Name::Is(name), Some(kid)) => **name == *kid,
            (Name::Absent, Some(_)) => false,
        });
        let mut fitting = named.clone().filter(move |key| key.material.algorithm() == algorithm).peekable();
        if fitting.peek().is_none() {
            return Err(match kid {
                Some(_) if named.count() > 0 => Rejection::AlgorithmNotAllowed,
                _ => Rejection::KeyUnknown,
            });
        }
        if kid.is_none() && fitting.clone().filter(|key| key.name != Name::Any).count() > 1 {
            return Err(Rejection::KeyUnknown);
        }
        Ok(fitting)
    }

    fn why_empty(&self, algorithms: &[AlgorithmName]) -> String {
        let listed: Vec<_> = algorithms.iter().map(|name| name.as_str()).collect();
        let skipped = self.skipped;
        let none = format!("none of its {skipped} keys can be used for {}", listed.join(", "));
        if self.undecided == 0 { none } else { format!("{none}: {UNDECIDED}") }
    }
}

fn members_of(text: &[u8]) -> Result<Map<String, Value>, Vec<KeySetProblem>> {
    if text.len() > MAX_JWK_SET_BYTES {
        return Err(vec![KeySetProblem::whole(format!("larger than {MAX_JWK_SET_BYTES} bytes"))]);
    }
    json::parse_object(text).map_err(|error| vec![KeySetProblem::whole(error.to_string())])
}

#[cfg(any(test, feature = "explain"))]
impl KeySet {
    /// As [`KeySet::parse`], for a set that nobody has published: secrets may be among the keys (`kty` `oct`, RFC 7518
    /// section 6.4), read as strictly. Such a set may hold no key that fits.
    ///
    /// # Errors
    /// Every problem at once. Without a [place](KeySetProblem::place), it is no JWK Set at all.
    pub fn parse_with_secrets(text: &[u8], algorithms: &[AlgorithmName]) -> Result<Self, Vec<KeySetProblem>> {
        Self::collect(&members_of(text)?, algorithms, Kinds::WithSecrets)
    }

    /// The keys, in words: what `kid` each answers to, and its algorithm.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |key: &Key| match &key.name {
            Name::Is(kid) => kid.to_string(),
            Name::Absent => "(without kid)".to_owned(),
            Name::Any => "(a shared secret)".to_owned(),
        };
        self.keys.iter().map(|key| format!("{} {}", name(key), key.material.algorithm().as_str())).collect()
    }

    pub(crate) fn has_key_for(&self, kid: Option<&str>, algorithm: AlgorithmName) -> bool {
        self.select(kid, algorithm).is_ok()
    }
}

/// What to do about [`KeySet::undecided`].
pub const UNDECIDED: &str =
    "a key of RSA without `alg` needs one, or `algorithms` may list one algorithm of RSA only";

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

    /// The path from the set on, such as `keys[0].kid`.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        self.place.map(|(index, member)| match member {
            "" => format!("keys[{index}]"),
            member => format!("keys[{index}].{member}"),
        })
    }
}

impl fmt::Display for KeySetProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(formatter, "{path}: {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests;
