//! What holds of every policy, token and request, by chance: the decision itself, through what the core makes public.

use std::collections::BTreeSet;

use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Edit, KeyRing, Policy, Rejection, Request, Verdict};
use bearward_tests::token::{self, Key};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The time of all cases.
const NOW: u64 = 1_800_000_000;
const KEY: Key = Key::Ed25519([1; 32]);
const ROLES: [&str; 5] = ["admin", "chef", "customer", "rider", "other"];

/// A policy of one issuer with these members of the issuer, of the document and of its one policy.
fn policy_with(issuer: &Value, document: &Value, rules: &Value) -> Result<Policy, String> {
    let mut jwk = KEY.jwk();
    jwk["kid"] = json!("k1");
    let mut whole = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": "http://issuer.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk] } },
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": rules }],
        "forward": { "headers": { "x-user-id": { "from": "subject" }, "x-user-roles": { "from": "roles" } } },
    });
    for (name, value) in issuer.as_object().unwrap() {
        whole["issuers"]["own"][name] = value.clone();
    }
    for (name, value) in document.as_object().unwrap() {
        whole[name] = value.clone();
    }
    Policy::compile(&whole, &|_| None).map_err(|problems| problems.to_string())
}

fn signed(changes: &Value) -> String {
    let mut claims =
        json!({ "iss": "http://issuer.test", "sub": "u1", "aud": ["api"], "exp": NOW + 60, "iat": NOW });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    token::sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" }), &claims, &KEY)
}

fn decide<'p>(policy: &'p Policy, now: u64, headers: &[(&[u8], &[u8])]) -> Verdict<'p> {
    policy.decide(&Request::new(headers.to_vec()), &KeyRing::of(policy), now, &NoSignatureHost)
}

fn ask<'p>(policy: &'p Policy, now: u64, method: &str, path: &str, token: Option<&str>) -> Verdict<'p> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<(&[u8], &[u8])> =
        vec![(b":method", method.as_bytes()), (b":path", path.as_bytes()), (b":authority", b"api.test")];
    headers.extend(bearer.as_ref().map(|value| (&b"authorization"[..], value.as_bytes())));
    decide(policy, now, &headers)
}

fn rejection(verdict: &Verdict<'_>) -> Option<Rejection> {
    match verdict.decision {
        Decision::Reject(rejection) => Some(rejection),
        Decision::Forward(_) => None,
    }
}

/// `require` of any kind that roles alone can meet.
fn requirement() -> impl Strategy<Value = Value> {
    let roles = || prop::sample::subsequence(ROLES.to_vec(), 1..=3);
    prop_oneof![
        roles().prop_map(|roles| json!({ "any_role": roles })),
        roles().prop_map(|roles| json!({ "all_roles": roles })),
        (roles(), roles()).prop_map(|(any, all)| json!({ "any_role": any, "all_roles": all })),
    ]
}

/// What an issuer may grant.
fn grants() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        prop::sample::subsequence(ROLES.to_vec(), 1..=5)
            .prop_map(|listed| json!({ "claims": { "granted_roles": listed } })),
    ]
}

/// Every setting of `paths`.
fn path_settings() -> impl Strategy<Value = Value> {
    any::<[bool; 5]>().prop_map(|[replace, slash, parameters, letters, end]| {
        let choose = |chosen, yes: &str, no: &str| if chosen { yes.to_owned() } else { no.to_owned() };
        json!({
            "non_canonical": choose(replace, "replace", "refuse"),
            "encoded_slash": choose(slash, "keep", "refuse"),
            "parameters": choose(parameters, "keep", "refuse"),
            "letters": choose(letters, "folded", "exact"),
            "trailing_slash": choose(end, "folded", "exact"),
        })
    })
}

/// Paths out of the pieces that servers read in different ways.
fn odd_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/a", "/A", "/b", "/api", "/%61", "/%2e", "/..", "/.", "%2f", "%2F", "%5c", ";x", ";", "%20",
        "%C3%A9", "%25", "%2561", "%", "//", "/c%41d", "~", "%7e", "?", "?x=%61", "#", "\\", ".", "%00",
        "%ff",
    ]);
    prop::collection::vec(piece, 0..8)
        .prop_map(|pieces| format!("/{}", pieces.concat().trim_start_matches('/')))
}

