use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::algorithm::AlgorithmName;
use crate::decide::{KeyRing, Means};
use crate::fixtures::{ISS, NOW, jwk, sign, token, with};
use crate::keys::KeySet;
use crate::policy::Policy;
use crate::request::Request;
use crate::revocations::FeedRing;
use crate::signature_host::NoSignatureHost;

/// Two issuers, and rules that trust the one, the other, and both; one asks for a role.
fn policy() -> Policy {
    let issuer = |iss: &str, cluster: &str, prefix: &str| {
        json!({
            "iss": iss, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"], "leeway_seconds": 0,
            "keys": { "remote": { "cluster": cluster, "uri": "http://issuer.test/jwks" } },
            "claims": { "role_prefix": prefix },
        })
    };
    let document = json!({
        "version": 1,
        "issuers": { "own": issuer(ISS, "own", "own:"), "other": issuer("http://other.test", "other", "other:") },
        "policies": [{
            "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own", "other"],
            "rules": [
                { "name": "own", "paths": ["/own"], "issuers": ["own"] },
                { "name": "other", "paths": ["/other"], "issuers": ["other"] },
                { "name": "both", "paths": ["/both"] },
                { "name": "optional", "paths": ["/optional"], "access": "optional" },
                { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["own:admin"] } },
            ],
        }],
        "forward": { "headers": { "x-user-id": { "from": "subject" }, "x-user-issuer": { "from": "issuer" } } },
    });
    Policy::compile(&document, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn keys(policy: &Policy, kid: &str, seed: u8) -> KeyRing {
    let mut ring = KeyRing::of(policy);
    for (id, _) in policy.issuers() {
        let set = json!({ "keys": [jwk(kid, seed)] }).to_string();
        ring.set(id, KeySet::parse(set.as_bytes(), &[AlgorithmName::EdDsa]).unwrap());
    }
    ring
}

/// What is decided about a token at a path, and whether by memory.
struct Gate {
    policy: Policy,
    known: RefCell<VerifiedTokens>,
}

impl Gate {
    fn new() -> Self {
        Self { policy: policy(), known: RefCell::default() }
    }

    fn decide(&self, path: &str, token: &str, keys: &KeyRing, now: u64) -> String {
        let bearer = format!("Bearer {token}");
        let headers = [
            (":method", "GET"),
            (":path", path),
            (":authority", "api.test"),
            ("authorization", bearer.as_str()),
        ];
        let request =
            Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
        let means = Means {
            keys,
            host: &NoSignatureHost,
            known: Some(&self.known),
            feeds: &FeedRing::new(),
            now,
            subsec_ms: 0,
        };
        let verdict = self.policy.decide_by(&request, means);
        assert_eq!(verdict, self.policy.decide(&request, keys, now, &NoSignatureHost), "by memory, and anew");
        verdict.to_string()
    }

    fn lookups(&self) -> (u64, u64) {
        let lookups = self.known.borrow_mut().take_lookups();
        (lookups.hits, lookups.misses)
    }
}

#[test]
fn a_token_is_verified_once() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    let token = token(json!({}));
    for _ in 0..3 {
        assert_eq!(gate.decide("/own", &token, &keys, NOW), "forward - api/own own");
    }
    assert_eq!(gate.lookups(), (2, 1));
}

#[test]
fn a_known_token_expires() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    let token = token(json!({ "exp": NOW + 60 }));
    assert_eq!(gate.decide("/own", &token, &keys, NOW + 59), "forward - api/own own");
    assert_eq!(gate.decide("/own", &token, &keys, NOW + 60), "reject token_expired api/own own");
}

/// The clock may be set back.
#[test]
fn a_known_token_may_be_too_young() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    let token = token(json!({ "nbf": NOW }));
    assert_eq!(gate.decide("/own", &token, &keys, NOW), "forward - api/own own");
    assert_eq!(gate.decide("/own", &token, &keys, NOW - 1), "reject token_not_yet_valid api/own own");
}

#[test]
fn a_known_token_is_of_no_use_where_its_issuer_is_not_trusted() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    let token = token(json!({}));
    assert_eq!(gate.decide("/both", &token, &keys, NOW), "forward - api/both own");
    assert_eq!(gate.decide("/other", &token, &keys, NOW), "reject issuer_mismatch api/other -");
    assert_eq!(gate.decide("/admin", &token, &keys, NOW), "reject role_missing api/admin own");
}

