//! The step of revocation: who is refused, with what, and who is not.

use std::rc::Rc;

use super::made::{bearer, policy_with, user, verdict};
use super::*;
use crate::revocations::records::Name;
use crate::revocations::{Feed, Record};
use crate::verified_tokens::VerifiedTokens;
use bearward_protocol::revocations::SubjectReason;

fn policy(feed: Value, rules: Value) -> Policy {
    let document = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
            "revocations": feed,
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": rules }],
        "forward": { "headers": { "x-user-id": { "from": "subject" } } },
    });
    let secrets = |_: &str| Some(b"0123456789abcdef".to_vec());
    Policy::compile(&document, &secrets).unwrap_or_else(|problems| panic!("{problems}"))
}

fn feed_that(when_stale: &str) -> Value {
    json!({
        "cluster": "issuer", "uri": "http://issuer.test/revocations/v1", "credential_env": "C", "when_stale": when_stale,
    })
}

fn rules() -> Value {
    json!([
        { "name": "optional", "paths": ["/optional"], "access": "optional" },
        { "name": "public", "paths": ["/public"], "access": "public" },
        { "name": "lenient", "paths": ["/lenient"], "when_stale": "allow" },
        { "name": "strict", "paths": ["/strict"], "when_stale": "reject" },
        { "name": "observed", "paths": ["/observed"], "mode": "observe" },
        { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
        { "name": "all", "paths": ["/**"] },
    ])
}

/// The feed's records as of this many seconds ago, for tokens of version 3 in epoch 2.
struct Gate {
    policy: Policy,
    feeds: FeedRing,
    known: RefCell<VerifiedTokens>,
}

impl Gate {
    fn new(when_stale: &str) -> Self {
        Self {
            policy: policy(feed_that(when_stale), rules()),
            feeds: FeedRing::new(),
            known: RefCell::default(),
        }
    }

    fn holding(records: Vec<Record>) -> Self {
        let mut gate = Self::new("reject");
        gate.hold(records, 0);
        gate
    }

    fn hold(&mut self, records: Vec<Record>, seconds_ago: u64) {
        let feed = Feed::holding(records, 30, (NOW - seconds_ago) * 1_000);
        let (id, _) = self.policy.issuers().next().unwrap();
        self.feeds.set(id, Rc::new(RefCell::new(feed)));
    }

    fn verdict(&self, path: &str, changes: Value) -> Verdict<'_> {
        let claims = json!({ "sid": "s1", "user_version": 3, "epoch": 2 });
        let token = format!("Bearer {}", token(with(claims, changes)));
        let headers =
            [(":method", "GET"), (":path", path), (":authority", "api.test"), ("authorization", &token)];
        let request =
            Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
        let keys = KeyRing::of(&self.policy);
        let anew = Means {
            keys: &keys,
            host: &NoSignatureHost,
            known: None,
            feeds: &self.feeds,
            now: NOW,
            subsec_ms: 0,
        };
        crate::explain::tests::must_agree(&self.policy, &request, anew);
        let verdict = self.policy.decide_by(&request, anew);
        for _ in 0..2 {
            let by_memory = self.policy.decide_by(&request, Means { known: Some(&self.known), ..anew });
            assert_eq!(verdict, by_memory, "by memory, and anew");
        }
        verdict
    }

    fn at(&self, path: &str) -> String {
        self.verdict(path, json!({})).to_string().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }
}

fn session(name: &str) -> Record {
    Record::Session { name: Name::of(name), ends_at: NOW + 60 }
}

fn subject(minimum: u64, epoch: u64, reason: SubjectReason) -> Record {
    Record::Subject { name: Name::of("u1"), minimum, epoch, reason, ends_at: NOW + 60 }
}

#[test]
fn before_the_first_feed_nobody_is_let_in_and_nobody_is_called_unauthenticated() {
    let gate = Gate::new("allow");
    for path in ["/", "/optional", "/lenient", "/admin"] {
        assert_eq!(gate.at(path), "reject revocations_unavailable", "{path}");
    }
    assert_eq!(gate.at("/public"), "forward -");
    assert_eq!(Rejection::RevocationsUnavailable.row().status, 503);
}

#[test]
fn a_feed_that_is_being_written_is_as_good_as_none() {
    let gate = Gate::holding(vec![]);
    let (id, _) = gate.policy.issuers().next().unwrap();
    let feed = Rc::clone(gate.feeds.get(id).unwrap());
    let writing = feed.borrow_mut();
    assert_eq!(gate.at("/"), "reject revocations_unavailable");
    drop(writing);
    assert_eq!(gate.at("/"), "forward -");
}

