//! Keys that take the place of the issuers' own for as long as a test runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use bearward_core::KeyRing;
use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::KeySet;
use bearward_forge::{ForgeError, Key};
use serde_json::{Map, Value, json};

use super::file::{File, Forged, Signer, Token};
use crate::input;
use crate::policy_file::Loaded;

/// A token that is made is good for so long.
const LIFE_SECONDS: u64 = 900;
/// Claims whose value may be `now`, `now+60`, `now-60`.
const TIMES: [&str; 4] = ["exp", "nbf", "iat", "auth_time"];
/// The subject, where a case names none.
const SUBJECT: &str = "user-1";

/// Keys by what they are for, made when they are first needed: those of RSA take long.
#[derive(Default)]
pub(super) struct Keys {
    /// By the name of a variable.
    secrets: RefCell<BTreeMap<String, Key>>,
    /// By issuer and algorithm.
    pairs: RefCell<BTreeMap<(String, &'static str), Key>>,
    /// By algorithm.
    strangers: RefCell<BTreeMap<&'static str, Key>>,
}

/// What a policy says of an issuer, as it was written.
struct Described<'l> {
    name: &'l str,
    algorithms: &'l [AlgorithmName],
    document: &'l Value,
}

impl Keys {
    /// A secret in the place of that of a variable; `None` where there are no random numbers.
    pub(super) fn secret(&self, variable: &str) -> Option<Vec<u8>> {
        let mut secrets = self.secrets.borrow_mut();
        if !secrets.contains_key(variable) {
            secrets.insert(variable.to_owned(), Key::random(AlgorithmName::Hs512).ok()?);
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
            let set = KeySet::parse(&input::read(&keys)?, trusted.issuer.algorithms());
            let set = set.map_err(|problems| {
                let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
                format!("{}: cannot be used as the keys of `{name}`: {}", keys.display(), problems.join("; "))
            })?;
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
            self.make(&described, described.algorithm(forged)?).map_err(|error| error.to_string())?;
        }
        for (id, trusted) in loaded.policy.issuers() {
            let pairs = self.pairs.borrow();
            let own = pairs.iter().filter(|((issuer, _), _)| *issuer == trusted.name);
            let jwks: Vec<_> = own.map(|((_, algorithm), key)| jwk(key, algorithm)).collect();
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
        let place = (issuer.name.to_owned(), algorithm.as_str());
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
        let algorithm = issuer.algorithm(forged)?;
        let header = merged(issuer.header(algorithm), forged.header);
        let mut claims = merged(issuer.claims(now), forged.claims);
        for name in TIMES {
            if let Some(time) = claims.get(name).and_then(Value::as_str).and_then(|text| relative(text, now))
            {
                claims.insert(name.to_owned(), time.into());
            }
        }
        let key = self.signer(&issuer, algorithm, forged.signer)?;
        let (header, claims) = (Value::Object(header).to_string(), Value::Object(claims).to_string());
        bearward_forge::compact(header, claims, &key, algorithm.into()).map_err(|error| error.to_string())
    }

    fn signer(
        &self,
        issuer: &Described<'_>,
        algorithm: AlgorithmName,
        signer: Signer,
    ) -> Result<Key, String> {
        if signer == Signer::Stranger {
            let mut strangers = self.strangers.borrow_mut();
            if let Some(key) = strangers.get(algorithm.as_str()) {
                return Ok(key.clone());
            }
            let key = Key::random(algorithm).map_err(|error| error.to_string())?;
            strangers.insert(algorithm.as_str(), key.clone());
            return Ok(key);
        }
        let none = || format!("`{}` has no key for {}", issuer.name, algorithm.as_str());
        if algorithm.is_symmetric() {
            let variable =
                issuer.document.pointer("/keys/secrets_env/0").and_then(Value::as_str).ok_or_else(none)?;
            return self.secrets.borrow().get(variable).cloned().ok_or_else(none);
        }
        let place = (issuer.name.to_owned(), algorithm.as_str());
        self.pairs.borrow().get(&place).cloned().ok_or_else(none)
    }
}

/// The issuer of a token: the one that is named, or the first of the policy.
fn describe<'l>(loaded: &'l Loaded, forged: &Forged<'_>) -> Result<Described<'l>, String> {
    let mut issuers = loaded.policy.issuers().map(|(_, trusted)| trusted);
    let named = match forged.issuer {
        Some(name) => issuers.find(|trusted| trusted.name == name),
        None => first_named(loaded).and_then(|name| issuers.find(|trusted| trusted.name == name)),
    };
    let trusted = named.ok_or("the policy has no such issuer")?;
    let document = loaded.document.get("issuers").and_then(|issuers| issuers.get(&trusted.name));
    Ok(Described {
        name: &trusted.name,
        algorithms: trusted.issuer.algorithms(),
        document: document.unwrap_or(&Value::Null),
    })
}

/// The first issuer of the first policy: the names of `issuers` have no order.
fn first_named(loaded: &Loaded) -> Option<&str> {
    loaded.document.pointer("/policies/0/issuers/0").and_then(Value::as_str)
}

impl Described<'_> {
    /// What the token is signed with: `alg` of its header where the issuer has that, else the first of the issuer's.
    fn algorithm(&self, forged: &Forged<'_>) -> Result<AlgorithmName, String> {
        let named =
            forged.header.and_then(|header| header.get("alg")?.as_str()).and_then(AlgorithmName::parse);
        let own = named.filter(|name| self.algorithms.contains(name));
        own.or(self.algorithms.first().copied()).ok_or_else(|| format!("`{}` has no algorithm", self.name))
    }

