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
fn where_there_is_no_room_a_token_that_comes_again_takes_the_place_of_the_least_recently_used() {
    let entry = an_entry(json!({}));
    let mut known = full("token", &entry);
    assert!(known.get(b"token 0", NOW).is_some());
    known.insert(b"new", entry.clone(), NOW);
    assert!(known.get(b"new", NOW).is_none() && known.get(b"token 1", NOW).is_some());
    known.insert(b"new", entry, NOW);
    assert!(known.get(b"new", NOW).is_some() && known.get(b"token 2", NOW).is_none());
    assert!(known.get(b"token 0", NOW).is_some() && known.get(b"token 1", NOW).is_some());
    assert_eq!(known.len(), MAX_VERIFIED_TOKENS);
}

#[test]
fn a_flood_of_tokens_that_come_once_drives_out_none_that_is_in_use() {
    let entry = an_entry(json!({}));
    let mut known = full("in use", &entry);
    for number in 0..10 * MAX_VERIFIED_TOKENS {
        known.insert(format!("flood {number}").as_bytes(), entry.clone(), NOW + IN_USE);
    }
    let in_use = (0..MAX_VERIFIED_TOKENS).map(|number| format!("in use {number}"));
    assert!(in_use.into_iter().all(|token| known.get(token.as_bytes(), NOW).is_some()));
}

#[test]
fn a_flood_takes_the_places_of_those_that_are_in_use_no_more_and_of_no_others() {
    let entry = an_entry(json!({}));
    // Also where the clock was set back meanwhile.
    for later in [NOW + IN_USE + 1, NOW - IN_USE - 1] {
        let mut known = full("token", &entry);
        let (old, in_use) = (0..1_000, 1_000..MAX_VERIFIED_TOKENS);
        for number in in_use.clone() {
            assert!(known.get(format!("token {number}").as_bytes(), later).is_some());
        }
        for number in 0..2 * MAX_VERIFIED_TOKENS {
            known.insert(format!("flood {number}").as_bytes(), entry.clone(), later);
        }
        let mut finds =
            |name: &str, number: usize| known.get(format!("{name} {number}").as_bytes(), later).is_some();
        assert!(old.clone().all(|number| !finds("token", number) && finds("flood", number)));
        assert!(in_use.clone().all(|number| finds("token", number)) && !finds("flood", 1_000));
    }
}

#[test]
fn of_more_tokens_in_rotation_than_there_is_room_for_most_of_those_that_are_kept_are_found() {
    let entry = an_entry(json!({}));
    let mut known = VerifiedTokens::new();
    let mut rotate = || {
        (0..MAX_VERIFIED_TOKENS / 2 * 3).for_each(|number| {
            let name = format!("token {number}").into_bytes();
            if known.get(&name, NOW).is_none() {
                known.insert(&name, entry.clone(), NOW);
            }
        });
        known.take_lookups().hits
    };
    assert_eq!(rotate(), 0);
    for _ in 0..3 {
        let found = rotate();
        assert!(found > MAX_VERIFIED_TOKENS as u64 / 4 * 3, "{found}");
    }
}

#[test]
fn tokens_come_again_also_where_others_came_in_between() {
    let entry = an_entry(json!({}));
    let mut known = full("token", &entry);
    let new = || (0..100).map(|number| format!("new {number}"));
    (0..2).for_each(|_| new().for_each(|token| known.insert(token.as_bytes(), entry.clone(), NOW)));
    let found = new().filter(|token| known.get(token.as_bytes(), NOW).is_some()).count();
    assert!(found > 85, "{found}");
}

#[test]
fn a_token_that_was_forgotten_must_come_twice_once_more() {
    let entry = an_entry(json!({}));
    let mut known = full("token", &entry);
    (0..2).for_each(|_| known.insert(b"new", entry.clone(), NOW));
    known.remove(b"new");
    known.insert(b"other", entry.clone(), NOW);
    known.insert(b"new", entry, NOW);
    assert!(known.get(b"new", NOW).is_none());
}

#[test]
fn where_the_bytes_are_used_up_a_flood_takes_only_the_places_of_those_that_are_in_use_no_more() {
    let entry = an_entry(json!({ "many": "some text".repeat(550) }));
    let mut known = VerifiedTokens::new();
    let (mut count, mut bytes) = (0, usize::MAX);
    while known.bytes() != bytes {
        bytes = known.bytes();
        known.insert(format!("token {count}").as_bytes(), entry.clone(), NOW);
        count += 1;
    }
    let kept = known.len();
    assert!(kept < MAX_VERIFIED_TOKENS);
    let finds = |known: &mut VerifiedTokens, name: &str, now: u64| {
        (0..kept).filter(|number| known.get(format!("{name} {number}").as_bytes(), now).is_some()).count()
    };
    let flood = |known: &mut VerifiedTokens, name: &str, now: u64| {
        (0..kept).for_each(|number| known.insert(format!("{name} {number}").as_bytes(), entry.clone(), now));
    };
    flood(&mut known, "early", NOW + IN_USE);
    assert_eq!((finds(&mut known, "early", NOW), finds(&mut known, "token", NOW)), (0, kept));
    // Half of them are in use no more.
    let later = NOW + IN_USE + 1;
    (0..kept / 2)
        .for_each(|number| assert!(known.get(format!("token {number}").as_bytes(), later).is_some()));
    flood(&mut known, "late", later);
    let found = ["token", "late"].map(|name| finds(&mut known, name, later));
    assert!(found[0] == kept / 2 && found[1].abs_diff(kept - kept / 2) < 3, "{found:?} of {kept}");
}

#[test]
fn a_heavy_token_takes_no_place_of_those_in_use_however_often_it_comes() {
    let entry = an_entry(json!({}));
    let heavy = an_entry(json!({ "many": vec![json!({}); 1_600] }));
    let mut known = VerifiedTokens::new();
    // Until there is no room for another.
    (0..7).for_each(|number| known.insert(format!("heavy {number}").as_bytes(), heavy.clone(), NOW));
    (0..1_000).for_each(|number| known.insert(format!("token {number}").as_bytes(), entry.clone(), NOW));
    let kept = known.len();
    (0..3).for_each(|_| known.insert(b"more", heavy.clone(), NOW + IN_USE));
    assert!(known.get(b"more", NOW).is_none() && known.len() == kept);
    known.insert(b"more", heavy, NOW + IN_USE + 1);
    assert!(known.get(b"more", NOW).is_some() && known.get(b"heavy 0", NOW).is_none());
}

/// As many tokens as there is room for, of this name and a number.
fn full(name: &str, entry: &Entry) -> VerifiedTokens {
    let mut known = VerifiedTokens::new();
    (0..MAX_VERIFIED_TOKENS)
        .for_each(|number| known.insert(format!("{name} {number}").as_bytes(), entry.clone(), NOW));
    assert_eq!(known.len(), MAX_VERIFIED_TOKENS);
    known
}

/// For how long a token is in use after it came, in seconds.
const IN_USE: u64 = 60;

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
            if is_used && known.get(&name(number), NOW).is_none() {
                known.insert(&name(number), entry.clone(), NOW);
                assert!(known.get(&name(number), NOW).is_some());
            }
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
