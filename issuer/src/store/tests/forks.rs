//! The chain of digests, and what becomes of tokens and sessions when the database goes on from an earlier point.

use sha2::{Digest, Sha256};

use super::refresh::Session;
use super::*;
use crate::audit::{Event, Kind};
use crate::store::refresh::RefreshRefusal;
use crate::store::testing::somebody;

/// From here on the database says that it is another server.
const ELSEWHERE: &str =
    "CREATE OR REPLACE FUNCTION bearward_instance() RETURNS text LANGUAGE sql AS $$ SELECT '7:00000002' $$";

impl Session {
    /// What a process has that connects now.
    fn connect(&self) -> Store {
        connect::pool(&self.database.settings)
    }

    /// Epoch, the least of sessions, generation, and the instance.
    async fn state(&self) -> (i64, i64, Uuid, String) {
        sqlx::query_as(
            "SELECT epoch, sessions_from_epoch, generation, instance FROM issuer_state, revocation_head",
        )
        .fetch_one(&self.store.pool)
        .await
        .unwrap()
    }

    async fn epoch_records(&self) -> Vec<(i64, i64)> {
        sqlx::query_as("SELECT minimum, ends_at FROM revocations WHERE kind = 'epoch' ORDER BY sequence")
            .fetch_all(&self.store.pool)
            .await
            .unwrap()
    }

    async fn now(&self) -> i64 {
        self.store.count("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint").await
    }
}

