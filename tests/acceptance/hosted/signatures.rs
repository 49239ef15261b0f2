//! Who verifies signatures: the host where it can, else the filter; and the verdict is the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use bearward_core::algorithm::AlgorithmName;
use bearward_testhost::{Fault, Plugin, Request, Status, World};
use bearward_tests::signing::Scheme;
use bearward_tests::token::{Key, sign_text_with};
use serde_json::{Value, json};

use crate::hosted::gate::{self, KEYS_FETCHED, NOW};

const FOREIGN: &str = "proxy_call_foreign_function";

/// The algorithms that Envoy's function verifies, and PSS, which it does not, each with a key of ours.
fn signers() -> [(AlgorithmName, Key); 6] {
    [
        (AlgorithmName::Es256, Key::P256([1; 32])),
        (AlgorithmName::Es384, Key::P384([1; 48])),
        (AlgorithmName::Rs256, Key::Rsa),
        (AlgorithmName::Rs384, Key::Rsa),
        (AlgorithmName::Rs512, Key::Rsa),
        (AlgorithmName::Ps256, Key::Rsa),
    ]
}

/// The gate's policy for an issuer with all these keys.
fn policy() -> Value {
    let signers = signers();
    let jwk = |(name, key): &(AlgorithmName, Key)| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(name.as_str());
        jwk["alg"] = json!(name.as_str());
        jwk
    };
    let mut policy = gate::policy();
    policy["issuers"]["bearward"]["algorithms"] = signers.iter().map(|(name, _)| name.as_str()).collect();
    policy["issuers"]["bearward"]["keys"] =
        json!({ "jwks": { "keys": signers.iter().map(jwk).collect::<Vec<_>>() } });
    policy
}

/// No two tokens are the same: one that was verified is not verified again.
fn order(name: AlgorithmName, key: &Key, forged: bool) -> Request {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let claims = json!({
        "iss": "http://issuer.example.com", "sub": "user-1", "aud": "restaurant", "exp": NOW + 900, "iat": NOW,
        "roles": ["customer"], "jti": format!("jti-{number}")
    });
    let header = json!({ "alg": name.as_str(), "typ": "at+jwt", "kid": name.as_str() });
    let scheme = Scheme { algorithm: name, salt_bytes: None };
    let token = sign_text_with(&header.to_string(), &claims.to_string(), key, Some(scheme));
    let mut letters = token.into_bytes();
    if forged {
        let at = letters.len() - 10;
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
    }
    Request::get("/api/orders/1").bearer(&String::from_utf8(letters).unwrap())
}

/// Good tokens of each algorithm pass, forged ones do not. How many times the host was asked.
fn judges_rightly(world: &mut World) -> usize {
    world.advance(KEYS_FETCHED);
    world.record_hostcalls();
    for (name, key) in signers() {
        assert_eq!(world.request(order(name, &key, false)).status(), Some(200), "{}", name.as_str());
        let forged = world.request(order(name, &key, true));
        assert_eq!(forged.local_response().details, "bearward.signature_invalid", "{}", name.as_str());
    }
    world.hostcalls().iter().filter(|call| call.name == FOREIGN).count()
}

fn said(world: &World) -> Vec<String> {
    let log = world.log();
    let lines = log.iter().map(|line| line.text.clone()).filter(|line| line.contains("signatures:"));
    lines.collect()
}

fn plugin() -> Plugin {
    gate::plugin(&policy())
}

#[test]
fn the_host_verifies_what_it_can_and_the_log_says_so() {
    let mut world = gate::world().plugin(plugin()).start().unwrap();
    assert_eq!(judges_rightly(&mut world), 10, "two tokens of each of five algorithms");
    let said = said(&world);
    assert!(
        said.iter().all(|line| line
            .ends_with("signatures: ES256, ES384, RS256, RS384, RS512 by the host; PS256 by the filter")),
        "{said:?}"
    );
    assert!(!said.is_empty());
}

#[test]
fn without_the_function_the_filter_verifies_everything_itself() {
    let own = "signatures: ES256, ES384, RS256, RS384, RS512, PS256 by the filter";
    for (world, about) in [
        (gate::world().plugin(plugin()).without_verify_signature(), "an old Envoy"),
        (gate::world().plugin(plugin().withhold(FOREIGN)), "a capability that is withheld"),
    ] {
        let mut world = world.start().unwrap();
        assert_eq!(judges_rightly(&mut world), 0, "{about}");
        let said = said(&world);
        assert!(!said.is_empty() && said.iter().all(|line| line.ends_with(own)), "{about}: {said:?}");
    }
}

#[test]
fn a_policy_that_needs_nothing_of_the_host_says_so() {
    let world = gate::world().plugin(gate::plugin(&gate::policy())).start().unwrap();
    let said = said(&world);
    assert!(said.iter().all(|line| line.ends_with("signatures: EdDSA by the filter")), "{said:?}");
}

#[test]
fn where_the_host_fails_at_a_request_the_filter_verifies_that_one_itself() {
    for status in [Status::InternalFailure, Status::NotFound, Status::BadArgument, Status::ParseFailure] {
        let mut world = gate::world().plugin(plugin()).start().unwrap();
        world.advance(KEYS_FETCHED);
        for (name, key) in signers().into_iter().filter(|(name, _)| *name != AlgorithmName::Ps256) {
            for (forged, expected) in [(false, 200), (true, 401)] {
                world.inject(Fault::nth_of(FOREIGN, 0, status.code()));
                let outcome = world.request(order(name, &key, forged));
                assert_eq!(outcome.status(), Some(expected), "{} {status:?}: {outcome:#?}", name.as_str());
                assert_eq!(world.disarm(), 0, "the host was asked, and failed");
            }
        }
        assert_eq!(judges_rightly(&mut world), 10, "it is asked again");
    }
}
