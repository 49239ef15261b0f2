mod deny_lists;
mod language;
mod made;
mod readings;
mod revocations;
mod sources;

use super::*;
use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::fixtures::signers;
use crate::fixtures::{ISS, NOW, jwk, key_set, payload, sign_hs256, token, with};
use crate::signature_host::NoSignatureHost;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn policy() -> Policy {
    let document = json!({
        "version": 1,
        "issuers": {
            "own": {
                "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
                "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
                "claims": { "granted_roles": ["admin", "customer", "rider"] },
            },
            "late": {
                "iss": "http://late.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
                "keys": { "remote": { "cluster": "late", "uri": "http://late.test/jwks" } },
                "claims": { "role_prefix": "late:" },
            },
            "tutorial": {
                "accept_missing": ["iss", "aud"], "algorithms": ["HS256"], "token_types": ["JWT"],
                "keys": { "secrets_env": ["SECRET"] },
                "claims": { "subject": ["userId"], "roles": ["role"], "role_prefix": "tutorial:" },
            },
        },
        "policies": [
            {
                "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own", "late"],
                "rules": [
                    { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                    { "name": "edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["admin", "late:chef"] } },
                    { "name": "both", "paths": ["/api/both"], "require": { "all_roles": ["admin", "rider"] } },
                    { "name": "own-only", "paths": ["/api/own"], "issuers": ["own"] },
                    { "name": "feed", "paths": ["/api/feed"], "access": "optional" },
                    { "name": "orders", "methods": ["GET", "POST"], "paths": ["/api/orders/**"] },
                ],
            },
            { "name": "deep", "hosts": ["*"], "prefix": "/api/deep", "issuers": ["own"], "rules": [{ "name": "all", "paths": ["/api/deep/**"], "access": "public" }] },
            { "name": "host", "hosts": ["*.example.com"], "prefix": "/", "issuers": ["tutorial"], "rules": [{ "name": "all", "paths": ["/**"] }] },
        ],
    });
    Policy::compile(&document, &|name| (name == "SECRET").then(|| SECRET.to_vec())).unwrap()
}

fn decide_at(
    policy: &Policy,
    now: u64,
    request: &str,
    headers: &[(&str, &[u8])],
) -> (Decision, Option<String>) {
    let (method, path) = request.split_once(' ').unwrap();
    let mut all: Vec<(&[u8], &[u8])> = vec![(b":method", method.as_bytes()), (b":path", path.as_bytes())];
    if !headers.iter().any(|(name, _)| *name == ":authority") {
        all.push((b":authority", b"localhost:8080"));
    }
    all.extend(headers.iter().map(|(name, value)| (name.as_bytes(), *value)));
    let verdict = judged(policy, &Request::new(all), now);
    let rule = verdict.rule.map(|(scope, rule)| format!("{scope}/{rule}"));
    (verdict.decision, rule)
}

/// The verdict, which an explanation comes to as well.
fn judged<'p>(policy: &'p Policy, request: &Request<'_>, now: u64) -> Verdict<'p> {
    let keys = KeyRing::of(policy);
    let means = Means {
        keys: &keys,
        host: &NoSignatureHost,
        known: None,
        feeds: &FeedRing::new(),
        now,
        subsec_ms: 0,
    };
    crate::explain::tests::must_agree(policy, request, means);
    policy.decide_by(request, means)
}

fn decide(request: &str, headers: &[(&str, &[u8])]) -> Decision {
    decide_at(&policy(), NOW, request, headers).0
}

fn with_token(request: &str, token: &str) -> Decision {
    decide(request, &[("authorization", format!("Bearer {token}").as_bytes())])
}

fn identity(user: &str, roles: &str, issuer: &str) -> Decision {
    let header = |name: &str, value: &str| Edit::tell(name, value);
    Decision::Forward(
        vec![header("x-user-id", user), header("x-user-issuer", issuer), header("x-user-roles", roles)]
            .into(),
    )
}

const ANONYMOUS: Decision = Decision::Forward(Edits::NONE);

#[test]
fn what_no_rule_names_is_refused_with_or_without_a_token() {
    for request in [
        "GET /",
        "GET /other",
        "GET /apis",
        "GET /api",
        "PUT /api/orders",
        "DELETE /api/menu",
        "GET /api/menu/1",
        "GET /API/menu",
    ] {
        assert_eq!(decide(request, &[]), Decision::Reject(Rejection::NoRule), "{request}");
        assert_eq!(
            with_token(request, &token(json!({ "roles": ["admin"] }))),
            Decision::Reject(Rejection::NoRule),
            "{request}"
        );
    }
}

#[test]
fn a_public_rule_looks_at_no_token() {
    for headers in [
        &[][..],
        &[("authorization", &b"Bearer this.is.fake"[..])],
        &[("authorization", b"Bearer \xff"), ("authorization", b"x")],
    ] {
        assert_eq!(decide("GET /api/menu", headers), ANONYMOUS);
        assert_eq!(decide("HEAD /api/menu?x=//", headers), ANONYMOUS, "GET implies HEAD");
    }
}

#[test]
fn without_credentials_a_protected_rule_answers_token_missing() {
    for headers in [&[][..], &[("authorization", &b"Basic x"[..])], &[("authorization", b"Bearer")]] {
        assert_eq!(decide("GET /api/orders", headers), Decision::Reject(Rejection::TokenMissing));
    }
}

#[test]
fn a_valid_token_is_forwarded_with_its_identity() {
    assert_eq!(with_token("GET /api/orders", &token(json!({}))), identity("u1", "customer", "own"));
    let fancy = token(json!({ "sub": "a b,c%", "roles": ["rider", "customer", "unknown"] }));
    assert_eq!(with_token("POST /api/orders/7/x", &fancy), identity("a%20b%2Cc%25", "rider,customer", "own"));
}

#[test]
fn claims_that_a_token_lacks_are_forwarded_empty_so_that_nobody_else_sets_them() {
    assert_eq!(with_token("GET /api/orders", &token(json!({ "roles": null }))), identity("u1", "", "own"));
}

#[test]
fn a_bad_token_is_refused_with_its_reason() {
    let good = token(json!({}));
    let tampered = good.replacen('.', ".e", 1);
    for (token, expected) in [
        ("this.is.fake", Rejection::TokenMalformed),
        (tampered.as_str(), Rejection::TokenMalformed),
        (&token(json!({ "exp": NOW - 100 })), Rejection::TokenExpired),
        (&token(json!({ "aud": "other" })), Rejection::AudienceMismatch),
        (&token(json!({ "iss": "http://other.test" })), Rejection::IssuerMismatch),
        (&token(json!({ "iss": "http://late.test" })), Rejection::KeysUnavailable),
        (&"x".repeat(9000), Rejection::TokenTooLarge),
    ] {
        assert_eq!(with_token("GET /api/orders", token), Decision::Reject(expected), "{token}");
    }
}

#[test]
fn an_issuer_that_the_rule_does_not_trust_is_a_mismatch_even_without_keys() {
    let late = token(json!({ "iss": "http://late.test" }));
    assert_eq!(with_token("GET /api/own", &late), Decision::Reject(Rejection::IssuerMismatch));
    assert_eq!(with_token("GET /api/own", &token(json!({}))), identity("u1", "customer", "own"));
}

#[test]
fn keys_that_come_later_open_the_gate() {
    let policy = policy();
    let mut keys = KeyRing::of(&policy);
    let late = policy.issuers().find(|(_, issuer)| issuer.name == "late").unwrap().0;
    let token = format!("Bearer {}", token(json!({ "iss": "http://late.test", "roles": ["chef", "admin"] })));
    let headers = |path| {
        vec![
            (&b":method"[..], &b"DELETE"[..]),
            (b":path", path),
            (b":authority", b""),
            (b"authorization", token.as_bytes()),
        ]
    };
    let request = Request::new(headers(b"/api/menu/1"));
    let before = policy.decide(&request, &keys, NOW, &NoSignatureHost);
    assert_eq!((before.decision, before.issuer), (Decision::Reject(Rejection::KeysUnavailable), Some(late)));
    keys.set(late, key_set());
    assert_eq!(
        policy.decide(&request, &keys, NOW, &NoSignatureHost).decision,
        identity("u1", "late:chef,late:admin", "late")
    );
}

#[test]
fn roles_decide_after_the_token() {
    let delete = |roles: Value| with_token("DELETE /api/menu/1", &token(json!({ "roles": roles })));
    assert_eq!(delete(json!(["customer"])), Decision::Reject(Rejection::RoleMissing));
    assert_eq!(delete(json!(null)), Decision::Reject(Rejection::RoleMissing));
    assert_eq!(
        delete(json!(["late:chef"])),
        Decision::Reject(Rejection::RoleMissing),
        "not this issuer's to grant"
    );
    assert_eq!(delete(json!(["customer", "admin"])), identity("u1", "customer,admin", "own"));
    let both = |roles: Value| with_token("GET /api/both", &token(json!({ "roles": roles })));
    assert_eq!(both(json!(["admin"])), Decision::Reject(Rejection::RoleMissing));
    assert_eq!(both(json!(["admin", "rider"])), identity("u1", "admin,rider", "own"));
}

#[test]
fn an_optional_token_may_be_absent_but_not_bad() {
    assert_eq!(decide("GET /api/feed", &[]), ANONYMOUS);
    assert_eq!(decide("GET /api/feed", &[("authorization", b"Basic x")]), ANONYMOUS);
    assert_eq!(with_token("GET /api/feed", &token(json!({}))), identity("u1", "customer", "own"));
    assert_eq!(with_token("GET /api/feed", "this.is.fake"), Decision::Reject(Rejection::TokenMalformed));
    assert_eq!(
        with_token("GET /api/feed", &token(json!({ "iss": "http://late.test" }))),
        Decision::Reject(Rejection::KeysUnavailable)
    );
}

#[test]
fn a_token_of_the_tutorials_kind_passes_where_a_policy_says_so() {
    let payload = json!({ "userId": "665f1c", "role": "customer", "iat": NOW, "exp": NOW + 86_400 });
    let good = format!("Bearer {}", sign_hs256(SECRET, &payload));
    let forged = format!("Bearer {}", sign_hs256(b"another secret, of enough bytes!", &payload));
    let foreign = format!("Bearer {}", sign_hs256(SECRET, &with(payload, json!({ "iss": "http://x.test" }))));
    let at = |host: &'static str, token: &str| {
        decide("GET /x", &[(":authority", host.as_bytes()), ("authorization", token.as_bytes())])
    };
    assert_eq!(at("Shop.Example.com:443", &good), identity("665f1c", "tutorial:customer", "tutorial"));
    assert_eq!(at("shop.example.com", &forged), Decision::Reject(Rejection::SignatureInvalid));
    assert_eq!(at("shop.example.com", &foreign), Decision::Reject(Rejection::IssuerMismatch));
    assert_eq!(at("example.com", &good), Decision::Reject(Rejection::NoRule));
    let elsewhere = decide("GET /api/orders", &[("authorization", good.as_bytes())]);
    assert_eq!(elsewhere, Decision::Reject(Rejection::IssuerMismatch), "only where it is trusted");
}

