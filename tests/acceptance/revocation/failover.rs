//! PostgreSQL crashes and comes back, or another server takes over that lacks the last of it.

use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::{run, texts};
use bearward_tests::note::note;
use serde_json::json;
use xtask::directory::TemporaryDirectory;
use xtask::postgres::{Database, Durability, Shutdown};
use xtask::report::Report;

use super::PROMISED;
use super::issuers::{Issuers, RECOVERY};
use super::people::{Person, felt, felt_within, passing, since};
use super::watch::Watch;

#[test]
fn a_database_that_crashes_and_comes_back_is_felt_by_nobody_who_has_a_token() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let report = &mut Report::silent();
    let mut database = Database::durable(directory.path(), report).unwrap();
    let issuers = Issuers::start(database.url());
    let (person, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let before = issuers.both[0].new_session(proxy.url());
    issuers.both[0].log_out(&before);
    watch.ended(&before, PROMISED);
    felt(proxy.url(), "before", "token_revoked", &[&before], &[&honest]);
    let generation = texts(database.url(), GENERATION).unwrap();

    database.stop(Shutdown::Immediate, report).unwrap();
    let blind = || issuers.both.iter().all(|replica| replica.issuer().readiness() == Some(503));
    eventually("issuers that say that they are blind", || blind().then_some(()));
    database.resume(report).unwrap();
    let back = Instant::now();
    eventually("a logout that goes", || {
        let answer = Request::get("/api/auth/me").bearer(super::token(&honest)).send(issuers.both[1].url());
        (answer.status == 200).then_some(())
    });
    let took = issuers.both[1].logout_is_felt(proxy.url(), &watch, "after the crash", RECOVERY);
    note(&format!(
        "revocation under trouble: PostgreSQL crashed and back: a logout was felt {:?} after it took connections ({took:?} \
         after the logout)",
        since(back)
    ));
    assert_eq!(texts(database.url(), GENERATION).unwrap(), generation, "it is the same log");
    felt(proxy.url(), "before", "token_revoked", &[&before], &[&honest]);
    passing(proxy.url(), "a new login", &[&person.log_in(issuers.both[0].url())], PROMISED);
    assert_eq!(watch.finish().away, None, "what is known was not stale");
}

const GENERATION: &str = "SELECT generation::text FROM revocation_head";

#[test]
fn after_a_failover_that_lost_revocations_everybody_logs_in_once_and_nobody_who_was_revoked_passes() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let report = &mut Report::silent();
    let mut primary = Database::throw_away(directory.path(), None, Durability::None, report).unwrap();
    let issuers = Issuers::start(primary.url());
    let standby = primary.standby(directory.path(), report).unwrap().unwrap();
    let [one, two] = &issuers.both;
    let (person, honest) = Person::sign_up(one.url());
    let (other_person, other) = Person::sign_up(one.url());
    let proxy = issuers.proxy(&issuers.setup(), &honest);
    let watch = Watch::over(proxy.url(), &honest);

    // What the standby has.
    let kept = one.new_session(proxy.url());
    one.log_out(&kept);
    watch.ended(&kept, PROMISED);
    felt(proxy.url(), "a logout that is kept", "token_revoked", &[&kept], &[&honest]);
    let has_it = "SELECT 'yes' FROM revocations HAVING count(*) = 1";
    eventually("a standby that follows", || {
        texts(standby.url(), has_it).ok().filter(|rows| !rows.is_empty())
    });
    // And what it will never have.
    run(standby.url(), "ALTER SYSTEM SET primary_conninfo = ''").unwrap();
    run(standby.url(), "SELECT pg_reload_conf()").unwrap();
    let follows = "SELECT application_name FROM pg_stat_replication";
    eventually("a standby that follows no more", || {
        texts(primary.url(), follows).unwrap().is_empty().then_some(())
    });
    let lost = other_person.log_in(one.url());
    passing(proxy.url(), "a session", &[&lost], PROMISED);
    two.log_out(&other);
    watch.ended(&other, PROMISED);
    felt(proxy.url(), "a logout that will be lost", "token_revoked", &[&other], &[&honest]);
    let count = texts(standby.url(), "SELECT count(*)::text FROM revocations").unwrap();
    assert_eq!(count, ["1"], "the standby lacks it");

    watch.honest_is(None);
    let begun = Instant::now();
    primary.stop(Shutdown::Immediate, report).unwrap();
    run(standby.url(), "SELECT pg_promote()").unwrap();
    for replica in &issuers.both {
        replica.database.lead_to(standby.url());
        replica.database.cut();
    }
    let (promoted, promotion) = (since(begun), Instant::now());
    let after = eventually("a login at the new primary", || {
        let body = json!({ "email": person.email(), "password": person.password });
        let answer = Request::post("/api/auth/login", &body).send(two.url());
        (answer.status == 200).then(|| answer.json())
    });
    // A new token goes at once, whether the proxy knows of the fork or not; and those of before are refused once it does.
    passing(proxy.url(), "a login after the failover", &[&after], RECOVERY);
    let new = since(promotion);
    watch.honest_is(Some(&after));
    felt_within(
        proxy.url(),
        "the failover",
        "token_revoked",
        &[&honest, &kept, &other, &lost],
        &[&after],
        RECOVERY,
    );
    let old = since(promotion);
    for session in [&honest, &lost] {
        watch.ended(session, Duration::ZERO);
    }
    note(&format!(
        "revocation under trouble: failover without its tail: promoted after {promoted:?}; from then on a login passed after {new:?}, all of \
         before was refused after {old:?}"
    ));
    let refresh = Request::post("/api/auth/refresh", &json!({ "refreshToken": other["refreshToken"] }));
    assert_eq!(refresh.send(one.url()).status, 401, "a session whose end was lost does not live again");
    let log = two.issuer().log() + &one.issuer().log();
    assert!(log.contains("the database is another one or has another history than before"), "{log}");
    two.logout_is_felt(proxy.url(), &watch, "a logout after the failover", PROMISED);
    assert_eq!(watch.finish().away, None, "what is known was not stale");
}
