//! A deny list, as a server hands it out.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use bearward_core::decide::Means;
use bearward_core::keys::KeySet;
use bearward_core::revocations::deny_list::{
    LIST_ALGORITHMS, ListHead, ListTrust, MAX_AHEAD_SECONDS, Refused, read_saved,
};
use bearward_core::revocations::{DenyList, FeedRing};
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Rejection, json as strict};
use serde_json::{Value, json};

use crate::gate::{self, Gate, Headers};
use crate::target::Arrival;
use crate::{NOW, forge};

/// The header of a list that `k2` signs.
const HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"deny-list+jwt","kid":"k2"}"#;
const ISS: &str = "http://issuer.test";
/// `stale_after_seconds` of the policy.
const STALE_AFTER_SECONDS: u64 = 60;

/// # Panics
/// If a list is taken that is none, or denies anything else than its document says.
pub fn check(text: &[u8]) {
    let keys = keys();
    let plain = taken(text, None);
    assert_eq!(shown(&plain), shown(&taken(text, None)), "the same text twice");
    let signed = forge::sign(HEADER, text, forge::Key::K2);
    let by_signature = taken(signed.as_bytes(), Some(&keys));
    match (&plain, &by_signature) {
        (Err(one), Err(other)) => assert!(one == other || text.is_empty(), "{one:?} {other:?}"),
        (one, other) => assert_eq!(shown(one), shown(other), "plain, and signed"),
    }
    if taken(text, Some(&keys)).is_ok() {
        let by_k2 =
            forge::signed(text.trim_ascii_end()).is_some_and(|signed| signed.public == Some(x_of_k2()));
        assert!(by_k2, "nobody signed it");
    }
    if let Some(head) = ListHead::parse(text) {
        assert_eq!(head.to_bytes(), text);
    }
    assert_eq!(decide(text), expected(text, plain.is_ok()));
    if plain.is_ok() {
        let saved = read_saved(text, Some(ISS)).expect("a list that was taken");
        assert!(saved.iat <= NOW + MAX_AHEAD_SECONDS);
        // Whatever is held, what is refused changes nothing, and a later list all.
        let mut list = taken(&of(NOW + MAX_AHEAD_SECONDS, json!([{ "jti": "j1" }])), None).expect("a list");
        let is_news = list.take(text, trust(None), NOW);
        assert_eq!(is_news.is_ok(), saved.iat == NOW + MAX_AHEAD_SECONDS);
    }
}

/// As the answer of the files' cluster.
#[must_use]
pub fn arrivals(text: &[u8]) -> Vec<Arrival> {
    vec![Arrival::DenyList(text.to_vec())]
}

/// The policy of an issuer with a plain list from the cluster `files`.
pub fn gate() -> &'static Gate {
    static GATE: LazyLock<Gate> = LazyLock::new(|| {
        let document = serde_json::from_str(include_str!("../policies/listed.json")).expect("JSON");
        Gate::new(document).expect("a policy")
    });
    &GATE
}

/// A list of these entries.
#[must_use]
pub fn of(iat: u64, deny: Value) -> Vec<u8> {
    json!({ "iss": ISS, "iat": iat, "deny": deny }).to_string().into_bytes()
}

/// A request with a token that has all that a list can name.
#[must_use]
pub fn probe() -> Headers {
    let mut payload = forge::payload(&["customer"]);
    payload["jti"] = "t1".into();
    payload["sid"] = "s1".into();
    let token = forge::sign(forge::EDDSA_HEADER, payload.to_string().as_bytes(), forge::Key::K1);
    gate::with_token(gate::request("GET", b"/", "api.test"), token.as_bytes())
}

/// What becomes of [`probe`] after this answer.
///
/// # Panics
/// If the policy has no issuer.
#[must_use]
pub fn decide(text: &[u8]) -> Decision {
    static PROBE: LazyLock<Headers> = LazyLock::new(probe);
    let gate = gate();
    let mut ring = FeedRing::new();
    let (issuer, _) = gate.policy.issuers().next().expect("an issuer");
    if let Ok(list) = taken(text, None) {
        ring.set_list(issuer, Rc::new(RefCell::new(list)));
    }
    let means = Means { feeds: &ring, ..Means::new(&gate.keys, NOW) };
    gate.policy.decide_by(&gate::view(&PROBE), means).decision
}

/// The same by the document.
fn expected(text: &[u8], is_taken: bool) -> Decision {
    if !is_taken {
        return Decision::Reject(Rejection::RevocationsUnavailable);
    }
    let document = strict::parse_object(text).expect("an object without ambiguities");
    assert_eq!(document.keys().collect::<Vec<_>>(), ["deny", "iat", "iss"]);
    assert_eq!(document["iss"], ISS);
    if NOW.saturating_sub(document["iat"].as_u64().expect("a time")) > STALE_AFTER_SECONDS {
        return Decision::Reject(Rejection::RevocationsStale);
    }
    let denies = |entry: &Value| {
        let names: Vec<_> = entry.as_object().expect("an entry").keys().map(String::as_str).collect();
        match names.as_slice() {
            ["jti"] => entry["jti"] == "t1",
            ["sid"] => entry["sid"] == "s1",
            ["issued_before", "sub"] => {
                entry["sub"] == "u1" && entry["issued_before"].as_u64().expect("a time") > NOW
            }
            other => panic!("an entry of {other:?}"),
        }
    };
    let entries = document["deny"].as_array().expect("a list");
    // All of them are looked at.
    if entries.iter().map(denies).filter(|denies| *denies).count() > 0 {
        return Decision::Reject(Rejection::TokenRevoked);
    }
    decide(&of(NOW, json!([])))
}

fn keys() -> KeySet {
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k2", "x": x_of_k2() }] });
    KeySet::from_members(set.as_object().expect("an object"), LIST_ALGORITHMS).expect("a key")
}

fn x_of_k2() -> String {
    "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q".to_owned()
}

fn trust(keys: Option<&KeySet>) -> ListTrust<'_> {
    ListTrust { iss: ISS, keys, host: &NoSignatureHost }
}

fn taken(text: &[u8], keys: Option<&KeySet>) -> Result<DenyList, Refused> {
    let mut list = DenyList::new(String::new());
    list.take(text, trust(keys), NOW).map(|_| list)
}

fn shown(result: &Result<DenyList, Refused>) -> Result<(Option<u64>, usize), Refused> {
    result
        .as_ref()
        .map(|list| (list.iat(), list.entries().map_or(0, |entries| entries.len())))
        .map_err(|it| *it)
}