#[test]
fn each_kind_of_record_refuses_with_its_reason() {
    for (record, expected) in [
        (session("s1"), "reject token_revoked"),
        (session("s2"), "forward -"),
        (subject(4, 2, SubjectReason::Changed), "reject token_revoked"),
        (subject(4, 2, SubjectReason::Gone), "reject subject_gone"),
        (subject(3, 2, SubjectReason::Gone), "forward -"),
        (subject(4, 1, SubjectReason::Changed), "forward -"),
        (Record::Key { name: "k1".into() }, "reject token_revoked"),
        (Record::Key { name: "k2".into() }, "forward -"),
        (Record::Epoch { minimum: 3, ends_at: NOW + 60 }, "reject token_revoked"),
        (Record::Epoch { minimum: 2, ends_at: NOW + 60 }, "forward -"),
    ] {
        let gate = Gate::holding(vec![record.clone()]);
        for path in ["/", "/optional"] {
            assert_eq!(gate.at(path), expected, "{record:?} at {path}");
        }
    }
}

#[test]
fn a_user_who_is_gone_is_told_so_in_the_words_of_the_tutorial() {
    let gate = Gate::holding(vec![session("s1"), subject(4, 2, SubjectReason::Gone)]);
    let rejection = gate.verdict("/", json!({})).rejection().unwrap();
    assert_eq!((rejection.row().status, rejection.row().error), (401, "User no longer exists"));
}

#[test]
fn a_token_that_is_known_is_refused_as_soon_as_the_record_is_there() {
    let mut gate = Gate::holding(vec![]);
    assert_eq!(gate.at("/"), "forward -");
    gate.hold(vec![session("s1")], 0);
    assert_eq!(gate.at("/"), "reject token_revoked");
    assert!(gate.known.borrow_mut().take_lookups().hits > 0, "by memory");
}

#[test]
fn what_is_too_old_refuses_or_not_as_the_issuer_and_the_rule_say() {
    for (when_stale, at_issuer) in [("reject", "reject revocations_stale"), ("allow", "forward -")] {
        let mut gate = Gate::new(when_stale);
        gate.hold(vec![], 30);
        assert_eq!(gate.at("/strict"), "forward -", "not yet");
        gate.hold(vec![], 31);
        assert_eq!(gate.at("/"), at_issuer);
        assert_eq!(gate.at("/lenient"), "forward -");
        assert_eq!(gate.at("/strict"), "reject revocations_stale");
    }
}

#[test]
fn what_is_too_old_and_allowed_is_judged_by_what_is_known() {
    let mut gate = Gate::new("allow");
    gate.hold(vec![session("s1")], 3_600);
    assert_eq!(gate.at("/"), "reject token_revoked");
}

#[test]
fn a_token_has_what_records_look_at_or_is_malformed() {
    let gate = Gate::holding(vec![]);
    for changes in [
        json!({ "sid": null }),
        json!({ "sid": 7 }),
        json!({ "sid": "" }),
        json!({ "sid": "s".repeat(257) }),
        json!({ "user_version": null }),
        json!({ "user_version": "3" }),
        json!({ "user_version": 3.5 }),
        json!({ "user_version": -3 }),
        json!({ "epoch": null }),
        json!({ "epoch": [2] }),
    ] {
        let rejection = gate.verdict("/", changes.clone()).rejection();
        assert_eq!(rejection, Some(Rejection::ClaimsMalformed), "{changes}");
    }
}

#[test]
fn claims_that_records_look_at_are_not_asked_of_an_issuer_without_a_feed() {
    let policy = policy_with(json!({}), json!({}), json!([{ "name": "all", "paths": ["/**"] }]));
    let verdict = verdict(&policy, "GET /", &[("authorization", &bearer(json!({ "sid": 7 })))]);
    assert_eq!(verdict.rejection(), None);
}

#[test]
fn a_token_that_has_ended_is_nobody_s_identity_where_it_is_only_observed() {
    let gate = Gate::holding(vec![session("s1")]);
    let verdict = gate.verdict("/observed", json!({}));
    assert_eq!(verdict.observed, Some(Rejection::TokenRevoked));
    let Decision::Forward(edits) = &verdict.decision else { panic!("{verdict:?}") };
    assert!(!edits.iter().any(|edit| *edit == user()), "{edits:?}");
    assert!(
        matches!(&gate.verdict("/observed", json!({ "sid": "s2" })).decision, Decision::Forward(edits) if edits.iter().any(|edit| *edit == user()))
    );
}