    fn header(&self, algorithm: AlgorithmName) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), algorithm.as_str().into());
        if let Some(typ) = self.document.pointer("/token_types/0") {
            header.insert("typ".to_owned(), typ.clone());
        }
        if !algorithm.is_symmetric() {
            header.insert("kid".to_owned(), kid(algorithm.as_str()).into());
        }
        header
    }

    fn claims(&self, now: u64) -> Map<String, Value> {
        let mut claims = Map::new();
        if let Some(iss) = self.document.get("iss") {
            claims.insert("iss".to_owned(), iss.clone());
        }
        if let Some(audience) = self.document.pointer("/audiences/0") {
            claims.insert("aud".to_owned(), audience.clone());
        }
        claims.insert("iat".to_owned(), now.into());
        claims.insert("exp".to_owned(), now.saturating_add(LIFE_SECONDS).into());
        let path = self.document.pointer("/claims/subject").and_then(Value::as_array);
        let path: Vec<_> = path.into_iter().flatten().filter_map(Value::as_str).collect();
        match path.split_first() {
            None => claims.insert("sub".to_owned(), SUBJECT.into()),
            Some((first, rest)) => {
                let value = rest.iter().rfold(Value::from(SUBJECT), |value, name| json!({ *name: value }));
                claims.insert((*first).to_owned(), value)
            }
        };
        claims
    }
}

fn jwk(key: &Key, algorithm: &str) -> Value {
    let mut jwk = key.jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), kid(algorithm).into());
        members.insert("alg".to_owned(), algorithm.into());
    }
    jwk
}

fn kid(algorithm: &str) -> String {
    format!("thrown-away-{algorithm}")
}

/// What a case says, over what is usual; `null` takes a member away.
fn merged(mut usual: Map<String, Value>, own: Option<&Map<String, Value>>) -> Map<String, Value> {
    for (name, value) in own.into_iter().flatten() {
        if value.is_null() {
            usual.remove(name);
        } else {
            usual.insert(name.clone(), value.clone());
        }
    }
    usual
}

/// `now`, `now+60`, `now-60`
fn relative(text: &str, now: u64) -> Option<u64> {
    let offset = text.strip_prefix("now")?;
    let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    now.checked_add_signed(seconds)
}
