//! An answer of a feed of revocations, and what stands of it in shared data.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use bearward_core::decide::Means;
use bearward_core::keys::KeySet;
use bearward_core::revocations::answer::{Part, parse_keys, read_saved};
use bearward_core::revocations::chain::Head;
use bearward_core::revocations::{Answer, Feed, FeedRing, FeedTrust, Taken};
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Rejection, json as strict};
use serde_json::{Value, json};

use crate::gate::{self, Gate, Headers};
use crate::target::Arrival;
use crate::{NOW, forge};

/// The header of an answer that `k2` signs.
const HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"revocations+jwt","kid":"k2"}"#;
const ISS: &str = "http://issuer.test";
/// `stale_after_seconds` of the policy.
const STALE_AFTER_SECONDS: u64 = 60;
const X_OF_K2: &str = "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q";

/// # Panics
/// If an answer is taken that nobody signed, or whose records cannot be, or whose document says something else.
pub fn check(input: &[u8]) {
    if let Some(head) = Head::parse(input) {
        assert_eq!(head.to_bytes(), input);
    }
    let keys = keys();
    let trust = FeedTrust { iss: ISS, keys: &keys, host: &NoSignatureHost };
    if Answer::read(input, trust).is_ok() {
        assert!(forge::signed(input).is_some_and(|signed| signed.public.as_deref() == Some(X_OF_K2)));
    }
    let _ = read_saved(input, ISS);
    let signed = signed(input);
    let read = || Answer::read(signed.as_bytes(), trust);
    assert_eq!(read(), read(), "the same answer twice");
    if let Ok(answer) = read() {
        check_document(input, &answer);
        let saved = read_saved(input, ISS).expect("a payload that was taken");
        assert_eq!(saved, answer.records);
    }
    check_feed(&signed, trust);
    let _ = decide(input);
}

/// By the document: nothing is there twice, and each record has its place.
fn check_document(payload: &[u8], answer: &Answer) {
    let document = strict::parse_object(payload).expect("an object without ambiguities");
    assert_eq!((&document["iss"], &document["version"]), (&json!(ISS), &json!(1)));
    let records = document.get("records").and_then(Value::as_array).expect("records");
    assert_eq!(records.len(), answer.records.len());
    let (mut after, through) = match answer.part {
        Part::Delta { from, .. } => (from.sequence, answer.head.sequence),
        Part::Page { after, through } => (after, through),
    };
    assert!(after <= through && through <= answer.head.sequence);
    for record in records {
        let sequence = record["sequence"].as_u64().expect("a number");
        assert!(after < sequence && sequence <= through, "{record}");
        after = sequence;
    }
}

/// What is refused changes nothing; what is a whole snapshot counts once it is shared, with no time ahead of the clock.
fn check_feed(signed: &str, trust: FeedTrust<'_>) {
    let mut feed = Feed::new("p".to_owned(), STALE_AFTER_SECONDS);
    let before = feed.query(1);
    match feed.take(signed.as_bytes(), trust, None, NOW * 1_000) {
        Err(_) => assert_eq!((feed.standing(), feed.query(1), feed.records().len()), (None, before, 0)),
        Ok(Taken::Step(step)) => {
            assert!(Head::parse(&step.head()).is_some());
            assert_eq!(feed.standing(), None, "not shared yet");
            feed.commit(*step);
            assert!(feed.standing().is_some_and(|standing| standing.as_of <= NOW * 1_000));
        }
        Ok(_) => assert_eq!(feed.standing(), None),
    }
}

/// Signed, and as it is, as the answer of the issuer's cluster.
#[must_use]
pub fn arrivals(input: &[u8]) -> Vec<Arrival> {
    vec![Arrival::FeedAnswer(signed(input).into_bytes()), Arrival::FeedAnswer(input.to_vec())]
}

/// The policy of an issuer with a feed from the cluster `internal`, whose key stands in it.
pub fn gate() -> &'static Gate {
    static GATE: LazyLock<Gate> = LazyLock::new(|| {
        let document = serde_json::from_str(include_str!("../policies/followed.json")).expect("JSON");
        Gate::new(document).expect("a policy")
    });
    &GATE
}

/// A whole snapshot of these records.
#[must_use]
pub fn snapshot(records: &[Value]) -> Value {
    json!({
        "version": 1, "iss": ISS, "generation": "0123456789abcdef0123456789abcdef",
        "head": { "sequence": records.len(), "digest": "00".repeat(32) }, "as_of": NOW * 1_000,
        "after": 0, "through": records.len(), "records": records,
    })
}

/// A request with a token of the session `s1`, in version 3 of its user and in epoch 2.
#[must_use]
pub fn probe() -> Headers {
    let mut payload = forge::payload(&["customer"]);
    for (name, value) in [("sid", json!("s1")), ("user_version", json!(3)), ("epoch", json!(2))] {
        payload[name] = value;
    }
    let token = forge::sign(forge::EDDSA_HEADER, payload.to_string().as_bytes(), forge::Key::K1);
    gate::with_token(gate::request("GET", b"/", "api.test"), token.as_bytes())
}

/// What becomes of [`probe`] after this payload was signed and answered.
#[must_use]
pub fn decide(payload: &[u8]) -> Decision {
    decide_after(signed(payload).as_bytes())
}

/// The same of an answer as it came.
///
/// # Panics
/// If the policy has no issuer, or what a new feed takes may be let in before it is whole.
#[must_use]
pub fn decide_after(answer: &[u8]) -> Decision {
    static PROBE: LazyLock<Headers> = LazyLock::new(probe);
    let gate = gate();
    let keys = keys();
    let trust = FeedTrust { iss: ISS, keys: &keys, host: &NoSignatureHost };
    let mut feed = Feed::new("p".to_owned(), STALE_AFTER_SECONDS);
    let mut is_whole = false;
    if let Ok(Taken::Step(step)) = feed.take(answer, trust, None, NOW * 1_000) {
        feed.commit(*step);
        is_whole = true;
    }
    let mut ring = FeedRing::new();
    let (issuer, _) = gate.policy.issuers().next().expect("an issuer");
    ring.set(issuer, Rc::new(RefCell::new(feed)));
    let means = Means { feeds: &ring, ..Means::new(&gate.keys, NOW) };
    let decision = gate.policy.decide_by(&gate::view(&PROBE), means).decision;
    let is_unknown = decision == Decision::Reject(Rejection::RevocationsUnavailable);
    assert_eq!(is_unknown, !is_whole, "{decision:?}");
    decision
}

fn signed(payload: &[u8]) -> String {
    forge::sign(HEADER, payload, forge::Key::K2)
}

fn keys() -> KeySet {
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k2", "x": X_OF_K2 }] });
    parse_keys(set.to_string().as_bytes()).expect("a key")
}