#[test]
fn a_key_for_one_algorithm_verifies_no_other() {
    // The public key as an HMAC secret: the oldest trick.
    let public = crate::fixtures::signing_key(1).verifying_key().to_bytes();
    let confused = sign_hs256(&public, &payload());
    assert_eq!(with_token("GET /api/orders", &confused), Decision::Reject(Rejection::AlgorithmNotAllowed));
}

#[test]
fn the_closest_policy_applies() {
    let rule = |request: &str, host: &'static str| {
        decide_at(&policy(), NOW, request, &[(":authority", host.as_bytes())]).1
    };
    assert_eq!(rule("GET /api/menu", "localhost").as_deref(), Some("api/menu"));
    assert_eq!(rule("GET /api/deep/x", "localhost").as_deref(), Some("deep/all"));
    assert_eq!(
        rule("GET /api/menu", "a.example.com").as_deref(),
        Some("host/all"),
        "a closer host goes before a longer prefix"
    );
}

#[test]
fn two_readings_of_a_request_are_refused_before_any_rule() {
    for path in [
        "/api//orders",
        "/api/menu;x",
        "/api/menu/..%2forders",
        "/api/menu/%2e%2e/orders",
        "/api/menu/../orders",
        "/api/%6denu",
    ] {
        assert_eq!(decide(&format!("GET {path}"), &[]), Decision::Reject(Rejection::PathAmbiguous), "{path}");
    }
    for request in ["GET *", "GET http://h/api/menu", "CONNECT /api/menu", " /api/menu"] {
        assert_eq!(decide(request, &[]), Decision::Reject(Rejection::RequestMalformed), "{request}");
    }
    let headers: [(&str, &[u8]); 2] = [(":authority", b"a"), (":authority", b"b")];
    assert_eq!(decide("GET /api/menu", &headers), Decision::Reject(Rejection::RequestMalformed));
    assert_eq!(
        decide("GET /api/menu", &[(":authority", b"a@b")]),
        Decision::Reject(Rejection::RequestMalformed)
    );
}