/// Rules of which some look at no token.
fn rules() -> Value {
    json!([
        { "name": "open", "paths": ["/a/**"], "access": "public" },
        { "name": "maybe", "paths": ["/b/**"], "access": "optional" },
        { "name": "chef", "paths": ["/api/*"], "require": { "any_role": ["chef"] } },
        { "name": "rest", "paths": ["/**"] },
    ])
}

/// RFC 9110 section 11.2 and RFC 6750 section 3, as strictly as they can be read: names and values of a challenge.
fn parse_challenge(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text.strip_prefix("Bearer ")?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_value = value.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_name || !is_value {
            return None;
        }
        parameters.push((name.to_owned(), value.to_owned()));
        if after.is_empty() {
            return Some(parameters);
        }
        rest = after.strip_prefix(", ")?;
    }
}

/// Not by chance but all of them: there are few enough.
#[test]
fn every_single_bit_of_a_signed_token_counts() {
    let policy = policy_with(&json!({}), &json!({}), &rules()).unwrap();
    let good = signed(&json!({ "roles": ["chef"] }));
    assert_eq!(rejection(&ask(&policy, NOW, "GET", "/orders", Some(&good))), None);
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut value = [b"Bearer ", good.as_bytes()].concat();
            value[7 + at] ^= 1 << bit;
            let headers: [(&[u8], &[u8]); 4] = [
                (b":method", b"GET"),
                (b":path", b"/orders"),
                (b":authority", b"api.test"),
                (b"authorization", &value),
            ];
            let verdict = decide(&policy, NOW, &headers);
            assert!(rejection(&verdict).is_some(), "bit {bit} of byte {at}: {verdict:?}");
        }
    }
}

