//! Fixed policies, under which the targets judge their requests.

use std::cell::RefCell;
use std::sync::LazyLock;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::decide::Means;
use bearward_core::keys::KeySet;
use bearward_core::policy::IssuerId;
use bearward_core::problem::Problems;
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{KeyRing, Policy, Request, Verdict, VerifiedTokens};
use serde_json::Value;

use crate::document::{self, items};
use crate::{NOW, forge};

/// Names and values, as a proxy hands them over.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A policy, the document that it was made of, and the keys at hand.
#[derive(Debug)]
pub struct Gate {
    /// As JSON.
    pub document: Value,
    /// Compiled.
    pub policy: Policy,
    /// Those that stand in the document or the environment.
    pub keys: KeyRing,
    /// The same after the first key of each set has left; with sets that are empty; without any set.
    pub later_keys: [KeyRing; 3],
    /// The same policy where some or all of it observes no more.
    pub stricter: Vec<Policy>,
    /// A request for each path of each rule.
    pub places: Vec<Headers>,
}

/// What a policy is about, by the index of its gate in [`all`].
pub mod of {
    /// Several issuers, roles, public and optional rules.
    pub const API: usize = 0;
    /// Hosts, and what the readings of a path come to.
    pub const HOSTS: usize = 1;
    /// A site that is open to all but for a few paths.
    pub const OPEN: usize = 2;
    /// Conditions on claims, each way of mapping them, and claims as headers.
    pub const CLAIMS: usize = 3;
    /// Every place where a token may stand, and preflights.
    pub const PLACES: usize = 4;
    /// `mode: observe` at each level; no token goes on.
    pub const TRIAL: usize = 5;
    /// Letters and a slash at the end folded, `%2F` kept.
    pub const FOLDED: usize = 6;
    /// `%2F` and `;` kept, unreserved characters decoded; no token goes on.
    pub const KEPT: usize = 7;
}

/// How many there are in [`all`].
pub const COUNT: usize = 8;

/// The policies under which requests are judged.
pub fn all() -> &'static [Gate; COUNT] {
    static ALL: LazyLock<[Gate; COUNT]> = LazyLock::new(|| {
        [
            include_str!("../policies/api.json"),
            include_str!("../policies/hosts.json"),
            include_str!("../policies/open.json"),
            include_str!("../policies/claims.json"),
            include_str!("../policies/places.json"),
            include_str!("../policies/trial.json"),
            include_str!("../policies/folded.json"),
            include_str!("../policies/kept.json"),
        ]
        .map(|text| {
            let gate = Gate::new(serde_json::from_str(text).expect("JSON"));
            gate.unwrap_or_else(|problems| panic!("{problems}"))
        })
    });
    &ALL
}

/// What the policies find in the environment.
#[must_use]
pub fn secrets(name: &str) -> Option<Vec<u8>> {
    (name == forge::SECRET_NAME).then(|| forge::SECRET.as_bytes().to_vec())
}

/// A request of these pseudo-headers.
#[must_use]
pub fn request(method: &str, target: &[u8], authority: &str) -> Headers {
    let pseudo = [(":method", method.as_bytes()), (":path", target), (":authority", authority.as_bytes())];
    pseudo.map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).to_vec()
}

/// The same with a token.
#[must_use]
pub fn with_token(headers: Headers, token: &[u8]) -> Headers {
    with(headers, "authorization", &[b"Bearer ", token].concat())
}

/// The same with another header.
#[must_use]
pub fn with(mut headers: Headers, name: &str, value: &[u8]) -> Headers {
    headers.push((name.as_bytes().to_vec(), value.to_vec()));
    headers
}

/// As the core looks at it.
#[must_use]
pub fn view(headers: &[(Vec<u8>, Vec<u8>)]) -> Request<'_> {
    Request::new(headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect())
}

/// The decision of a policy with these keys.
#[must_use]
pub fn decide<'p>(policy: &'p Policy, keys: &KeyRing, headers: &[(Vec<u8>, Vec<u8>)]) -> Verdict<'p> {
    policy.decide(&view(headers), keys, NOW, &NoSignatureHost)
}

impl Gate {
    /// # Errors
    /// All that is wrong with the document.
    ///
    /// # Panics
    /// If the document is good and would not be where it observes less.
    pub fn new(document: Value) -> Result<Self, Problems> {
        let policy = Policy::compile(&document, &secrets)?;
        let keys = KeyRing::of(&policy);
        let stricter = document::stricter(&document);
        Ok(Self {
            later_keys: [rotated(&document, &policy, &keys), emptied(&policy), KeyRing::default()],
            stricter: stricter
                .iter()
                .map(|document| Policy::compile(document, &secrets).expect("as good as where it observes"))
                .collect(),
            places: places(&document),
            keys,
            document,
            policy,
        })
    }

    /// The decision of the core, where every token is proved anew.
    #[must_use]
    pub fn decide(&self, headers: &[(Vec<u8>, Vec<u8>)]) -> Verdict<'_> {
        decide(&self.policy, &self.keys, headers)
    }

    /// The decision of the core, which remembers tokens.
    #[must_use]
    pub fn decide_knowing(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
    ) -> Verdict<'_> {
        let means = Means { known: Some(known), ..Means::new(&self.keys, NOW) };
        self.policy.decide_by(&view(headers), means)
    }
}

/// The keys that are left when the first of each set has gone.
fn rotated(document: &Value, policy: &Policy, keys: &KeyRing) -> KeyRing {
    let mut ring = keys.clone();
    for (id, trusted) in policy.issuers() {
        let issuer = &document["issuers"][&trusted.name];
        let algorithms: Vec<_> =
            items(&issuer["algorithms"]).filter_map(|name| AlgorithmName::parse(name.as_str()?)).collect();
        let Some(mut members) = issuer["keys"]["jwks"].as_object().cloned() else { continue };
        if let Some(keys) =
            members.get_mut("keys").and_then(Value::as_array_mut).filter(|keys| !keys.is_empty())
        {
            keys.remove(0);
        }
        ring.set(id, KeySet::from_members(&members, &algorithms).unwrap_or_default());
    }
    ring
}

fn emptied(policy: &Policy) -> KeyRing {
    let mut ring = KeyRing::of(policy);
    let ids: Vec<IssuerId> = policy.issuers().map(|(id, _)| id).collect();
    ids.into_iter().for_each(|id| ring.set(id, KeySet::default()));
    ring
}

fn places(document: &Value) -> Vec<Headers> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_policy = |policy: &Value| {
        let host = policy["hosts"][0].as_str().unwrap_or_default().replace("*.", "a.");
        let host = if host == "*" { "else.test".to_owned() } else { host };
        let of_rule = |rule: &Value| {
            let method = rule["methods"][0].as_str().unwrap_or("GET").to_owned();
            items(&rule["paths"])
                .map(|path| request(&method, concrete(&text(path)).as_bytes(), &host))
                .collect::<Vec<_>>()
        };
        items(&policy["rules"]).flat_map(of_rule).collect::<Vec<Headers>>()
    };
    items(&document["policies"]).flat_map(of_policy).collect()
}

/// A path that the pattern matches.
fn concrete(pattern: &str) -> String {
    let segment = |segment: &str| match segment {
        "**" => "x".to_owned(),
        segment if segment == "*" || segment.starts_with('{') => "u1".to_owned(),
        segment => segment.to_owned(),
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}
