//! Keys that take the place of the issuers' own for as long as a test runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bearward_core::KeyRing;
use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::KeySet;
use bearward_forge::{ForgeError, Key};
use serde_json::{Map, Value, json};

use super::file::{File, Forged, Signer, Token};
use crate::forged::{self, Described, merged};
use crate::key_set;
use crate::policy_file::Loaded;

/// Keys by what they are for, made when they are first needed: those of RSA take long.
#[derive(Default)]
pub(super) struct Keys {
    /// By the name of a variable.
    secrets: RefCell<BTreeMap<String, Key>>,
    /// By issuer and algorithm.
    pairs: RefCell<HashMap<(String, AlgorithmName), Key>>,
    /// By algorithm.
    strangers: RefCell<HashMap<AlgorithmName, Key>>,
}

impl Keys {
    /// A secret in the place of that of a variable; `None` where there are no random numbers.
    pub(super) fn secret(&self, variable: &str) -> Option<Vec<u8>> {
        let mut secrets = self.secrets.borrow_mut();
        if !secrets.contains_key(variable) {
            // In letters, as a feed's credential must be.
            let random = Key::random(AlgorithmName::Hs512).ok()?;
            let letters = bearward_core::base64url::encode(random.as_secret()?);
            secrets.insert(variable.to_owned(), Key::secret(letters.as_bytes()));
        }
        secrets.get(variable)?.as_secret().map(<[u8]>::to_vec)
    }

    /// The keys of every issuer: those that are given, or what its tokens will be signed with.
    ///
    /// # Errors
    /// What is wrong with those that are given.
    pub(super) fn ring(&self, file: &File<'_>, loaded: &Loaded, folder: &Path) -> Result<KeyRing, String> {
        let mut ring = KeyRing::of(&loaded.policy);
        for (name, keys) in &file.jwks {
            let keys = folder.join(keys);
            let found = loaded.policy.issuers().find(|(_, trusted)| trusted.name == *name);
            let (id, trusted) = found.ok_or_else(|| format!("jwks.{name}: the policy has no such issuer"))?;
            let set = key_set::read(&keys, name, trusted.issuer.algorithms())?;
            ring.set(id, set);
        }
        for case in &file.cases {
            let Some(Token::Forged(forged)) = &case.token else { continue };
            let described = describe(loaded, forged)?;
            if file.jwks.iter().any(|(name, _)| *name == described.name) {
                return Err(format!(
                    "case `{}`: the keys of `{}` are given by `jwks`, and no token can be made for them: give the token by `raw` or `file`",
                    case.name, described.name
                ));
            }
            self.make(&described, algorithm(&described, forged)?).map_err(|error| error.to_string())?;
        }
        for (id, trusted) in loaded.policy.issuers() {
            let pairs = self.pairs.borrow();
            let own = pairs.iter().filter(|((issuer, _), _)| *issuer == trusted.name);
            let jwks: Vec<_> = own
                .map(|((_, algorithm), key)| forged::jwk(key, &forged::kid(*algorithm), *algorithm))
                .collect();
            if !jwks.is_empty() {
                let set = KeySet::parse(
                    json!({ "keys": jwks }).to_string().as_bytes(),
                    trusted.issuer.algorithms(),
                );
                let set = set.map_err(|_| format!("no key for `{}` could be made", trusted.name))?;
                ring.set(id, set);
            }
        }
        Ok(ring)
    }

    fn make(&self, issuer: &Described<'_>, algorithm: AlgorithmName) -> Result<(), ForgeError> {
        let place = (issuer.name.to_owned(), algorithm);
        if !algorithm.is_symmetric() && !self.pairs.borrow().contains_key(&place) {
            let key = Key::random(algorithm)?;
            self.pairs.borrow_mut().insert(place, key);
        }
        Ok(())
    }

    /// A token as a case describes it, at the time `now`.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn token(&self, forged: &Forged<'_>, loaded: &Loaded, now: u64) -> Result<String, String> {
        let issuer = describe(loaded, forged)?;
        let algorithm = algorithm(&issuer, forged)?;
        let mut header = Map::new();
        header.insert("alg".to_owned(), algorithm.as_str().into());
        header.extend(issuer.typ().map(|typ| ("typ".to_owned(), typ.into())));
        if !algorithm.is_symmetric() {
            header.insert("kid".to_owned(), forged::kid(algorithm).into());
        }
        let header = merged(header, forged.header);
        let claims = merged(issuer.claims(now), forged.claims);
        let key = self.signer(&issuer, algorithm, forged.signer)?;
        forged::token(header, claims, now, &key, algorithm).map_err(|error| error.to_string())
    }

    fn signer(
        &self,
        issuer: &Described<'_>,
        algorithm: AlgorithmName,
        signer: Signer,
    ) -> Result<Key, String> {
        if signer == Signer::Stranger {
            let mut strangers = self.strangers.borrow_mut();
            if let Some(key) = strangers.get(&algorithm) {
                return Ok(key.clone());
            }
            let key = Key::random(algorithm).map_err(|error| error.to_string())?;
            strangers.insert(algorithm, key.clone());
            return Ok(key);
        }
        let none = || format!("`{}` has no key for {}", issuer.name, algorithm.as_str());
        if algorithm.is_symmetric() {
            let variable = issuer.secret_variable().ok_or_else(none)?;
            return self.secrets.borrow().get(variable).cloned().ok_or_else(none);
        }
        let place = (issuer.name.to_owned(), algorithm);
        self.pairs.borrow().get(&place).cloned().ok_or_else(none)
    }
}

/// The issuer of a token: the one that is named, or the first of the policy.
fn describe<'l>(loaded: &'l Loaded, forged: &Forged<'_>) -> Result<Described<'l>, String> {
    let name = forged.issuer.or_else(|| first_named(loaded));
    let issuer = name.and_then(|name| Described::find(loaded, name));
    issuer.ok_or_else(|| "the policy has no such issuer".to_owned())
}

/// The first issuer of the first policy: the names of `issuers` have no order.
fn first_named(loaded: &Loaded) -> Option<&str> {
    loaded.document.pointer("/policies/0/issuers/0").and_then(Value::as_str)
}

/// What the token is signed with: `alg` of its header where the issuer has that, else the first of the issuer's.
fn algorithm(issuer: &Described<'_>, forged: &Forged<'_>) -> Result<AlgorithmName, String> {
    let named = forged.header.and_then(|header| header.get("alg")?.as_str()).and_then(AlgorithmName::parse);
    let own = named.filter(|name| issuer.algorithms.contains(name));
    own.or(issuer.algorithms.first().copied()).ok_or_else(|| format!("`{}` has no algorithm", issuer.name))
}