#[test]
fn a_request_without_method_or_path_is_malformed() {
    let policy = policy();
    let judge = |headers: Vec<(&'static [u8], &'static [u8])>| {
        policy.decide(&Request::new(headers), &KeyRing::of(&policy), NOW, &NoSignatureHost).decision
    };
    let malformed = Decision::Reject(Rejection::RequestMalformed);
    assert_eq!(judge(vec![]), malformed);
    assert_eq!(judge(vec![(b":method", b"GET")]), malformed);
    assert_eq!(judge(vec![(b":path", b"/api/menu")]), malformed);
    assert_eq!(
        judge(vec![(b":method", b"GET"), (b":path", b"/api/menu"), (b":path", b"/api/menu")]),
        malformed
    );
    assert_eq!(
        judge(vec![(b":method", b"GET"), (b":path", b"/api/menu")]),
        ANONYMOUS,
        "a host is not needed where every host is meant"
    );
}

#[test]
fn a_method_that_a_framework_would_turn_into_another_is_refused() {
    for method in ["delete", "Delete", "gET", "GET1", "G\u{e9}T", "P_T"] {
        let decision = decide(&format!("{method} /api/menu/1"), &[]);
        assert_eq!(decision, Decision::Reject(Rejection::RequestMalformed), "{method}");
    }
}

