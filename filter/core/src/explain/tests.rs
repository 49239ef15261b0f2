use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::base64url;
use crate::decide::KeyRing;
use crate::fixtures::{self, ISS, NOW, jwk};
use crate::revocations::FeedRing;
use crate::signature_host::NoSignatureHost;
use crate::token::UnverifiedToken;

/// What must hold of every explanation: it is the decision, and where that is a refusal, the last step is the one that did
/// not pass, and says why.
pub(crate) fn must_agree(policy: &Policy, request: &Request<'_>, means: Means<'_>) {
    let Explanation { verdict, steps } = policy.explain(request, means);
    assert_eq!(verdict, policy.decide_by(request, means));
    assert!(steps.is_sorted_by_key(|explained| explained.step) && !steps.is_empty());
    assert!(steps.windows(2).all(|two| two[0].step != two[1].step), "{steps:?}");
    let refused = verdict.rejection().is_some();
    for (index, explained) in steps.iter().enumerate() {
        let is_fault = refused && index + 1 == steps.len();
        assert_eq!(explained.ok, !is_fault, "{verdict:?} {steps:?}");
        assert_eq!(explained.notes.iter().all(|note| note.ok), !is_fault, "{verdict:?} {steps:?}");
        let is_plain = |text: &str| {
            text.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic() || letter.is_alphanumeric())
        };
        assert!(explained.notes.iter().all(|note| is_plain(&note.text)), "{steps:?}");
    }
}

