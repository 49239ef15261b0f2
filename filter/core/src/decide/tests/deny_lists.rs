//! The step of revocation for an issuer with a deny list.

use std::rc::Rc;

use super::made::{bearer, policy_with, user, verdict};
use super::*;
use crate::revocations::DenyList;
use crate::revocations::deny_list::ListTrust;
use crate::verified_tokens::VerifiedTokens;

fn policy(issuer: Value, when_stale: &str) -> Policy {
    let mut document = json!({
        "version": 1,
        "issuers": { "own": with(json!({
            "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
        }), issuer) },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
            { "name": "optional", "paths": ["/optional"], "access": "optional" },
            { "name": "public", "paths": ["/public"], "access": "public" },
            { "name": "lenient", "paths": ["/lenient"], "when_stale": "allow" },
            { "name": "strict", "paths": ["/strict"], "when_stale": "reject" },
            { "name": "observed", "paths": ["/observed"], "mode": "observe" },
            { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
            { "name": "all", "paths": ["/**"] },
        ] }],
        "forward": { "headers": { "x-user-id": { "from": "subject" } } },
    });
    document["issuers"]["own"]["deny_list"] = json!({
        "cluster": "files", "uri": "https://files.test/deny.json", "when_stale": when_stale, "stale_after_seconds": 30,
    });
    Policy::compile(&document, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

struct Gate {
    policy: Policy,
    feeds: FeedRing,
    known: RefCell<VerifiedTokens>,
}

impl Gate {
    fn new(issuer: Value, when_stale: &str) -> Self {
        let (feeds, known) = (FeedRing::new(), RefCell::default());
        Self { policy: policy(issuer, when_stale), feeds, known }
    }

    fn holding(deny: Value) -> Self {
        let mut gate = Self::new(json!({}), "reject");
        gate.hold(deny, 0);
        gate
    }

    fn hold(&mut self, deny: Value, seconds_ago: u64) {
        let text = json!({ "iss": ISS, "iat": NOW - seconds_ago, "deny": deny }).to_string();
        let mut list = DenyList::new(String::new());
        let trust = ListTrust { iss: ISS, keys: None, host: &NoSignatureHost };
        list.take(text.as_bytes(), trust, NOW).unwrap();
        let (id, _) = self.policy.issuers().next().unwrap();
        self.feeds.set_list(id, Rc::new(RefCell::new(list)));
    }

    fn verdict(&self, path: &str, changes: Value) -> Verdict<'_> {
        // `null` takes a claim out, in the end.
        let mut claims = json!({ "jti": "t1", "sid": "s1" });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let authorization = bearer(claims);
        let headers = [
            (":method", "GET"),
            (":path", path),
            (":authority", "api.test"),
            ("authorization", &authorization),
        ];
        let request =
            Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
        let keys = KeyRing::of(&self.policy);
        let anew = Means { feeds: &self.feeds, ..Means::new(&keys, NOW) };
        crate::explain::tests::must_agree(&self.policy, &request, anew);
        let verdict = self.policy.decide_by(&request, anew);
        for _ in 0..2 {
            let by_memory = self.policy.decide_by(&request, Means { known: Some(&self.known), ..anew });
            assert_eq!(verdict, by_memory, "by memory, and anew");
        }
        verdict
    }

    fn at(&self, path: &str) -> String {
        self.with(path, json!({}))
    }

    fn with(&self, path: &str, changes: Value) -> String {
        self.verdict(path, changes).to_string().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    fn told(&self) -> String {
        let authorization = bearer(json!({ "jti": "t1", "sid": "s1" }));
        let headers = [
            (":method", "GET"),
            (":path", "/"),
            (":authority", "api.test"),
            ("authorization", &authorization),
        ];
        let request =
            Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
        let keys = KeyRing::of(&self.policy);
        let explanation =
            self.policy.explain(&request, Means { feeds: &self.feeds, ..Means::new(&keys, NOW) });
        let step = explanation.steps.iter().find(|step| step.step == Step::Revocation).unwrap();
        step.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>().join("; ")
    }
}

#[test]
fn before_the_first_list_nobody_is_let_in_and_nobody_is_called_unauthenticated() {
    let mut gate = Gate::new(json!({}), "allow");
    let (id, _) = gate.policy.issuers().next().unwrap();
    for _ in 0..2 {
        for path in ["/", "/optional", "/lenient", "/admin"] {
            assert_eq!(gate.at(path), "reject revocations_unavailable", "{path}");
        }
        assert_eq!(gate.at("/public"), "forward -");
        gate.feeds.set_list(id, Rc::new(RefCell::new(DenyList::new(String::new()))));
    }
    gate.hold(json!([]), 0);
    let list = Rc::clone(gate.feeds.list(id).unwrap());
    let writing = list.borrow_mut();
    assert_eq!(gate.at("/"), "reject revocations_unavailable", "while somebody writes it");
    drop(writing);
    assert_eq!(gate.at("/"), "forward -");
}

#[test]
fn what_the_list_names_is_refused_and_nothing_else() {
    for (entry, expected) in [
        (json!({ "jti": "t1" }), "reject token_revoked"),
        (json!({ "jti": "t2" }), "forward -"),
        (json!({ "sid": "s1" }), "reject token_revoked"),
        (json!({ "sid": "t1" }), "forward -"),
        (json!({ "sub": "u1", "issued_before": NOW + 1 }), "reject token_revoked"),
        (json!({ "sub": "u1", "issued_before": NOW }), "forward -"),
        (json!({ "sub": "u2", "issued_before": NOW + 1 }), "forward -"),
    ] {
        let gate = Gate::holding(json!([entry]));
        for path in ["/", "/optional"] {
            assert_eq!(gate.at(path), expected, "{entry} at {path}");
        }
    }
}

#[test]
fn a_token_that_is_known_is_refused_as_soon_as_the_list_names_it() {
    let mut gate = Gate::holding(json!([]));
    assert_eq!(gate.at("/"), "forward -");
    gate.hold(json!([{ "jti": "t1" }]), 0);
    assert_eq!(gate.at("/"), "reject token_revoked");
    assert!(gate.known.borrow_mut().take_lookups().hits > 0, "by memory");
}

#[test]
fn a_list_that_is_too_old_refuses_or_not_as_the_issuer_and_the_rule_say() {
    for (when_stale, at_issuer) in [("reject", "reject revocations_stale"), ("allow", "forward -")] {
        let mut gate = Gate::new(json!({}), when_stale);
        gate.hold(json!([]), 30);
        assert_eq!(gate.at("/strict"), "forward -", "not yet");
        gate.hold(json!([]), 31);
        assert_eq!(gate.at("/"), at_issuer);
        assert_eq!(gate.at("/lenient"), "forward -");
        assert_eq!(gate.at("/strict"), "reject revocations_stale");
        gate.hold(json!([{ "sid": "s1" }]), 31);
        assert_eq!(gate.at("/lenient"), "reject token_revoked", "judged by what is known");
    }
}

#[test]
fn tokens_may_lack_what_a_list_names_and_have_it_of_no_other_type() {
    let gate = Gate::holding(json!([{ "jti": "7" }, { "sid": "7" }]));
    for changes in [json!({ "jti": null }), json!({ "sid": null }), json!({ "jti": null, "sid": null })] {
        assert_eq!(gate.with("/", changes.clone()), "forward -", "{changes}");
    }
    for changes in [json!({ "jti": 7 }), json!({ "sid": 7 }), json!({ "sid": ["7"] })] {
        assert_eq!(gate.with("/", changes.clone()), "reject claims_malformed", "{changes}");
    }
    let without = policy_with(json!({}), json!({}), json!([{ "name": "all", "paths": ["/**"] }]));
    let verdict = verdict(&without, "GET /", &[("authorization", &bearer(json!({ "sid": 7 })))]);
    assert_eq!(verdict.rejection(), None, "an issuer without a list");
}

#[test]
fn a_token_without_iat_or_of_a_fraction_of_a_second_before_is_refused_with_its_user() {
    let gate = Gate::holding(json!([{ "sub": "u1", "issued_before": NOW }]));
    assert_eq!(gate.with("/", json!({ "iat": NOW })), "forward -");
    assert_eq!(gate.with("/", json!({ "iat": NOW as f64 - 0.5 })), "reject token_revoked");
    assert_eq!(gate.with("/", json!({ "iat": null })), "reject token_revoked");
}

#[test]
fn a_user_is_whoever_the_policy_makes_of_a_token_or_its_sub() {
    let mut gate = Gate::new(json!({ "claims": { "subject": ["uid"] } }), "reject");
    gate.hold(json!([{ "sub": "7", "issued_before": NOW + 1 }]), 0);
    assert_eq!(gate.with("/", json!({ "uid": 7, "sub": null })), "reject token_revoked");
    assert_eq!(gate.with("/", json!({ "uid": 8, "sub": "7" })), "reject token_revoked");
    assert_eq!(gate.with("/", json!({ "uid": 8 })), "forward -");
    assert_eq!(gate.with("/", json!({ "uid": 8, "sub": 7 })), "reject claims_malformed");
}

#[test]
fn a_denied_token_is_nobody_s_identity_where_it_is_only_observed() {
    let gate = Gate::holding(json!([{ "sid": "s1" }]));
    let verdict = gate.verdict("/observed", json!({}));
    assert_eq!(verdict.observed, Some(Rejection::TokenRevoked));
    let Decision::Forward(edits) = &verdict.decision else { panic!("{verdict:?}") };
    assert!(!edits.iter().any(|edit| *edit == user()), "{edits:?}");
    assert_eq!(gate.at("/admin"), "reject token_revoked", "before what the rule requires");
}

#[test]
fn an_explanation_says_what_was_looked_up() {
    let mut gate = Gate::new(json!({}), "reject");
    assert_eq!(gate.told(), "no deny list of this issuer is at hand");
    gate.hold(json!([]), 45);
    assert_eq!(
        gate.told(),
        "the deny list is 45 s old, and may be 30 s (`stale_after_seconds`); `when_stale` is `reject`"
    );
    for (deny, expected) in [
        (
            json!([]),
            "a deny list with 0 entries at hand, 7 s old; no entry is about it: `jti` `t1`, `sid` `s1`, the user `u1`",
        ),
        (
            json!([{ "jti": "t1" }]),
            "a deny list with 1 entry at hand, 7 s old; an entry denies the token: `jti` `t1`",
        ),
        (
            json!([{ "sid": "s1" }, { "jti": "t9" }]),
            "a deny list with 2 entries at hand, 7 s old; an entry denies its session: `sid` `s1`",
        ),
        (
            json!([{ "sub": "u1", "issued_before": NOW + 1 }]),
            "a deny list with 1 entry at hand, 7 s old; an entry denies tokens of the user `u1` that were issued before \
             1800000001, and this one was at 1800000000",
        ),
    ] {
        gate.hold(deny, 7);
        assert_eq!(gate.told(), expected);
    }
}