#[test]
fn revocation_comes_before_what_the_rule_requires() {
    let gate = Gate::holding(vec![session("s1")]);
    assert_eq!(gate.at("/admin"), "reject token_revoked");
}

#[test]
fn an_explanation_says_what_was_looked_up() {
    let told = |gate: &Gate| {
        let token = token(json!({ "sid": "s1", "user_version": 3, "epoch": 2 }));
        let bearer = format!("Bearer {token}");
        let headers =
            [(":method", "GET"), (":path", "/"), (":authority", "api.test"), ("authorization", &bearer)];
        let request =
            Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
        let keys = KeyRing::of(&gate.policy);
        let means = Means {
            keys: &keys,
            host: &NoSignatureHost,
            known: None,
            feeds: &gate.feeds,
            now: NOW,
            subsec_ms: 0,
        };
        let explanation = gate.policy.explain(&request, means);
        let step = explanation.steps.iter().find(|step| step.step == Step::Revocation).unwrap();
        step.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>().join("; ")
    };
    let mut stale = Gate::new("reject");
    assert_eq!(told(&stale), "no feed of this issuer's revocations is at hand");
    stale.hold(vec![], 45);
    assert_eq!(
        told(&stale),
        "what is known of revocations is 45 s old, and may be 30 s (`stale_after_seconds`); `when_stale` is `reject`"
    );
    for (records, expected) in [
        (
            vec![],
            "0 records at hand, 0 s old; none is about the session `s1`, version 3 of the user `u1`, epoch 2, the key `k1`",
        ),
        (vec![session("s1")], "1 record at hand, 0 s old; the session `s1` has ended"),
        (
            vec![subject(5, 2, SubjectReason::Changed)],
            "1 record at hand, 0 s old; the token is of version 3 of the user `u1`: 5 is the least that is good",
        ),
        (
            vec![subject(5, 2, SubjectReason::Gone)],
            "1 record at hand, 0 s old; the user `u1` is gone, disabled or deleted: tokens below version 5 have ended, and \
             this is of 3",
        ),
        (vec![Record::Key { name: "k1".into() }], "1 record at hand, 0 s old; the key `k1` is revoked"),
        (
            vec![Record::Epoch { minimum: 9, ends_at: NOW + 1 }],
            "1 record at hand, 0 s old; the token is of epoch 2: 9 is the least that is good",
        ),
    ] {
        assert_eq!(told(&Gate::holding(records)), expected);
    }
}

/// The key's name is what the set calls it: a thief need not write it down.
#[test]
fn a_revoked_key_is_refused_also_where_the_token_does_not_name_it() {
    let claims = json!({ "sid": "s1", "user_version": 3, "epoch": 2 });
    let nameless = crate::fixtures::sign(
        &with(crate::fixtures::header(), json!({ "kid": null })),
        &with(payload(), claims),
    );
    let verdict = |record: Record| {
        let gate = Gate::holding(vec![record]);
        let keys = KeyRing::of(&gate.policy);
        let means = Means { feeds: &gate.feeds, known: Some(&gate.known), ..Means::new(&keys, NOW) };
        let authorization = format!("Bearer {nameless}");
        let headers =
            [(":method", "GET"), (":path", "/"), (":authority", "a.test"), ("authorization", &authorization)];
        let request = Request::new(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect());
        let first = gate.policy.decide_by(&request, means).rejection();
        assert_eq!(gate.policy.decide_by(&request, means).rejection(), first, "known");
        first
    };
    assert_eq!(verdict(Record::Key { name: "k1".into() }), Some(Rejection::TokenRevoked));
    assert_eq!(verdict(Record::Key { name: "k2".into() }), None);
}

#[test]
fn a_path_that_a_server_could_take_to_a_rule_that_is_stricter_about_what_is_stale_is_refused() {
    let rules = |wide: Value, narrow: Value| {
        let (mut all, mut payments) = (
            json!({ "name": "all", "paths": ["/**"] }),
            json!({ "name": "payments", "paths": ["/payments"] }),
        );
        all["when_stale"] = wide;
        payments["when_stale"] = narrow;
        let gate = Gate {
            policy: policy(feed_that("reject"), json!([payments, all])),
            feeds: FeedRing::new(),
            known: RefCell::default(),
        };
        gate.at("/Payments")
    };
    assert_eq!(rules(json!("allow"), json!("reject")), "reject path_ambiguous");
    assert_eq!(rules(json!("allow"), json!("allow")), "reject revocations_unavailable");
    assert_eq!(
        rules(json!("reject"), json!("allow")),
        "reject revocations_unavailable",
        "the stricter one decides"
    );
}
