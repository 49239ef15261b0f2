//! Rules 16 to 18: how the log is followed.

use super::*;

/// The statements that hold a lock on the head until they are told.
const LOCK: &str = "LOCK TABLE revocation_head IN ACCESS EXCLUSIVE MODE";

/// Triggers that tell of records are gone, whatever they are called.
const SILENCE: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                WHERE tgrelid = 'revocations'::regclass AND prosrc LIKE '%pg_notify%' LOOP
        EXECUTE format('DROP TRIGGER %I ON revocations', name);
    END LOOP; END $$";

async fn waits_for_news(replica: &Replica, store: &Store) -> Duration {
    let before = replica.snapshot().await;
    let (took, ()) = tokio::join!(
        async {
            let delta = replica.delta(&before, 5).await;
            assert_eq!(delta.sequences().len(), 1);
            Instant::now()
        },
        async {
            until("it waits", || replica.feed.max_polls > replica.feed.polls.available_permits()).await;
            store.revoke(1, 900).await;
        }
    );
    took.elapsed()
}

#[tokio::test]
async fn a_record_wakes_who_waits_by_its_notification_long_before_the_next_look() {
    let (_database, store) = TestDatabase::migrated().await;
    let pace = Pace { poll: Duration::from_secs(1), listens: true };
    let replica = Replica::begin(&store, pace, 10).await;
    until("it listens", || replica.feed.readings.is_listening.load(Ordering::Relaxed)).await;
    replica.read().await;
    let before = replica.snapshot().await;
    for _ in 0..3 {
        let head = replica.snapshot().await.head();
        let begin = Instant::now();
        store.revoke(1, 900).await;
        until("it is read", || replica.feed.seen().log.as_ref().unwrap().head().sequence > head).await;
        assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    }
    assert_eq!(replica.delta(&before, 0).await.sequences(), [1, 2, 3]);
}

#[tokio::test]
async fn where_nothing_is_heard_looking_does_it_alone() {
    let (_database, store, replica) = feeding().await;
    store.execute(SILENCE).await;
    waits_for_news(&replica, &store).await;
    let deaf = Replica::begin(&store, Pace { listens: false, ..Pace::default() }, 10).await;
    deaf.read().await;
    waits_for_news(&deaf, &store).await;
}

#[tokio::test]
async fn a_connection_to_listen_on_that_is_lost_is_replaced_and_nothing_is_missed_meanwhile() {
    let (_database, store, replica) = feeding().await;
    let listening = || replica.feed.readings.is_listening.load(Ordering::Relaxed);
    until("it listens", listening).await;
    store
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'",
        )
        .await;
    waits_for_news(&replica, &store).await;
    until("it noticed", || !listening()).await;
    until("it listens again", listening).await;
}

#[tokio::test]
async fn the_time_is_read_before_the_head() {
    let (_database, store) = TestDatabase::migrated().await;
    // One reading is held up between its time and its head, and meanwhile a record is committed.
    // Where the statement is prepared already: else it would be held up before its transaction begins.
    store.revocation_log(0, 10).await.unwrap();
    let mut held = store.locked(LOCK).await;
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.revocation_log(0, 10).await.unwrap().unwrap() }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while store.count(waits).await == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let later = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    sleep(Duration::from_millis(20)).await;
    let later = store.count(later).await;
    let statement = "UPDATE revocation_head SET sequence = 1;
                     INSERT INTO revocations (sequence, kind, name, ends_at) VALUES (1, 'session', 'x', 9999999999)";
    sqlx::raw_sql(statement).execute(&mut *held).await.unwrap();
    held.commit().await.unwrap();
    let reading = reading.await.unwrap();
    assert_eq!(reading.head.sequence, 1, "it sees what came while it was held up");
    assert!(reading.as_of < u64::try_from(later).unwrap(), "and claims nothing of that time");
}

#[tokio::test]
async fn a_replica_that_is_blind_answers_nobody_and_who_waits_is_told_at_once() {
    let (_database, store, replica) = feeding().await;
    let before = replica.snapshot().await;
    let held = store.locked(LOCK).await;
    let begin = Instant::now();
    let got = replica.asks(&format!("{}&wait=5", before.position())).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "no heartbeat: {}", got.text);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(replica.asks("").await.status, StatusCode::SERVICE_UNAVAILABLE);
    held.rollback().await.unwrap();
    replica.read().await;
    let after = replica.delta(&before, 0).await;
    assert!(after.as_of() >= before.as_of() + 1_900);
}