#[test]
fn a_known_token_goes_with_its_key_and_comes_back_with_it() {
    let gate = Gate::new();
    let token = token(json!({}));
    let (own, renamed, exchanged) =
        (keys(&gate.policy, "k1", 1), keys(&gate.policy, "k2", 1), keys(&gate.policy, "k1", 2));
    assert_eq!(gate.decide("/own", &token, &own, NOW), "forward - api/own own");
    assert_eq!(gate.decide("/own", &token, &renamed, NOW), "reject key_unknown api/own own");
    assert!(gate.known.borrow().is_empty());
    assert_eq!(gate.decide("/own", &token, &exchanged, NOW), "reject signature_invalid api/own own");
    assert_eq!(gate.decide("/own", &token, &own, NOW), "forward - api/own own");
    assert_eq!(
        gate.decide("/own", &token, &KeyRing::of(&gate.policy), NOW),
        "reject keys_unavailable api/own own"
    );
}

/// What a key of this type does not have is anything that an issuer likes.
#[test]
fn a_key_is_another_whatever_stands_in_members_that_its_type_does_not_have() {
    let gate = Gate::new();
    let token = token(json!({}));
    let of = |number: u8| jwk("k1", number)["x"].as_str().unwrap().to_owned();
    let ring = |key: Value| {
        let mut ring = KeyRing::of(&gate.policy);
        let set = json!({ "keys": [key] }).to_string();
        for (id, _) in gate.policy.issuers() {
            ring.set(id, KeySet::parse(set.as_bytes(), &[AlgorithmName::EdDsa]).unwrap());
        }
        ring
    };
    let own = ring(with(jwk("k1", 1), json!({ "y": format!("{}\0", of(2)) })));
    let exchanged = ring(with(jwk("k1", 2), json!({ "n": format!("\0{}", of(1)) })));
    assert_eq!(gate.decide("/own", &token, &own, NOW), "forward - api/own own");
    assert_eq!(gate.decide("/own", &token, &exchanged, NOW), "reject signature_invalid api/own own");
}

/// The same keys come with every refresh.
#[test]
fn a_set_that_did_not_change_drops_nothing() {
    let gate = Gate::new();
    let token = token(json!({}));
    for _ in 0..3 {
        assert_eq!(gate.decide("/own", &token, &keys(&gate.policy, "k1", 1), NOW), "forward - api/own own");
    }
    assert_eq!(gate.lookups(), (2, 1));
}

#[test]
fn a_refused_token_is_not_kept() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    for changes in [json!({ "exp": NOW }), json!({ "aud": ["other"] }), json!({ "sub": 7 })] {
        assert!(gate.decide("/own", &token(changes), &keys, NOW).starts_with("reject"));
    }
    let good = token(json!({}));
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, crate::base64url::encode(&[7; 64]));
    assert_eq!(gate.decide("/own", &forged, &keys, NOW), "reject signature_invalid api/own own");
    assert!(gate.known.borrow().is_empty());
}

