//! Replicas that are killed, blind, or behind.

use std::time::{Duration, Instant};

use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::TestDatabase;
use bearward_tests::harness::database_server;
use bearward_tests::link::Fault;
use bearward_tests::note::note;

use super::PROMISED;
use super::issuers::{Issuers, RECOVERY, STALE_AFTER, soon_stale};
use super::people::{Person, felt, passing, since, verdict};
use super::watch::Watch;

/// How old what a replica has read may be before it says so.
const BLIND_AFTER: Duration = Duration::from_secs(2);
/// By how much one is farther from its database: it needs some ways to and fro for a reading.
const DELAY: Duration = Duration::from_millis(80);

#[test]
fn while_one_replica_is_killed_what_is_revoked_at_the_other_is_felt_in_time() {
    let database = TestDatabase::create(&database_server());
    let mut issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    for _ in 0..3 {
        let asked = issuers.asked();
        let session = issuers.both[1 - asked].new_session(proxy.url());
        let asked = issuers.asked();
        let [dead, other] = [asked, 1 - asked];
        issuers.both[dead].kill();
        issuers.both[other].log_out(&session);
        watch.ended(&session, PROMISED);
        let took = felt(proxy.url(), "with a replica killed", "token_revoked", &[&session], &[&honest]);
        assert!(took <= PROMISED, "{took:?}");
        // Also while it stays away.
        let away = issuers.both[other].logout_is_felt(proxy.url(), &watch, "a replica away", PROMISED);
        issuers.both[dead].resume();
        let back = issuers.both[dead].logout_is_felt(proxy.url(), &watch, "a replica back", PROMISED);
        note(&format!(
            "revocation under trouble: the replica that was asked killed: felt after {took:?}, while it is away {away:?}, \
             back {back:?}"
        ));
    }
    assert_eq!(watch.finish().away, None, "the other replica was enough");
}

#[test]
fn while_all_replicas_are_dead_the_gate_closes_in_time_and_opens_by_itself_without_who_was_revoked() {
    let database = TestDatabase::create(&database_server());
    let mut issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&soon_stale(issuers.setup()), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let (felt_before, lost) =
        (issuers.both[0].new_session(proxy.url()), issuers.both[0].new_session(proxy.url()));
    issuers.both[0].log_out(&felt_before);
    watch.ended(&felt_before, PROMISED);
    felt(proxy.url(), "before", "token_revoked", &[&felt_before], &[&honest]);

    // The last word of an issuer that dies: whether it was heard or not, nobody passes with it for longer than this.
    issuers.both[0].log_out(&lost);
    issuers.both.iter_mut().for_each(super::issuers::Replica::kill);
    watch.ended(&lost, STALE_AFTER + PROMISED);
    let begun = Instant::now();
    eventually("a gate that is closed", || (verdict(proxy.url(), &honest).0 == 503).then_some(()));
    let closed = since(begun);
    assert!(closed <= STALE_AFTER + PROMISED, "{closed:?}");

    issuers.both.iter_mut().for_each(super::issuers::Replica::resume);
    let opened = passing(proxy.url(), "a gate that opens again", &[&honest], RECOVERY);
    felt(proxy.url(), "all that was revoked", "token_revoked", &[&felt_before, &lost], &[&honest]);
    issuers.both[1].logout_is_felt(proxy.url(), &watch, "after it", PROMISED);
    note(&format!(
        "revocation under trouble: both issuers killed: 503 after {closed:?} (stale after {STALE_AFTER:?}), open again \
         {opened:?} after they were ready"
    ));
    watch.finish();
}

#[test]
fn a_replica_that_is_cut_off_from_its_database_is_left_for_the_other_one() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let asked = issuers.asked();
    let [blind, other] = [asked, 1 - asked].map(|index| &issuers.both[index]);
    blind.database.set(Fault::Silence);
    let first = other.logout_is_felt(proxy.url(), &watch, "a replica goes blind", BLIND_AFTER + PROMISED * 2);
    eventually("a replica that says that it is blind", || {
        (blind.issuer().readiness() == Some(503)).then_some(())
    });
    let after = (0..4).map(|_| other.logout_is_felt(proxy.url(), &watch, "a blind replica", PROMISED));
    let after = after.max().unwrap();
    blind.database.set(Fault::None);
    blind.database.cut();
    eventually("a replica that sees again", || (blind.issuer().readiness() == Some(200)).then_some(()));
    blind.logout_is_felt(proxy.url(), &watch, "a replica that sees again", PROMISED);
    note(&format!(
        "revocation under trouble: one replica cut off from PostgreSQL: felt after {first:?} as it happens, then after \
         {after:?}"
    ));
    assert_eq!(watch.finish().away, None, "the other replica was enough");
}

#[test]
fn a_replica_that_is_behind_costs_no_snapshot_and_no_more_time_than_it_may_be_behind() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let [behind, other] = &issuers.both;
    behind.database.set(Fault::Delay(DELAY));
    let longest = BLIND_AFTER + PROMISED;
    let times = (0..6).map(|_| other.logout_is_felt(proxy.url(), &watch, "a replica behind", longest));
    let slowest = times.max().unwrap();
    let conflicts = proxy.metric("bearward_feed_refusals", "issuer=\"bearward\",reason=\"conflict\"");
    assert_eq!(conflicts, None, "nobody was sent to a snapshot");
    note(&format!(
        "revocation under trouble: PostgreSQL {DELAY:?} farther each way from one replica: felt after {slowest:?}, without 409"
    ));
    assert_eq!(watch.finish().away, None);
}
