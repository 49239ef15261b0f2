//! Policies and requests made for one test.

use super::*;

/// A policy with these members of the document and of its one scope, and these rules.
pub(super) fn policy_with(document: Value, scope: Value, rules: Value) -> Policy {
    let mut whole = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": rules }],
        "forward": { "headers": { "x-user-id": { "from": "subject" } } },
    });
    for (name, value) in document.as_object().unwrap() {
        whole[name] = value.clone();
    }
    for (name, value) in scope.as_object().unwrap() {
        whole["policies"][0][name] = value.clone();
    }
    Policy::compile(&whole, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(super) fn verdict<'p>(policy: &'p Policy, request: &str, headers: &[(&str, &str)]) -> Verdict<'p> {
    let (method, path) = request.split_once(' ').unwrap();
    let pseudo = [(":method", method), (":path", path), (":authority", "api.test")];
    let all = pseudo.iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    judged(policy, &Request::new(all.collect()), NOW)
}

pub(super) fn bearer(changes: Value) -> String {
    format!("Bearer {}", token(changes))
}

pub(super) fn user() -> Edit {
    Edit::tell("x-user-id", "u1")
}