fn policy() -> Policy {
    let issuer = |iss: &str| {
        json!({
            "iss": iss, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } }, "claims": { "granted_roles": ["customer", "admin"] },
        })
    };
    let document = json!({
        "version": 1,
        "issuers": { "own": issuer(ISS), "other": issuer("http://other.test") },
        "policies": [
            { "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu", "/api/menu/*"], "access": "public" },
                { "name": "edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
                { "name": "orders", "methods": ["GET"], "paths": ["/api/orders"] },
            ] },
            { "name": "shop", "hosts": ["shop.test"], "prefix": "/", "issuers": ["own"], "rules": [
                { "name": "own", "paths": ["/users/{id}/**"], "require": { "claims": [{ "path": ["sub"], "equals_param": "id" }] } },
                { "name": "rest", "paths": ["/**"] },
            ] },
        ],
    });
    Policy::compile(&document, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every step with its notes, those that speak against the request after `!`.
fn told(request: &str, host: &str, token: Option<&str>) -> Vec<String> {
    let policy = policy();
    let keys = KeyRing::of(&policy);
    let means = Means {
        keys: &keys,
        host: &NoSignatureHost,
        known: None,
        feeds: &FeedRing::new(),
        now: NOW,
        subsec_ms: 0,
    };
    let (method, path) = request.split_once(' ').unwrap();
    let pseudo = [(":method", method), (":path", path), (":authority", host)];
    let bare = Request::new(pseudo.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
    let headers = match token {
        Some(token) => policy.with_token(&bare, token.as_bytes(), means),
        None => bare.headers().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
    };
    let request =
        Request::new(headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect());
    must_agree(&policy, &request, means);
    let explanation = policy.explain(&request, means);
    let line = |explained: &Explained| {
        let notes =
            explained.notes.iter().map(|note| format!("{}{}", if note.ok { "" } else { "! " }, note.text));
        format!("{}: {}", explained.step.name(), notes.collect::<Vec<_>>().join("; "))
    };
    explanation.steps.iter().map(line).collect()
}

fn last(request: &str, host: &str, token: Option<&str>) -> String {
    told(request, host, token).pop().unwrap()
}

#[test]
fn a_refusal_for_want_of_a_role_is_told_step_by_step() {
    let steps = told(
        "DELETE /api/menu/1",
        "api.test",
        Some(&fixtures::token(json!({ "roles": ["customer", "root"] }))),
    );
    let expected = [
        "path: `/api/menu/1` is canonical: it is judged and forwarded as it stands",
        "rule: policy `shop` is for the hosts `shop.test`, and this one is `api.test`; policy `api` applies: hosts `*`, \
         paths below `/api`; rule `menu` does not match: `DELETE` is not one of `GET`; rule `edit` matches by \
         `/api/menu/*`: a valid token, and more is required",
        "credentials: a token of 297 bytes stands in the header `authorization` after `Bearer`",
        "header: three segments of base64url, header and payload are JSON objects; it says that it is of the issuer `own`, \
         whose keys must prove that; `alg` `EdDSA`: `own` signs with `EdDSA`; `typ` `at+jwt`: `own` makes tokens of type \
         `at+jwt`",
        "key: the token names the key `k1`; the keys at hand are `k1 EdDSA`",
        "signature: the signature holds",
        "claims: `iss` is `\"http://issuer.test\"`, as the signature has proved; `aud` is `[\"api\"]`: one of `api` must be \
         in it; `exp` is `1800000060`: in 60 s (and 30 s of leeway); `iat` is `1800000000`: 0 s ago; the subject is `u1`, \
         by the claim `sub`; the claim `roles` says `customer`, `root`, of which count `customer` (`granted_roles` are \
         `customer`, `admin`)",
        "revocation: nothing is known of revocations here: a token is good until it expires",
        "requirement: ! one of the roles `admin`: the token's roles are `customer`",
    ];
    assert_eq!(steps.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn why_a_path_is_ambiguous_is_named() {
    for (path, why) in [
        ("/api/a;b", "path: ! `;` begins parameters"),
        ("/api/a%2Fb", "path: ! `%2F` is an encoded slash"),
        ("/api/%2561", "path: ! `%25` is decoded twice"),
        (
            "/api/%61",
            "path: ! `%61` encodes a character that stands for itself (`paths.non_canonical: replace`",
        ),
        ("/api/a%zz", "path: ! `%zz` is no percent-encoding"),
        ("/api/a%2", "path: ! `%2` is no percent-encoding"),
        ("/api//a", "path: ! `//` holds an empty segment"),
        ("/api/..", "path: ! `..` is a step upwards"),
        ("/api/%ff", "path: ! `%ff` decodes to no UTF-8"),
        ("/api/a%3Fb", "path: ! `%3F` ends the path"),
        ("/api/%5c", "path: ! `%5c` is an encoded backslash"),
        ("/api/%00", "path: ! `%00` encodes a control character"),
        ("/api/a#b", "path: ! it holds the byte 0x23"),
        ("api", "path: ! `api` does not begin with `/`"),
    ] {
        let told = last(&format!("GET {path}"), "api.test", None);
        assert!(told.starts_with(why), "{told}");
    }
    assert!(last("delete /api/menu/1", "api.test", None).contains("capital letters"));
    assert!(last("POST /api/orders?_method=DELETE", "api.test", None).contains("names another method"));
    assert!(last("GET /api/orders", "a@b", None).contains("authority"));
}

#[test]
fn no_policy_no_rule_and_a_reading_that_is_stricter_are_told_apart() {
    assert_eq!(
        last("GET /other", "api.test", None),
        "rule: policy `api` is for paths below `/api`; policy `shop` is for the hosts `shop.test`, and this one is \
         `api.test`; ! no policy is for this host and path: what none names is refused"
    );
    let told = last("PUT /api/orders", "api.test", None);
    assert!(told.ends_with("rule `orders` does not match: `PUT` is not one of `GET`; ! no rule of `api` names `PUT` of this path: what none names is refused"), "{told}");
    let told = last("GET /Users/u1/orders", "shop.test", None);
    assert!(told.ends_with("! to a server that ignores the case of letters it comes to rule `own`, which may be stricter (a valid token, and more is required)"), "{told}");
    let told = last("GET /api/orders/", "api.test", None);
    assert!(told.contains("no rule of `api` names"), "{told}");
}

#[test]
fn a_condition_on_a_parameter_shows_both() {
    let told = last("GET /users/u2/orders", "shop.test", Some(&fixtures::token(json!({}))));
    assert_eq!(told, "requirement: ! the claim `sub` must be `{id}` of the path, here `u2`: it is `\"u1\"`");
}

#[test]
fn what_is_wrong_with_a_token_is_named_and_the_token_is_not() {
    let orders = "GET /api/orders";
    let good = fixtures::token(json!({}));
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    for (token, why) in [
        ("opaque".to_owned(), "header: ! there is no `.` in it"),
        ("eyJhbGciOiJub25lIn0.e30.A".to_owned(), "header: ! `alg` `none` is none"),
        ("a.b.c.d.e".to_owned(), "header: ! five segments: an encrypted token"),
        (format!("{unsigned}."), "header: ! the signature is empty"),
        (format!("{unsigned}.AAAA"), "signature: ! The signature of the token is invalid."),
        (format!("e30.e30.{signature}"), "header: ! `alg` of the header is missing"),
        (format!("A.e30.{signature}"), "header: ! the header is not base64url"),
        (
            fixtures::token(json!({ "iss": "http://other.test" })),
            "header: three segments of base64url, header and payload are JSON objects; ! `iss` is `http://other.test`, and this rule trusts `own (iss http://issuer.test)`; it is `other`, whom another rule trusts",
        ),
    ] {
        let told = last(orders, "api.test", Some(&token));
        assert!(told.starts_with(why), "{told}");
        assert!(token.len() < 20 || !told.contains(&token), "{told}");
    }
    let told = last(
        orders,
        "api.test",
        Some(&fixtures::token(json!({ "exp": NOW - 7300, "aud": "else", "nbf": "x" }))),
    );
    for part in
        ["! `exp` is `1799992700`: 2 h ago", "! `aud` is `\"else\"`", "! `nbf` is `\"x\"`: must be a number"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(last(orders, "api.test", None).contains("and there was none"));
}

/// Parts of tokens, right and wrong, by chance one after the other.
fn parts() -> impl Strategy<Value = String> {
    let headers = [
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "none" }),
        json!({ "alg": 7 }),
        json!({}),
        json!([]),
        json!({ "alg": "EdDSA", "crit": [] }),
        json!({ "alg": "EdDSA", "b64": false }),
        json!({ "alg": "none", "cty": "JWT" }),
        json!({ "alg": "EdDSA", "kid": "" }),
        json!({ "alg": "x", "kid": 7 }),
        json!({ "alg": "EdDSA", "typ": 7 }),
        json!({ "alg": "EdDSA", "typ": null }),
        json!({ "alg": "HS256", "kid": "k".repeat(300) }),
    ];
    let part = prop_oneof![
        prop::sample::select(headers.map(|header| base64url::encode(header.to_string().as_bytes())).to_vec()),
        "[A-Za-z0-9_.=-]{0,6}",
        Just("e30".to_owned()),
        Just(base64url::encode(br#"{"a":1,"a":2}"#)),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("."))
}

proptest! {
    #[test]
    fn what_is_said_of_the_form_of_a_token_is_what_it_is_refused_for(token in parts()) {
        let said = token::fault(token.as_bytes()).err().map(|fault| fault.rejection);
        prop_assert_eq!(said, UnverifiedToken::parse(token.as_bytes()).err());
    }
}