proptest! {
    #[test]
    fn one_more_role_never_turns_forward_into_reject(
        require in requirement(),
        grants in grants(),
        roles in prop::collection::vec(prop::sample::select(ROLES.to_vec()), 0..6),
        more in prop::sample::select(ROLES.to_vec()),
        at in any::<prop::sample::Index>(),
    ) {
        let rules = json!([{ "name": "r", "paths": ["/**"], "require": require }]);
        // A rule that asks for a role that nobody may grant is an error of the policy.
        let Ok(policy) = policy_with(&grants, &json!({}), &rules) else { return Ok(()) };
        let judge = |roles: &[&str]| rejection(&ask(&policy, NOW, "GET", "/x", Some(&signed(&json!({ "roles": roles })))));
        let mut longer = roles.clone();
        longer.insert(at.index(roles.len() + 1), more);
        let (before, after) = (judge(&roles), judge(&longer));
        prop_assert!(before.is_some() || after.is_none(), "{roles:?} {longer:?} {after:?}");
        prop_assert!(before.is_none_or(|why| why == Rejection::RoleMissing), "{before:?}");
    }

    #[test]
    fn once_expired_always_expired_and_once_valid_valid_until_then(
        leeway in 0..=300_u64,
        exp in prop_oneof![(NOW - 1_000..NOW + 1_000).prop_map(|exp| exp as f64), (-1_000.0..1_000.0).prop_map(|at: f64| NOW as f64 + at)],
        nbf in NOW - 1_000..NOW + 1_000,
        mut times in prop::collection::vec(NOW - 2_000..NOW + 2_000, 2..20),
    ) {
        let policy = policy_with(&json!({ "leeway_seconds": leeway }), &json!({}), &rules()).unwrap();
        let token = signed(&json!({ "exp": exp, "nbf": nbf, "iat": 0 }));
        times.sort_unstable();
        let stages: Vec<_> = times
            .iter()
            .map(|now| match rejection(&ask(&policy, *now, "GET", "/x", Some(&token))) {
                Some(Rejection::TokenNotYetValid) => 0,
                None => 1,
                Some(Rejection::TokenExpired) => 2,
                Some(other) => panic!("{other:?}"),
            })
            .collect();
        prop_assert!(stages.is_sorted(), "{stages:?} at {times:?}");
        for (now, stage) in times.iter().zip(&stages) {
            prop_assert_eq!(*stage == 2, *now >= exp.floor() as u64 + leeway, "{} {}", now, exp);
        }
    }

    #[test]
    fn a_path_that_was_made_canonical_is_canonical_and_comes_to_the_same_rule(
        paths in path_settings(),
        path in odd_path(),
        roles in prop::sample::subsequence(ROLES.to_vec(), 0..=2),
    ) {
        let policy = policy_with(&json!({}), &json!({ "paths": paths }), &rules());
        let policy = policy.unwrap_or_else(|problems| panic!("{problems}"));
        let token = signed(&json!({ "roles": roles }));
        let first = ask(&policy, NOW, "GET", &path, Some(&token));
        let Decision::Forward(edits) = &first.decision else { return Ok(()) };
        let replaced = edits.iter().find_map(|edit| edit.as_set().filter(|(name, _)| *name == ":path"));
        let replaced = replaced.map_or(path.clone(), |(_, value)| String::from_utf8(value.to_vec()).unwrap());
        let again = ask(&policy, NOW, "GET", &replaced, Some(&token));
        let Decision::Forward(edits) = &again.decision else { panic!("{replaced}: {again:?}") };
        prop_assert!(edits.iter().all(|edit| edit.as_set().is_none_or(|(name, _)| name != ":path")), "{edits:?}");
        prop_assert_eq!(first.rule, again.rule);
    }

    #[test]
    fn whatever_the_bytes_nothing_panics_and_nobody_passes_for_somebody(
        paths in path_settings(),
        path in prop_oneof![odd_path().prop_map(String::into_bytes), any::<Vec<u8>>()],
        method in prop_oneof![Just(b"GET".to_vec()), any::<Vec<u8>>()],
        headers in prop::collection::vec((prop_oneof![
            Just(b"authorization".to_vec()), Just(b"cookie".to_vec()), Just(b"origin".to_vec()),
            Just(b"x-user-id".to_vec()), Just(b":authority".to_vec()), any::<Vec<u8>>(),
        ], any::<Vec<u8>>()), 0..8),
    ) {
        let document = json!({ "paths": paths, "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "t", "allowed_origins": ["https://app.test"] },
            { "query": "t" },
        ] });
        let policy = policy_with(&json!({}), &document, &rules()).unwrap();
        let mut all: Vec<(&[u8], &[u8])> = vec![(b":method", &method), (b":path", &path), (b":authority", b"api.test")];
        all.extend(headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())));
        let verdict = decide(&policy, NOW, &all);
        if let Decision::Forward(edits) = &verdict.decision {
            prop_assert!(matches!(verdict.rule, Some(("api", "open" | "maybe"))), "{verdict:?}");
            let is_identity = |edit: &Edit| edit.as_set().is_some_and(|(name, _)| name.starts_with("x-user"));
            prop_assert!(!edits.iter().any(is_identity), "{edits:?}");
        }
    }

    #[test]
    fn a_challenge_can_be_read_in_one_way_only_whatever_a_policy_writes_into_it(
        realm in "\\PC{1,24}",
        metadata in prop_oneof![Just(None), "https://[ -~]{1,24}".prop_map(Some)],
        scope in "\\PC{1,16}",
    ) {
        let mut challenge = json!({ "realm": realm });
        if let Some(metadata) = &metadata {
            challenge["resource_metadata"] = json!(metadata);
        }
        let rules = json!([{ "name": "r", "paths": ["/**"], "require": { "claims": [{ "path": ["scope"], "contains": scope }] } }]);
        let Ok(policy) = policy_with(&json!({}), &json!({ "challenge": challenge }), &rules) else { return Ok(()) };
        let good = signed(&json!({}));
        for token in [None, Some("a.b.c"), Some(good.as_str())] {
            let verdict = ask(&policy, NOW, "GET", "/x", token);
            let response = verdict.response(rejection(&verdict).unwrap(), false);
            let values: Vec<_> = response.headers.iter().filter(|(name, _)| *name == "www-authenticate").collect();
            prop_assert_eq!(values.len(), 1);
            let parameters = parse_challenge(&values[0].1);
            let parameters = parameters.unwrap_or_else(|| panic!("{values:?}"));
            let names: BTreeSet<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(names.len(), parameters.len(), "each once");
            let value = |name: &str| parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            prop_assert_eq!(value("realm"), Some(realm.clone()));
            prop_assert_eq!(value("resource_metadata"), metadata.clone());
            prop_assert_eq!(value("error").is_some(), token.is_some());
        }
    }
}
