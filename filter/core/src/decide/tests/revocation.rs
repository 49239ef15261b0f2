//! Tokens that have ended early.

use std::cell::RefCell;
use std::rc::Rc;

use bearward_protocol::revocations::SubjectReason;

use super::*;
use crate::revocations::records::Name;
use crate::revocations::{Feed, Record};

const CREDENTIAL: &[u8] = b"0123456789abcdef0123456789abcdef";
const SID: &str = "7f1c2a34-5b6d-4e8f-9a0b-1c2d3e4f5a6b";

fn guarded(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
            "revocations": { "cluster": "internal", "uri": "http://own.test/revocations/v1",
                             "credential_env": "FEED", "when_stale": "reject" },
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
            { "name": "feed", "paths": ["/optional"], "access": "optional" },
            { "name": "lenient", "paths": ["/lenient"], "when_stale": "allow" },
            { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
            { "name": "all", "paths": ["/**"] },
        ] }],
    });
    change(&mut document);
    Policy::compile(&document, &|name| (name == "FEED").then(|| CREDENTIAL.to_vec())).unwrap()
}

/// A proxy with a feed that holds these records as of some seconds ago.
struct Proxy {
    policy: Policy,
    feeds: FeedRing,
}

impl Proxy {
    fn holding(records: Vec<Record>, age_seconds: u64) -> Self {
        Self::of(guarded(|_| {}), records, age_seconds)
    }

    fn of(policy: Policy, records: Vec<Record>, age_seconds: u64) -> Self {
        let feeds = FeedRing::fresh(&policy, NOW - age_seconds, |_| records.clone());
        Self { policy, feeds }
    }

    fn decide(&self, path: &str, token: &str) -> Decision {
        let known = RefCell::new(VerifiedTokens::new());
        let authorization = format!("Bearer {token}");
        let request = Request::new(vec![
            (b":method", b"GET"),
            (b":path", path.as_bytes()),
            (b":authority", b"localhost"),
            (b"authorization", authorization.as_bytes()),
        ]);
        let keys = KeyRing::of(&self.policy);
        let means =
            Means { keys: &keys, feeds: &self.feeds, host: &NoSignatureHost, known: Some(&known), now: NOW };
        crate::explain::tests::must_agree(&self.policy, &request, means);
        let first = self.policy.decide_by(&request, means).decision;
        assert_eq!(self.policy.decide_by(&request, means).decision, first, "also for a token that is known");
        first
    }

    fn rejection(&self, token: &str) -> Option<Rejection> {
        match self.decide("/orders", token) {
            Decision::Reject(rejection) => Some(rejection),
            Decision::Forward(_) => None,
        }
    }
}

fn mine() -> String {
    made(json!({}))
}

fn made(changes: Value) -> String {
    let own = json!({ "sid": SID, "user_version": 3, "epoch": 2 });
    token(with(own, changes))
}

fn session(name: &str, ends_at: u64) -> Record {
    Record::Session { name: Name::of(name), ends_at }
}

fn subject(minimum: u64, epoch: u64, reason: SubjectReason) -> Record {
    Record::Subject { name: Name::of("u1"), minimum, epoch, reason, ends_at: NOW + 1 }
}

#[test]
fn a_token_that_a_record_concerns_is_refused_and_every_other_passes() {
    use SubjectReason::{Changed, Gone};
    let revoked = Some(Rejection::TokenRevoked);
    for (record, verdict) in [
        (session(SID, NOW + 1), revoked),
        (session(SID, NOW), None),
        (session("7f1c2a34-5b6d-4e8f-9a0b-1c2d3e4f5a6c", NOW + 1), None),
        (subject(4, 2, Changed), revoked),
        (subject(3, 2, Changed), None),
        (subject(4, 1, Changed), None),
        (subject(4, 2, Gone), Some(Rejection::SubjectGone)),
        (subject(3, 2, Gone), None),
        (Record::Key { name: "k1".into() }, revoked),
        (Record::Key { name: "k2".into() }, None),
        (Record::Epoch { minimum: 3, ends_at: NOW + 1 }, revoked),
        (Record::Epoch { minimum: 2, ends_at: NOW + 1 }, None),
        (Record::Epoch { minimum: 3, ends_at: NOW }, None),
    ] {
        assert_eq!(Proxy::holding(vec![record.clone()], 0).rejection(&mine()), verdict, "{record:?}");
    }
}

