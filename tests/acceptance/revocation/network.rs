//! The network between Envoy and the issuers: reset, slow, black-holed, one-way.

use std::time::{Duration, Instant};

use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::TestDatabase;
use bearward_tests::harness::{Setup, database_server};
use bearward_tests::link::Fault;
use bearward_tests::note::note;
use serde_json::json;

use super::PROMISED;
use super::issuers::{Issuers, RECOVERY, Replica, STALE_AFTER, TIMEOUT, soon_stale};
use super::people::{Person, felt, passing, since, verdict};
use super::watch::Watch;

#[test]
fn connections_that_are_reset_and_ones_that_are_slow_hold_nothing_up_for_longer_than_promised() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);

    let mut slowest = Duration::ZERO;
    for round in 0..6 {
        // Whoever is asked: in the middle of a question.
        issuers.asked();
        let reset: usize = issuers.both.iter().map(|replica| replica.feed.reset()).sum();
        assert!(reset > 0, "a question was under way");
        let replica = &issuers.both[round % 2];
        slowest = slowest.max(replica.logout_is_felt(proxy.url(), &watch, "a reset", PROMISED));
    }
    note(&format!("revocation under trouble: connections to the issuers reset: felt after {slowest:?}"));

    let delay = Duration::from_millis(150);
    issuers.both.iter().for_each(|replica| replica.feed.set(Fault::Delay(delay)));
    let mut slowest = Duration::ZERO;
    for replica in &issuers.both {
        let took = replica.logout_is_felt(proxy.url(), &watch, "a slow network", PROMISED);
        slowest = slowest.max(took);
    }
    note(&format!("revocation under trouble: {delay:?} later each way: felt after {slowest:?}"));
    let seen = watch.finish();
    assert_eq!(seen.away, None, "nobody noticed");
    assert!(seen.asked > 100, "{}", seen.asked);
}

/// Without health checks in the cluster nothing but the question's own timeout shows it.
#[test]
fn a_way_that_loses_one_direction_holds_up_until_the_question_is_given_up() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let setup = issuers.setup().change_policy(|policy| {
        policy["issuers"]["bearward"]["revocations"]["wait_seconds"] = json!(1);
    });
    let proxy = issuers.proxy(&setup, &honest);
    let watch = Watch::over(proxy.url(), &honest);
    // Whoever asks for a second is given up after three.
    let longest = Duration::from_secs(1 + 2) + PROMISED;
    for fault in [Fault::LostRequests, Fault::LostAnswers] {
        let (lossy, other) = lose_a_question(&issuers, fault);
        let took = other.logout_is_felt(proxy.url(), &watch, "a lossy way", longest);
        note(&format!(
            "revocation under trouble: way to one replica, {fault:?}, wait_seconds 1, without health checks: felt after {took:?}"
        ));
        lossy.feed.set(Fault::None);
    }
    let recovered = issuers.both[0].logout_is_felt(proxy.url(), &watch, "after all of it", RECOVERY);
    note(&format!(
        "revocation under trouble: ways to one replica that lost: felt {recovered:?} after the last"
    ));
    assert_eq!(watch.finish().away, None, "the other replica was enough");
}

/// A question that is under way is not given up for it, but no other is asked there.
#[test]
fn with_health_checks_in_the_cluster_a_way_that_loses_everything_holds_up_once() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&with_health_checks(issuers.setup()), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let (_, other) = lose_a_question(&issuers, Fault::Silence);
    let first = other.logout_is_felt(proxy.url(), &watch, "a lossy way", TIMEOUT + PROMISED);
    // More often than there are replicas to be asked in turn.
    let after =
        (0..3).map(|_| other.logout_is_felt(proxy.url(), &watch, "a way known to be lossy", PROMISED));
    let after = after.max().unwrap();
    note(&format!(
        "revocation under trouble: way to one replica, Silence, with health checks: felt after {first:?}, then after \
         {after:?}"
    ));
    assert_eq!(watch.finish().away, None, "the other replica was enough");
}

#[test]
fn where_no_replica_can_be_reached_the_gate_closes_in_time_and_opens_by_itself() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&soon_stale(issuers.setup()), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let before = issuers.both[0].new_session(proxy.url());
    issuers.both[0].log_out(&before);
    watch.ended(&before, PROMISED);
    felt(proxy.url(), "before", "token_revoked", &[&before], &[]);

    let meanwhile = issuers.both[0].new_session(proxy.url());
    issuers.both.iter().for_each(|replica| replica.feed.set(Fault::Silence));
    let begun = Instant::now();
    issuers.both[1].log_out(&meanwhile);
    watch.ended(&meanwhile, STALE_AFTER + PROMISED);
    eventually("a gate that is closed", || (verdict(proxy.url(), &honest).0 == 503).then_some(()));
    let closed = since(begun);
    assert!(closed <= STALE_AFTER + PROMISED, "{closed:?}");

    issuers.both.iter().for_each(|replica| replica.feed.set(Fault::None));
    let opened = passing(proxy.url(), "a gate that opens again", &[&honest], RECOVERY);
    let code = "token_revoked";
    felt(proxy.url(), "what was revoked before and meanwhile", code, &[&before, &meanwhile], &[&honest]);
    note(&format!(
        "revocation under trouble: both ways black-holed: 503 after {closed:?} (stale after {STALE_AFTER:?}), open again \
         {opened:?} after its end"
    ));
    watch.finish();
}

/// Whoever is asked is at the end of a way that loses from now on, and a question has been lost, or its answer will be.
fn lose_a_question(issuers: &Issuers, fault: Fault) -> (&Replica, &Replica) {
    let asked = issuers.asked();
    let [lossy, other] = [asked, 1 - asked].map(|index| &issuers.both[index]);
    lossy.feed.set(fault);
    if fault == Fault::LostRequests {
        // The one that waits is answered; the next one is lost.
        eventually("a lost question", || (lossy.feed.losses() > 0).then_some(()));
    }
    (lossy, other)
}

/// As docs/revocations.md shows them.
fn with_health_checks(setup: Setup) -> Setup {
    const ASSIGNMENT: &str = "      load_assignment:\n        cluster_name: issuer_internal\n";
    let checks = "      health_checks:
        - timeout: 1s
          interval: 1s
          no_traffic_interval: 1s
          unhealthy_threshold: 2
          healthy_threshold: 1
          http_health_check: { path: /readyz }
";
    setup.edit(ASSIGNMENT, &format!("{checks}{ASSIGNMENT}"))
}
