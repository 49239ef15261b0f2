//! How often memory is allocated for a request, every one of which costs some hundred instructions.
#![allow(clippy::unwrap_used, reason = "a test as a whole")]

use std::cell::RefCell;

use bearward_core::decide::Means;
use bearward_core::{Decision, KeyRing, Policy, Request, VerifiedTokens};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;

const NOW: u64 = 1_800_000_000;

fn encoded(bytes: &[u8]) -> String {
    bearward_core::base64url::encode(bytes)
}

fn policy(key: &SigningKey) -> Policy {
    let jwk =
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": encoded(key.verifying_key().as_bytes()) });
    let document = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": "http://issuer.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk] } },
        } },
        "policies": [{
            "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"],
            "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                { "name": "orders", "paths": ["/api/orders/**"] },
            ],
        }],
    });
    Policy::parse(document.to_string().as_bytes(), &|_| None).unwrap()
}

fn token(key: &SigningKey) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k" });
    let claims =
        json!({ "iss": "http://issuer.test", "aud": "api", "sub": "u1", "exp": NOW + 60, "iat": NOW });
    let input =
        format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
    format!("{input}.{}", encoded(&key.sign(input.as_bytes()).to_bytes()))
}

#[test]
fn nothing_is_allocated_for_an_ordinary_request_also_with_a_known_token() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let policy = policy(&key);
    let keys = KeyRing::of(&policy);
    let known = RefCell::new(VerifiedTokens::new());
    let authorization = format!("Bearer {}", token(&key));
    for (path, authorization, expected) in [
        ("/api/menu", None, 0),
        ("/api/orders/1", None, 0),
        ("/api/orders/1", Some(authorization.as_bytes()), 0),
    ] {
        let mut headers: Vec<(&[u8], &[u8])> =
            vec![(b":method", b"GET"), (b":authority", b"api.test"), (b":path", path.as_bytes())];
        headers.extend(authorization.map(|value| (&b"authorization"[..], value)));
        let request = Request::new(headers);
        let decide = || policy.decide_by(&request, Means { known: Some(&known), ..Means::new(&keys, NOW) });
        let is_forwarded = matches!(decide().decision, Decision::Forward(_));
        assert_eq!(is_forwarded, path == "/api/menu" || authorization.is_some());
        // A token that comes again is moved to those in use, once.
        drop(decide());
        let counted = allocation_counter::measure(|| drop(decide()));
        assert_eq!(counted.count_total, expected, "{path}: {counted:?}");
    }
}
