//! A JWK Set, as an issuer answers it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::decide::Means;
use bearward_core::keys::{KeySet, KeySetProblem};
use bearward_core::{Decision, KeyRing, Rejection, VerifiedTokens, json as strict};
use bearward_protocol::bounds::{MAX_JWK_SET_BYTES, MAX_KEYS};
use serde_json::{Value, json};

use crate::forge;
use crate::gate::{self, Gate, Headers};
use crate::target::Arrival;

/// # Panics
/// If a set is taken that holds a secret or two keys of one name, or verifies for a stranger.
pub fn check(text: &[u8]) {
    let set = KeySet::parse(text, &[AlgorithmName::EdDsa]);
    match (&set, KeySet::parse(text, &[AlgorithmName::EdDsa])) {
        (Ok(one), Ok(other)) => assert_eq!((one.len(), one.skipped()), (other.len(), other.skipped())),
        (Err(one), Err(other)) => {
            assert_eq!(*one, other, "the same text twice");
            assert!(!one.is_empty(), "refused for nothing");
        }
        _ => panic!("the same text twice"),
    }
    let decision = decide(text);
    check_again(text, &decision);
    let Ok(set) = set else {
        assert_eq!(decision, Decision::Reject(Rejection::KeysUnavailable), "a refused set is no set");
        return;
    };
    assert!((1..=MAX_KEYS).contains(&(set.len() + set.skipped())) && !set.is_empty());
    let members = strict::parse_object(text).expect("an object without ambiguities");
    let keys = members["keys"].as_array().expect("an array");
    assert_eq!(keys.len(), set.len() + set.skipped());
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(keys.iter().all(|key| key.get(member).is_none()), "a secret: {member}");
    }
    let kids: Vec<&Value> = keys.iter().filter_map(|key| key.get("kid")).collect();
    let distinct: BTreeSet<String> = kids.iter().map(|kid| kid.to_string()).collect();
    assert_eq!(kids.len(), distinct.len(), "two keys of one name");
    let ours = keys.iter().any(|key| key["x"] == forge::public_k1().as_str() && key["kid"] == "k1");
    assert_eq!(matches!(decision, Decision::Forward(_)), ours && fits(keys), "{decision:?}");
}

/// As the answer of the issuer's cluster.
#[must_use]
pub fn arrivals(text: &[u8]) -> Vec<Arrival> {
    vec![Arrival::KeySet(text.to_vec())]
}

/// The policy of an issuer whose keys are fetched from the cluster `issuer`.
pub fn gate() -> &'static Gate {
    static GATE: LazyLock<Gate> = LazyLock::new(|| {
        let document = serde_json::from_str(include_str!("../policies/remote.json")).expect("JSON");
        Gate::new(document).expect("a policy")
    });
    &GATE
}

/// An answer that holds `k1`.
#[must_use]
pub fn good() -> Vec<u8> {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": forge::public_k1() });
    json!({ "keys": [key] }).to_string().into_bytes()
}

/// A request with a token that is good under `k1`.
#[must_use]
pub fn probe() -> Headers {
    let payload = forge::payload(&["customer"]).to_string();
    let token = forge::sign(forge::EDDSA_HEADER, payload.as_bytes(), forge::Key::K1);
    gate::with_token(gate::request("GET", b"/", "api.test"), token.as_bytes())
}

/// What becomes of [`probe`] after this answer of the issuer.
#[must_use]
pub fn decide(text: &[u8]) -> Decision {
    decide_with(KeySet::parse(text, &[AlgorithmName::EdDsa]), None)
}

fn decide_with(set: Result<KeySet, Vec<KeySetProblem>>, known: Option<&RefCell<VerifiedTokens>>) -> Decision {
    let gate = gate();
    let mut keys = KeyRing::of(&gate.policy);
    if let (Ok(set), Some((issuer, _))) = (set, gate.policy.issuers().next()) {
        keys.set(issuer, set);
    }
    let means = Means { known, ..Means::new(&keys, crate::NOW) };
    gate.policy.decide_by(&gate::view(&probe()), means).decision
}

/// Read twice, printed again, in another order, with a memory that is older: one verdict.
fn check_again(text: &[u8], decision: &Decision) {
    let read = || KeySet::parse(text, &[AlgorithmName::EdDsa]);
    let known = RefCell::new(VerifiedTokens::new());
    for _ in 0..2 {
        assert_eq!(decide_with(read(), Some(&known)), *decision, "a set that is read again");
    }
    let known = RefCell::new(VerifiedTokens::new());
    let good = KeySet::parse(&good(), &[AlgorithmName::EdDsa]);
    assert!(matches!(decide_with(good, Some(&known)), Decision::Forward(_)), "a good key");
    assert_eq!(decide_with(read(), Some(&known)), *decision, "what another set proved");
    let Ok(mut members) = strict::parse_object(text) else { return };
    for reverses in [false, true] {
        if let (true, Some(keys)) = (reverses, members.get_mut("keys").and_then(Value::as_array_mut)) {
            keys.reverse();
        }
        let printed = Value::Object(members.clone()).to_string();
        // What is longer than a set may be is refused.
        if printed.len() <= MAX_JWK_SET_BYTES && text.len() <= MAX_JWK_SET_BYTES {
            let set = KeySet::parse(printed.as_bytes(), &[AlgorithmName::EdDsa]);
            assert_eq!(decide_with(set, None), *decision, "printed again: {printed}");
        }
    }
}

/// Whether the key of the name `k1` is one that verifies EdDSA, by the document.
fn fits(keys: &[Value]) -> bool {
    keys.iter().filter(|key| key["kid"] == "k1").any(|key| {
        let is = |member: &str, values: &[&str]| {
            key.get(member).is_none_or(|value| value.as_str().is_some_and(|value| values.contains(&value)))
        };
        let operations = key.get("key_ops").and_then(Value::as_array);
        key["kty"] == "OKP"
            && key["crv"] == "Ed25519"
            && is("use", &["sig"])
            && is("alg", &["EdDSA", "Ed25519"])
            && operations.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
    })
}