#[test]
fn another_token_with_the_same_end_is_another_token() {
    let gate = Gate::new();
    let keys = keys(&gate.policy, "k1", 1);
    let token = token(json!({}));
    gate.decide("/own", &token, &keys, NOW);
    let (header, rest) = token.split_once('.').unwrap();
    let changed =
        format!("{}.{rest}", crate::base64url::encode(br#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1" }"#));
    assert_ne!(changed, format!("{header}.{rest}"));
    assert!(gate.decide("/own", &changed, &keys, NOW).starts_with("reject"));
}

#[test]
fn the_memory_is_bounded_in_tokens_and_the_least_recently_used_goes_first() {
    let entry = an_entry(json!({}));
    let mut known = VerifiedTokens::new();
    let name = |number: usize| format!("token {number}").into_bytes();
    for number in 0..=MAX_VERIFIED_TOKENS {
        assert!(known.get(&name(0), NOW).is_some() || known.is_empty(), "the first one stays in use");
        known.insert(&name(number), entry.clone(), NOW);
    }
    assert_eq!(known.len(), MAX_VERIFIED_TOKENS);
    assert!(known.get(&name(0), NOW).is_some());
    assert!(known.get(&name(1), NOW).is_none());
    assert!(known.get(&name(2), NOW).is_some());
}

#[test]
fn a_flood_of_tokens_that_come_once_drives_out_none_that_came_again() {
    let entry = an_entry(json!({}));
    let mut known = VerifiedTokens::new();
    let in_use = |number: usize| format!("in use {number}").into_bytes();
    let numbers = 0..MAX_VERIFIED_TOKENS / 4 * 3;
    for number in numbers.clone() {
        known.insert(&in_use(number), entry.clone(), NOW);
        assert!(known.get(&in_use(number), NOW).is_some());
    }
    for number in 0..10 * MAX_VERIFIED_TOKENS {
        known.insert(format!("flood {number}").as_bytes(), entry.clone(), NOW);
    }
    assert_eq!(known.len(), MAX_VERIFIED_TOKENS);
    assert!(numbers.into_iter().all(|number| known.get(&in_use(number), NOW).is_some()));
}

#[test]
fn what_was_in_use_makes_room_for_what_is() {
    let entry = an_entry(json!({}));
    let mut known = VerifiedTokens::new();
    let name = |number: usize| format!("token {number}").into_bytes();
    for number in 0..2 * MAX_VERIFIED_TOKENS {
        known.insert(&name(number), entry.clone(), NOW);
        assert!(known.get(&name(number), NOW).is_some(), "{number}");
        assert!(known.len() <= MAX_VERIFIED_TOKENS && known.bytes() <= MAX_VERIFIED_BYTES);
    }
    let (old, new) = (0..MAX_VERIFIED_TOKENS, MAX_VERIFIED_TOKENS..2 * MAX_VERIFIED_TOKENS);
    assert!(new.into_iter().all(|number| known.get(&name(number), NOW).is_some()));
    assert!(old.into_iter().all(|number| known.get(&name(number), NOW).is_none()));
}

#[test]
fn the_memory_is_bounded_in_bytes_however_often_what_is_kept_is_used() {
    // In whatever a claim is made of.
    for (is_used, many) in [
        (false, json!(vec!["some text"; 400])),
        (true, json!(vec!["some text"; 400])),
        (false, json!("some text".repeat(550))),
        (false, json!({ "a": "some text".repeat(550) })),
    ] {
        let entry = an_entry(json!({ "many": many }));
        let mut known = VerifiedTokens::new();
        let name = |number: usize| format!("token {number}").into_bytes();
        for number in 0..2_000 {
            known.insert(&name(number), entry.clone(), NOW);
            assert!(!is_used || known.get(&name(number), NOW).is_some());
            assert!(known.bytes() <= MAX_VERIFIED_BYTES);
        }
        assert!(known.len() < 2_000, "{}", known.len());
        for number in 0..2_000 {
            known.remove(&name(number));
        }
        assert_eq!((known.len(), known.bytes()), (0, 0));
    }
}

#[test]
fn a_token_that_is_kept_twice_is_counted_once_also_where_it_was_in_use() {
    let entry = an_entry(json!({}));
    let mut known = VerifiedTokens::new();
    known.insert(b"token", entry.clone(), NOW);
    let bytes = known.bytes();
    known.insert(b"token", entry.clone(), NOW);
    assert_eq!((known.len(), known.bytes()), (1, bytes));
    assert!(known.get(b"token", NOW).is_some());
    known.insert(b"token", entry, NOW);
    assert_eq!((known.len(), known.bytes()), (1, bytes));
}

#[test]
fn those_that_came_twice_and_no_more_make_room_for_those_that_come() {
    let entry = an_entry(json!({}));
    // Also where the clock was set back meanwhile.
    for later in [NOW + 100, NOW - 100] {
        let mut known = VerifiedTokens::new();
        for number in 0..MAX_VERIFIED_TOKENS {
            let name = format!("old {number}").into_bytes();
            known.insert(&name, entry.clone(), NOW);
            assert!(known.get(&name, NOW).is_some());
        }
        // More of them than are left where those in use have their room, always in the same order.
        let name = |number: usize| format!("new {number}").into_bytes();
        let mut found = 0;
        for round in 0..2 {
            for number in 0..MAX_VERIFIED_TOKENS {
                match known.get(&name(number), later + round) {
                    Some(_) => found += 1,
                    None => known.insert(&name(number), entry.clone(), later + round),
                }
            }
        }
        assert_eq!(found, MAX_VERIFIED_TOKENS, "of those of the first round");
    }
}

/// What is kept of a token with these claims.
fn an_entry(changes: Value) -> Entry {
    let gate = Gate::new();
    let token = token(changes);
    gate.decide("/own", &token, &keys(&gate.policy, "k1", 1), NOW);
    Entry { told: Ok(Rc::from([])), ..gate.known.borrow_mut().get(token.as_bytes(), NOW).unwrap() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// [`Gate::decide`] compares.
    #[test]
    fn memory_never_changes_a_verdict(
        requests in prop::collection::vec((0_usize..5, 0_usize..6, 0_usize..4, 0_u64..130), 1..40)
    ) {
        let gate = Gate::new();
        let rings = [
            keys(&gate.policy, "k1", 1), keys(&gate.policy, "k1", 2), keys(&gate.policy, "k2", 1),
            KeyRing::of(&gate.policy),
        ];
        let header = |kid: Value| with(crate::fixtures::header(), json!({ "kid": kid }));
        let payload = crate::fixtures::payload();
        let tokens = [
            token(json!({})),
            token(json!({ "nbf": NOW + 30, "iat": null })),
            token(json!({ "iss": "http://other.test" })),
            token(json!({ "roles": ["admin"] })),
            sign(&header(json!("k2")), &payload),
            sign(&header(Value::Null), &payload),
        ];
        for (path, token, ring, passed) in requests {
            let path = ["/own", "/other", "/both", "/optional", "/admin"][path];
            gate.decide(path, &tokens[token], &rings[ring], NOW + passed);
        }
    }
}
