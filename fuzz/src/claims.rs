//! The payload of a token whose signature holds.

use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Edit, Rejection, Request, json};
use bearward_protocol::bounds::{MAX_NUMERIC_DATE, MAX_ROLE_BYTES, MAX_ROLES, MAX_SUBJECT_BYTES};

use crate::gate::{self, Gate, Headers};
use crate::target::Arrival;
use crate::{NOW, forge};

/// # Panics
/// If claims are taken that say nothing, or too much, or another thing than the upstream is told.
pub fn check(payload: &[u8]) {
    for (gate, headers) in requests(payload) {
        let gate = &gate::all()[gate];
        let decision = gate.check(&headers).decision;
        if let Decision::Forward(identity) = &decision {
            check_accepted(payload, identity);
        }
        check_times(gate, &headers, &decision);
    }
}

/// In tokens of each issuer whose keys are at hand.
#[must_use]
pub fn arrivals(payload: &[u8]) -> Vec<Arrival> {
    requests(payload).into_iter().map(|(gate, headers)| Arrival::Request(gate, headers)).collect()
}

fn requests(payload: &[u8]) -> [(usize, Headers); 3] {
    let eddsa = forge::sign(forge::EDDSA_HEADER, payload, forge::Key::K1);
    let hs256 = forge::sign(forge::HS256_HEADER, payload, forge::Key::Secret);
    let request = |target: &[u8], authority, token: &str| {
        gate::with_token(gate::request("GET", target, authority), token.as_bytes())
    };
    [
        (0, request(b"/api/orders", "api.test", &eddsa)),
        (1, request(b"/private/", "any.test", &eddsa)),
        (0, request(b"/api/orders", "a.shop.test", &hs256)),
    ]
}

fn check_accepted(payload: &[u8], edits: &[Edit]) {
    let claims = json::parse_object(payload).expect("an object without ambiguities");
    let exp = claims["exp"].as_f64().expect("a number");
    assert!((0.0..=MAX_NUMERIC_DATE as f64).contains(&exp), "{exp}");
    let value = |names: [&str; 2]| {
        let found = edits.iter().filter_map(Edit::as_set).find(|(name, _)| names.contains(name));
        std::str::from_utf8(found.expect("a header").1).expect("text")
    };
    let subject = decoded(value(["x-user-id", "x-caller"]));
    assert!((1..=MAX_SUBJECT_BYTES).contains(&subject.len()));
    let possible =
        [&claims.get("sub"), &claims.get("userId"), &claims.get("user").and_then(|user| user.get("id"))];
    let says = |claim: &&serde_json::Value| match claim.as_str() {
        Some(text) => text == subject,
        None => claim.to_string() == subject,
    };
    assert!(possible.into_iter().flatten().any(says), "no claim says {subject:?}");
    let roles: Vec<_> = value(["x-user-roles", "x-granted"])
        .split(',')
        .filter(|role| !role.is_empty())
        .map(decoded)
        .collect();
    assert!(roles.len() <= MAX_ROLES);
    // The longest prefix of an issuer of ours is `tutorial:`.
    assert!(roles.iter().all(|role| (1..=MAX_ROLE_BYTES + 9).contains(&role.len()) && !role.contains(',')));
}

/// What has expired stays so, and there is a time at which everything has.
fn check_times(gate: &Gate, headers: &Headers, decision: &Decision) {
    let at = |now| {
        let view = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        gate.policy.decide(&Request::new(view), &gate.keys, now, &NoSignatureHost).decision
    };
    if *decision == Decision::Reject(Rejection::TokenExpired) {
        assert_eq!(at(NOW + 1), *decision);
    }
    assert!(matches!(at(u64::MAX), Decision::Reject(_)), "no token is eternal");
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = after.split_at(2);
            rest = after;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).expect("ASCII"), 16).expect("digits"));
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
