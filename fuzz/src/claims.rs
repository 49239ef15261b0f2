//! The payload of a token whose signature holds.

use std::cell::RefCell;

use bearward_core::{Decision, Rejection, VerifiedTokens, json};
use bearward_protocol::bounds::{MAX_NUMERIC_DATE, MAX_ROLES};
use serde_json::{Value, json};

use crate::forge::{self, Key};
use crate::gate::{self, Gate, Headers, of};
use crate::target::Arrival;

/// What stands in a token and where it is asked for.
type Asked = (usize, &'static [u8], Key, &'static [u8], &'static str);

/// Each issuer whose keys are at hand, each condition.
const ASKED: [Asked; 16] = [
    (of::API, forge::EDDSA_HEADER, Key::K1, b"/api/orders", "api.test"),
    (of::API, forge::HS256_HEADER, Key::Secret, b"/api/orders", "a.shop.test"),
    (of::HOSTS, forge::EDDSA_HEADER, Key::K1, b"/private/", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/any/x", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/plan", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/active", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/level", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/scope/x", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/users/u1/x", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/both", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/read/7", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/feed/", "any.test"),
    (of::CLAIMS, forge::NAMELESS_HEADER, Key::K2, b"/tenants/a/t%2C1", "any.test"),
    (of::CLAIMS, forge::EDDSA_HEADER, Key::K1, b"/tags", "any.test"),
    (of::CLAIMS, forge::HS256_HEADER, Key::Secret, b"/read/7", "any.test"),
    (of::TRIAL, forge::EDDSA_HEADER, Key::K1, b"/earnest/trial/1", "any.test"),
];

/// # Panics
/// If claims are taken that say nothing, or too much, or another thing than the upstream is told.
pub fn check(payload: &[u8]) {
    let memories: [RefCell<VerifiedTokens>; gate::COUNT] = Default::default();
    for ((index, headers), asked) in requests(payload).into_iter().zip(ASKED) {
        let gate = &gate::all()[index];
        let verdict = gate.check_knowing(&memories[index], &headers);
        if verdict.issuer.is_none() {
            continue;
        }
        let identity = match &verdict.decision {
            Decision::Forward(edits) => edits.iter().any(|edit| edit.as_set().is_some()),
            Decision::Reject(_) => false,
        };
        if identity {
            check_accepted(payload);
        }
        // What no time will make good is not asked about again: every time costs a signature.
        if matches!(verdict.rejection(), None | Some(Rejection::TokenExpired | Rejection::TokenNotYetValid)) {
            gate.check_times(&memories[index], &headers);
        }
        if let (None, Some(issuer)) = (verdict.rejection(), verdict.issuer_name()) {
            check_more_roles(gate, issuer, payload, asked);
        }
    }
}

/// In tokens of each issuer whose keys are at hand.
#[must_use]
pub fn arrivals(payload: &[u8]) -> Vec<Arrival> {
    requests(payload).into_iter().map(|(gate, headers)| Arrival::Request(gate, headers)).collect()
}

fn requests(payload: &[u8]) -> Vec<(usize, Headers)> {
    let sign = |(header, key)| forge::sign(header, payload, key);
    let tokens = [
        (forge::EDDSA_HEADER, Key::K1),
        (forge::NAMELESS_HEADER, Key::K2),
        (forge::HS256_HEADER, Key::Secret),
    ]
    .map(sign);
    let request = |(gate, _, key, target, authority): Asked| {
        let [k1, k2, secret] = &tokens;
        let token = match key {
            Key::K1 => k1,
            Key::K2 => k2,
            Key::Secret => secret,
        };
        (gate, gate::with_token(gate::request("GET", target, authority), token.as_bytes()))
    };
    ASKED.map(request).into()
}

/// What is said strictly, of a time, about somebody.
fn check_accepted(payload: &[u8]) {
    let claims = json::parse_object(payload).expect("an object without ambiguities");
    let exp = claims["exp"].as_f64().expect("a number");
    assert!((0.0..=MAX_NUMERIC_DATE as f64).contains(&exp), "{exp}");
}

/// Whoever is let in is let in with one role more.
fn check_more_roles(gate: &Gate, issuer: &str, payload: &[u8], (_, header, key, target, authority): Asked) {
    let mapping = &gate.document["issuers"][issuer]["claims"];
    let path: Vec<&str> = match mapping["roles"].as_array() {
        Some(path) => path.iter().filter_map(Value::as_str).collect(),
        None => vec!["roles"],
    };
    let mut claims: Value = serde_json::from_slice(payload).expect("JSON");
    let lets_in = |claims: &Value| {
        let token = forge::sign(header, claims.to_string().as_bytes(), key);
        let request = gate::with_token(gate::request("GET", target, authority), token.as_bytes());
        gate.decide(&request).rejection().is_none()
    };
    // Written again it may say something else, by a fraction of a second.
    if claims.to_string().as_bytes() != payload && !lets_in(&claims) {
        return;
    }
    let roles = path.iter().fold(&mut claims, |claim, name| &mut claim[*name]);
    *roles = match roles.take() {
        Value::Null if mapping["role_separator"] == "space" => "admin".into(),
        Value::String(words) if mapping["role_separator"] == "space" => format!("{words} admin").into(),
        Value::Null => json!(["admin"]),
        Value::Array(roles) if roles.len() >= MAX_ROLES => return,
        Value::Array(mut roles) => {
            roles.insert(0, "admin".into());
            roles.into()
        }
        role => json!([role, "admin"]),
    };
    if roles.as_str().is_some_and(|words| words.split(' ').count() > MAX_ROLES) {
        return;
    }
    assert!(lets_in(&claims), "one role more, and refused: {claims}");
}