/// A server that folds letters may still tell `/m/` from `/m`: folding both would hide the stricter rule.

#[test]
fn a_host_with_policies_of_its_own_never_falls_back_to_those_of_every_host() {
    let policy = policy();
    let mut scopes = policy.scopes.clone();
    for scope in &mut scopes {
        if scope.name == "host" {
            scope.prefix = crate::pattern::Pattern::parse_prefix("/x").unwrap();
        }
    }
    let policy = Policy { scopes, ..policy };
    let at =
        |host: &'static str| decide_at(&policy, NOW, "GET /api/menu", &[(":authority", host.as_bytes())]).0;
    assert_eq!(at("localhost"), ANONYMOUS);
    assert_eq!(at("a.example.com"), Decision::Reject(Rejection::NoRule));
}

/// A policy whose issuer signs with this algorithm, and a token of his.
fn signed_with(algorithm: AlgorithmName) -> (Policy, String) {
    let keys = if algorithm.is_symmetric() {
        json!({ "secrets_env": ["SECRET"] })
    } else {
        json!({ "jwks": { "keys": [signers::jwk_of(algorithm)] } })
    };
    let document = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": ISS, "audiences": ["api"], "algorithms": [algorithm.as_str()], "token_types": ["at+jwt"], "keys": keys,
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "rules": [
            { "name": "all", "paths": ["/api/**"] },
        ] }],
    });
    let policy = Policy::compile(&document, &|_| Some(signers::SECRET.to_vec())).unwrap();
    let header = json!({ "alg": algorithm.as_str(), "typ": "at+jwt", "kid": "k1" });
    let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(&header), encode(&payload()));
    let signature = signers::signature(algorithm, input.as_bytes());
    (policy, format!("{input}.{}", base64url::encode(&signature)))
}

