use bearward_tests::client::Request;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::recorder::Recorder;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

use crate::capabilities;

/// A policy for an issuer with two keys that Envoy can verify, and one that it cannot.
fn policy() -> Value {
    let jwk = |algorithm: &str, key: &Key| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(algorithm);
        jwk["alg"] = json!(algorithm);
        jwk
    };
    let keys = [jwk("RS256", &Key::Rsa), jwk("ES256", &es256()), jwk("PS256", &Key::Rsa)];
    json!({
        "version": 1,
        "issuers": { "own": {
            "iss": "own", "audiences": ["here"], "algorithms": ["RS256", "ES256", "PS256"], "token_types": ["JWT"],
            "keys": { "jwks": { "keys": keys } },
        } },
        "policies": [{ "name": "all", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
            { "name": "all", "paths": ["/**"] },
        ] }],
    })
}

fn es256() -> Key {
    Key::P256([1; 32])
}

/// Good tokens pass and changed ones do not.
fn judges_rightly(envoy: &Proxy) {
    for (algorithm, key) in [("RS256", Key::Rsa), ("ES256", es256())] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": algorithm });
        let claims = json!({ "iss": "own", "sub": "u1", "aud": "here", "exp": token::now() + 60 });
        let good = token::sign(&header, &claims, &key);
        let forged = token::tampered(&good, |claims| claims["sub"] = json!("u2"));
        assert_eq!(Request::get("/").bearer(&good).send(envoy.url()).status, 200, "{algorithm}");
        assert_eq!(Request::get("/").bearer(&forged).send(envoy.url()).status, 401, "{algorithm}");
    }
}

#[test]
fn envoy_verifies_what_it_can() {
    let recorder = Recorder::start();
    let setup = Setup::shipped().policy(&policy());
    let envoy = setup.start_envoy(recorder.address(), recorder.address()).unwrap();
    judges_rightly(&envoy);
    let log = envoy.log();
    assert!(log.contains("signatures: ES256, RS256 by the host; PS256 by the filter"), "{log}");
}

#[test]
fn where_it_may_not_be_asked_the_filter_verifies() {
    let recorder = Recorder::start();
    // All that the check demands, and nothing else.
    let setup = capabilities::restricted_to(&capabilities::needed()).policy(&policy());
    let envoy = setup.start_envoy(recorder.address(), recorder.address()).unwrap();
    judges_rightly(&envoy);
    let log = envoy.log();
    assert!(log.contains("signatures: ES256, RS256, PS256 by the filter"), "{log}");
}