#[test]
fn before_anything_is_known_and_when_it_is_too_old_the_answer_is_503() {
    let unknown = Proxy { policy: guarded(|_| {}), feeds: FeedRing::new() };
    assert_eq!(unknown.rejection(&mine()), Some(Rejection::RevocationsUnavailable));
    assert_eq!(unknown.decide("/lenient", &mine()), Decision::Reject(Rejection::RevocationsUnavailable));
    let mut empty = FeedRing::new();
    let (own, _) = unknown.policy.issuers().next().unwrap();
    empty.set(own, Rc::new(RefCell::new(Feed::new(String::new(), 30))));
    let empty = Proxy { feeds: empty, ..unknown };
    assert_eq!(empty.rejection(&mine()), Some(Rejection::RevocationsUnavailable));

    assert_eq!(Proxy::holding(Vec::new(), 30).rejection(&mine()), None);
    let stale = Proxy::holding(vec![session(SID, NOW + 1)], 31);
    assert_eq!(stale.rejection(&mine()), Some(Rejection::RevocationsStale));
    assert_eq!(Rejection::RevocationsStale.row().status, 503);
}

#[test]
fn where_a_rule_or_the_issuer_allows_it_what_is_too_old_still_judges() {
    let another = made(json!({ "sid": "another" }));
    let stale = Proxy::holding(vec![session(SID, NOW + 1)], 3_600);
    assert_eq!(stale.decide("/lenient", &mine()), Decision::Reject(Rejection::TokenRevoked));
    assert!(matches!(stale.decide("/lenient", &another), Decision::Forward(_)));
    let lenient = guarded(|document| {
        document["issuers"]["own"]["revocations"]["when_stale"] = json!("allow");
        document["policies"][0]["rules"][2]["when_stale"] = json!("reject");
    });
    let lenient = Proxy::of(lenient, vec![session(SID, NOW + 1)], 3_600);
    assert_eq!(lenient.rejection(&another), None);
    assert_eq!(lenient.rejection(&mine()), Some(Rejection::TokenRevoked));
    assert_eq!(lenient.decide("/admin", &another), Decision::Reject(Rejection::RevocationsStale));
}

#[test]
fn a_token_that_could_not_be_ended_is_malformed_where_there_is_a_feed() {
    let proxy = Proxy::holding(Vec::new(), 0);
    for changes in [
        json!({ "sid": null }),
        json!({ "sid": 7 }),
        json!({ "sid": "" }),
        json!({ "sid": "x".repeat(257) }),
        json!({ "user_version": null }),
        json!({ "user_version": "3" }),
        json!({ "user_version": -1 }),
        json!({ "user_version": 1.5 }),
        json!({ "epoch": null }),
        json!({ "epoch": [1] }),
    ] {
        assert_eq!(proxy.rejection(&made(changes.clone())), Some(Rejection::ClaimsMalformed), "{changes}");
    }
    // Its roles do not matter before that: who was taken back is told so.
    let revoked = Proxy::holding(vec![session(SID, NOW + 1)], 0);
    assert_eq!(revoked.decide("/admin", &mine()), Decision::Reject(Rejection::TokenRevoked));
}

#[test]
fn a_token_that_is_not_needed_must_not_be_a_revoked_one() {
    let revoked = Proxy::holding(vec![session(SID, NOW + 1)], 0);
    assert_eq!(revoked.decide("/optional", &mine()), Decision::Reject(Rejection::TokenRevoked));
}

#[test]
fn a_revoked_token_vouches_for_nobody_where_that_is_only_observed() {
    let observing = guarded(|document| document["mode"] = json!("observe"));
    let observing = Proxy::of(observing, vec![session(SID, NOW + 1)], 0);
    let Decision::Forward(edits) = observing.decide("/orders", &mine()) else { panic!("it observes") };
    assert!(edits.is_empty(), "{edits:?}");
}