proptest! {
    #[test]
    fn no_bytes_panic_or_pass_a_protected_rule(path in any::<Vec<u8>>(), authority in any::<Vec<u8>>(), authorization in any::<Vec<u8>>()) {
        let policy = policy();
        let headers: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", &path), (b":authority", &authority), (b"authorization", &authorization)];
        let decision = policy.decide(&Request::new(headers.clone()), &KeyRing::of(&policy), NOW, &NoSignatureHost).decision;
        prop_assert!(matches!(decision, Decision::Reject(_)) || decision == ANONYMOUS);
        let protected = Request::new(vec![(b":method", b"GET"), (b":path", b"/api/orders"), headers[3]]);
        prop_assert!(matches!(policy.decide(&protected, &KeyRing::of(&policy), NOW, &NoSignatureHost).decision, Decision::Reject(_)));
    }

    #[test]
    fn no_token_shaped_text_panics(header in "[ -~]{0,80}", payload in "[ -~]{0,80}", signature in any::<Vec<u8>>()) {
        let encode = base64url::encode;
        let token = format!("{}.{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()), encode(&signature));
        prop_assert!(matches!(with_token("GET /api/orders", &token), Decision::Reject(_)));
    }

    #[test]
    fn any_changed_bit_of_a_signed_token_is_refused(position in any::<prop::sample::Index>(), bit in 0..7_u32) {
        let mut bytes = token(json!({})).into_bytes();
        let index = position.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let value = [b"Bearer ", bytes.as_slice()].concat();
        let decision = decide("GET /api/orders", &[("authorization", &value)]);
        prop_assert!(matches!(decision, Decision::Reject(_)), "{decision:?}");
    }

    #[test]
    fn any_changed_bit_of_a_token_of_any_algorithm_is_refused(
        algorithm in prop::sample::select(AlgorithmName::ALL),
        position in any::<prop::sample::Index>(),
        bit in 0..7_u32,
    ) {
        let (policy, token) = signed_with(algorithm);
        let judge = |token: &[u8]| {
            let value = [b"Bearer ", token].concat();
            decide_at(&policy, NOW, "GET /api/orders", &[("authorization", &value)]).0
        };
        prop_assert!(matches!(judge(token.as_bytes()), Decision::Forward(_)));
        let mut bytes = token.into_bytes();
        let index = position.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let decision = judge(&bytes);
        prop_assert!(matches!(decision, Decision::Reject(_)), "{decision:?}");
    }

    #[test]
    fn one_more_role_never_turns_forward_into_reject(roles in prop::collection::vec("(admin|customer|rider|other)", 0..4), more in "(admin|customer|rider|other)") {
        let forwards = |roles: &[String]| matches!(with_token("DELETE /api/menu/1", &token(json!({ "roles": roles }))), Decision::Forward(_));
        if forwards(&roles) {
            prop_assert!(forwards(&[roles.as_slice(), &[more]].concat()));
        }
    }

    #[test]
    fn once_expired_always_expired(life in 0..1_000_u64, later in 0..1_000_000_u64) {
        let policy = policy();
        let value = format!("Bearer {}", token(json!({ "exp": NOW + life })));
        let at = |now| decide_at(&policy, now, "GET /api/orders", &[("authorization", value.as_bytes())]).0;
        prop_assert_eq!(at(NOW + life + 30 + later), Decision::Reject(Rejection::TokenExpired));
        prop_assert_eq!(at(NOW + life + 29), identity("u1", "customer", "own"));
    }
}