#[tokio::test]
async fn every_record_has_the_digest_of_the_one_before_and_of_its_own_members_also_in_a_block_and_after_a_purge()
 {
    let session = Session::new().await;
    let (store, user) = (&session.store, session.person.id);
    for number in 2..5 {
        store
            .open_session(&session.person.verified(), &opening(Uuid::from_u128(number)))
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(store.end_other_sessions(user, session.id, Why::Ended, somebody()).await.unwrap(), 3);
    assert!(store.log_out_everywhere(user, somebody()).await.unwrap());
    store.new_generation(&Event::of_operator(Kind::FeedGeneration)).await.unwrap();
    type Row = (i64, String, Option<String>, Option<i64>, Option<i64>, Option<String>, Option<i64>, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sequence, kind, name, minimum, epoch, reason, ends_at, digest FROM revocations ORDER BY sequence",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 5);
    let mut before = vec![0; 32];
    for (sequence, kind, name, minimum, epoch, reason, ends_at, digest) in rows {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let members = [
            Some(sequence.to_string()),
            Some(kind),
            name,
            number(minimum),
            number(epoch),
            reason,
            number(ends_at),
        ];
        let text = members.map(|member| match member {
            Some(member) => format!("{}:{member}", member.len()),
            None => "-".to_owned(),
        });
        before = Sha256::new().chain_update(&before).chain_update(text.join(",")).finalize().to_vec();
        assert_eq!(digest, before, "{sequence}");
    }
    store.execute("DELETE FROM revocations").await;
    let head: Vec<u8> =
        sqlx::query_scalar("SELECT digest FROM revocation_head").fetch_one(&store.pool).await.unwrap();
    assert_eq!(head, before);
}

#[tokio::test]
async fn a_record_of_a_subject_says_the_epoch_of_its_time_also_where_the_release_before_writes_it() {
    let session = Session::new().await;
    session.store.execute("UPDATE issuer_state SET epoch = 5").await;
    assert!(session.store.log_out_everywhere(session.person.id, somebody()).await.unwrap());
    session
        .store
        .execute(
            "UPDATE revocation_head SET sequence = 2;
             INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at)
             VALUES (2, 'subject', 'x', 1, 'gone', 1)",
        )
        .await;
    let epochs =
        "SELECT count(*) FROM revocations WHERE kind = 'subject' AND epoch = 5 AND digest IS NOT NULL";
    assert_eq!(session.store.count(epochs).await, 2);
}

#[tokio::test]
async fn on_another_server_everything_of_before_ends_before_anything_is_read() {
    let session = Session::new().await;
    let (epoch, _, generation, _) = session.state().await;
    session.store.execute(ELSEWHERE).await;
    let elsewhere = session.connect();
    assert_eq!(elsewhere.standing(&identity(&session.grant)).await.unwrap(), Standing::Revoked);
    let now = session.now().await;
    let (raised, from, another, instance) = session.state().await;
    assert_eq!(instance, "7:00000002");
    assert_ne!(another, generation);
    assert!(raised > epoch && (now - 60..=now).contains(&raised), "{raised} by the clock");
    assert_eq!(from, raised);
    let [(minimum, ends_at)] = session.epoch_records().await[..] else { panic!("one record") };
    assert_eq!(minimum, raised);
    assert!((0..60).contains(&(now + 86_400 + 300 + 60 - ends_at)), "by the bound of the setting");
    let refused = Refreshed::Refused { why: RefreshRefusal::Ended, whose: Some(session.whose()) };
    assert_eq!(session.refresh(&session.token).await, refused);
    let trail = "SELECT count(*) FROM audit_events WHERE event = 'feed_generation' AND cause = 'another_instance' AND actor = 'issuer'";
    assert_eq!(session.store.count(trail).await, 1);
    // A new login is of the new epoch, and the next connection finds nothing to do.
    let verified = session.person.verified();
    let login = elsewhere.open_session(&verified, &opening(Uuid::from_u128(2))).await.unwrap().unwrap();
    assert_eq!(i64::try_from(login.epoch).unwrap(), raised);
    let standing = session.connect().standing(&identity(&login)).await.unwrap();
    assert!(matches!(standing, Standing::Good(_)));
    assert_eq!(session.state().await, (raised, from, another, instance));
}

#[tokio::test]
async fn of_many_connections_that_find_another_server_one_raises_the_epoch() {
    let session = Session::new().await;
    session.store.execute(ELSEWHERE).await;
    let connections = (0..8).map(|_| {
        let (store, token) = (session.connect(), identity(&session.grant));
        tokio::spawn(async move { store.standing(&token).await.unwrap() })
    });
    for connection in connections.collect::<Vec<_>>() {
        assert_eq!(connection.await.unwrap(), Standing::Revoked);
    }
    assert_eq!(session.epoch_records().await.len(), 1);
}

#[tokio::test]
async fn a_database_whose_server_was_never_written_down_is_taken_as_it_is() {
    let session = Session::new().await;
    let before = session.state().await;
    session.store.execute("UPDATE issuer_state SET instance = NULL").await;
    let standing = session.connect().standing(&identity(&session.grant)).await.unwrap();
    assert!(matches!(standing, Standing::Good(_)));
    assert_eq!(session.state().await, before);
}

/// It could be promoted while the connection stands.
#[tokio::test]
async fn a_connection_to_a_standby_is_not_used() {
    let session = Session::new().await;
    session
        .store
        .execute(
            "CREATE OR REPLACE FUNCTION bearward_instance() RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$",
        )
        .await;
    let standing = session.connect().standing(&identity(&session.grant)).await;
    assert!(matches!(standing, Err(StoreError::Unavailable(_))), "{standing:?}");
}

#[tokio::test]
async fn a_new_generation_by_hand_does_what_a_fork_does_and_is_written_down() {
    let session = Session::new().await;
    let (epoch, _, generation, instance) = session.state().await;
    session.store.new_generation(&Event::of_operator(Kind::FeedGeneration)).await.unwrap();
    let (raised, from, another, same) = session.state().await;
    assert!(raised > epoch && from == raised && another != generation && same == instance);
    assert_eq!(session.epoch_records().await.len(), 1);
    assert_eq!(session.store.standing(&identity(&session.grant)).await.unwrap(), Standing::Revoked);
    let again = Event::of_operator(Kind::FeedGeneration);
    session.store.new_generation(&again).await.unwrap();
    assert!(session.state().await.0 > raised, "also twice within a second");
    let trail = "SELECT count(*) FROM audit_events WHERE event = 'feed_generation' AND actor = 'operator'";
    assert_eq!(session.store.count(trail).await, 2);
}

/// Which of them were used in what is lost nobody knows.
#[tokio::test]
async fn one_time_links_of_before_a_fork_are_void() {
    let session = Session::new().await;
    session
        .store
        .execute(
            "INSERT INTO password_links (token_hash, user_id, expires_at)
             SELECT sha256('link'), id, now() + interval '1 day' FROM users",
        )
        .await;
    session.store.new_generation(&Event::of_operator(Kind::FeedGeneration)).await.unwrap();
    assert_eq!(session.store.count("SELECT count(*) FROM password_links").await, 0);
}

/// A dump that is played back into a new database of the same server: what stands there is what stood in the other one.
#[tokio::test]
async fn another_database_of_the_same_server_is_another_place() {
    let [session, restored] = [Session::new().await, Session::new().await];
    let (epoch, _, _, here) = session.state().await;
    let (_, _, generation, there) = restored.state().await;
    assert_ne!(here, there);
    sqlx::query("UPDATE issuer_state SET instance = $1")
        .bind(&here)
        .execute(&restored.store.pool)
        .await
        .unwrap();
    let standing = restored.connect().standing(&identity(&restored.grant)).await.unwrap();
    assert_eq!(standing, Standing::Revoked);
    let (raised, from, another, instance) = restored.state().await;
    assert!(raised > epoch && from == raised && another != generation && instance == there);
    let standing = session.connect().standing(&identity(&session.grant)).await.unwrap();
    assert!(matches!(standing, Standing::Good(_)), "and what was written down by the migration is this one");
}

#[tokio::test]
async fn sessions_of_before_a_fork_are_not_listed() {
    let session = Session::new().await;
    let listed = async || session.store.list_sessions(session.person.id, testing::LIVES).await.unwrap().len();
    assert_eq!(listed().await, 1);
    session.store.new_generation(&Event::of_operator(Kind::FeedGeneration)).await.unwrap();
    assert_eq!(listed().await, 0);
}