#[tokio::test]
async fn a_changed_generation_drops_what_is_held_and_a_log_that_went_back_is_a_fork_for_everybody() {
    let (_database, store, replica) = feeding().await;
    store.revoke(2, 900).await;
    replica.read().await;
    let before = replica.snapshot().await;
    store.execute("UPDATE revocation_head SET generation = gen_random_uuid()").await;
    assert_eq!(replica.asks(&before.position()).await.status, StatusCode::OK, "not looked yet");
    replica.read().await;
    assert_eq!(replica.asks(&before.position()).await.status, StatusCode::CONFLICT);
    let anew = replica.snapshot().await;
    assert_eq!(anew.sequences(), [1, 2]);

    // A dump of before was played back into the same server, which nothing else shows: one that is shorter, one that went on.
    let went_back = [
        "DELETE FROM revocations WHERE sequence > 1;
         UPDATE revocation_head SET sequence = 1, digest = (SELECT digest FROM revocations)",
        "DELETE FROM revocations WHERE sequence > 1;
         UPDATE revocation_head SET sequence = 1, digest = (SELECT digest FROM revocations);
         UPDATE revocation_head SET sequence = 3;
         INSERT INTO revocations (sequence, kind, name, ends_at)
         VALUES (2, 'session', 'other', 9999999999), (3, 'session', 'another', 9999999999)",
    ];
    let others = Replica::begin(&store, Pace::default(), 100).await;
    for (round, statement) in (1..).zip(went_back) {
        others.read().await;
        let before = replica.snapshot().await;
        store.execute(statement).await;
        tokio::join!(replica.read(), others.read());
        others.read().await;
        let forked = replica.snapshot().await;
        assert_ne!(forked.0["generation"], before.0["generation"]);
        let kinds: Vec<_> = forked.0["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["kind"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds.iter().filter(|kind| **kind == "epoch").count(),
            1,
            "once, whoever saw it: {kinds:?}"
        );
        assert_eq!(kinds.last(), Some(&"epoch"));
        assert_eq!(replica.asks(&before.position()).await.status, StatusCode::CONFLICT);
        assert_eq!(others.snapshot().await.0["generation"], forked.0["generation"]);
        let trail =
            "SELECT count(*) FROM audit_events WHERE event = 'feed_generation' AND cause = 'log_went_back'";
        assert_eq!(store.count(trail).await, round);
    }
    assert_eq!(
        store
            .count("SELECT count(*) FROM issuer_state WHERE sessions_from_epoch = epoch AND epoch > 1")
            .await,
        1
    );
}

/// Nothing else shows it: whoever has seen it must not forget it because the database was busy in that moment.
#[tokio::test]
async fn a_fork_that_could_not_be_written_down_is_tried_again_and_nobody_is_answered_meanwhile() {
    let (_database, store, replica) = feeding().await;
    store.revoke(2, 900).await;
    replica.read().await;
    let before = replica.snapshot().await;
    let held = store.locked("SELECT FROM issuer_state FOR UPDATE").await;
    let failed = || replica.feed.readings.failed.load(Ordering::Relaxed);
    let so_far = failed();
    store
        .execute(
            "DELETE FROM revocations WHERE sequence > 1;
             UPDATE revocation_head SET sequence = 1, digest = (SELECT digest FROM revocations)",
        )
        .await;
    until("it could not write", || failed() > so_far).await;
    assert_eq!(replica.asks("").await.status, StatusCode::SERVICE_UNAVAILABLE);
    held.rollback().await.unwrap();
    replica.read().await;
    let forked = replica.snapshot().await;
    assert_ne!(forked.0["generation"], before.0["generation"]);
    assert_eq!(forked.0["records"].as_array().unwrap().last().unwrap()["kind"], "epoch");
}

/// A pooler does so after a failover, and no connection was opened that would be looked at.
#[tokio::test]
async fn a_connection_that_was_moved_to_another_server_is_noticed_by_the_next_reading() {
    let (_database, store, replica) = feeding().await;
    let before = replica.snapshot().await;
    store
        .execute(
            "CREATE OR REPLACE FUNCTION bearward_instance() RETURNS text LANGUAGE sql AS $$ SELECT '7:00000002' $$",
        )
        .await;
    let generation = || replica.feed.seen().log.as_ref().unwrap().generation().simple().to_string();
    until("it is another log", || generation() != before.0["generation"].as_str().unwrap()).await;
    replica.read().await;
    assert_eq!(replica.snapshot().await.0["records"][0]["kind"], "epoch");
    let trail =
        "SELECT count(*) FROM audit_events WHERE event = 'feed_generation' AND cause = 'another_instance'";
    assert_eq!(store.count(trail).await, 1);
}

#[tokio::test]
async fn a_log_of_many_statements_is_read_whole_and_purged_by_its_ends() {
    let (_database, store) = TestDatabase::migrated().await;
    store.revoke(12_000, 900).await;
    let replica = Replica::begin(&store, Pace::default(), 10).await;
    replica.read().await;
    let held =
        |replica: &Replica| replica.feed.seen().log.as_ref().map(|log| (log.len(), log.head().sequence));
    assert_eq!(held(&replica), Some((12_000, 12_000)));
    store.revoke(5_000, 900).await;
    replica.read().await;
    assert_eq!(held(&replica), Some((17_000, 17_000)), "no more is read than what came");
    assert_eq!(replica.feed.readings.whole.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_row_that_was_purged_at_the_head_does_not_make_all_be_read_anew() {
    let (_database, store, replica) = feeding().await;
    store.revoke(1, 900).await;
    replica.read().await;
    let before = replica.snapshot().await;
    store.execute("DELETE FROM revocations").await;
    replica.read().await;
    store.revoke(1, 900).await;
    replica.read().await;
    assert_eq!(replica.delta(&before, 0).await.sequences(), [2]);
    assert_eq!(replica.feed.readings.whole.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_that_have_every_connection_do_not_make_the_feed_blind() {
    let (_database, store, replica) = feeding().await;
    let all = store.occupy().await;
    sleep(MAX_HEAD_AGE).await;
    assert_eq!(replica.asks("").await.status, StatusCode::OK);
    drop(all);
}
