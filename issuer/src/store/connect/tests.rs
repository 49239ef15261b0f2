//! The way to PostgreSQL, to a real one and to none.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::*;
use crate::account::{CUSTOMER, Email, LoginEmail, Name};
use crate::audit::{Actor, By, Event, Kind};
use crate::hashing::PasswordHash;
use crate::keys::Keeper;
use crate::password_link::LinkToken;
use crate::purge;
use crate::refresh::SuccessorKey;
use crate::settings::ThrottleSettings;
use crate::store::testing::{TestDatabase, identity, opening, somebody};
use crate::store::{Client, NewPasswordLink, NewUser, Standing, StoreError, Verified, Why};
use crate::throttle::{Limit, Throttle, ThrottleKey};

/// A role that every server has and that may do nothing here: rights given to it end with the test's database.
const LEAST_ROLE: &str = "pg_signal_backend";

#[tokio::test]
async fn a_database_that_does_not_come_up_is_waited_for_and_then_named() {
    let options = "postgres://u:hunter2@127.0.0.1:1/d".parse().unwrap();
    let wait = Duration::from_millis(300);
    let settings = DatabaseSettings { options, connections: 1, wait };
    let begin = Instant::now();
    let Err(error) = migrated(&settings).await else { panic!("there is no server") };
    assert!(begin.elapsed() >= wait);
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1") && text.contains("DATABASE_URL"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_waited_for_as_one_that_does_not_answer() {
    let database = TestDatabase::empty().await;
    let mut settings = database.settings.clone();
    settings.options = settings.options.options([("default_transaction_read_only", "on")]);
    settings.wait = Duration::from_millis(300);
    let begin = Instant::now();
    let error = connection(&settings).await.unwrap_err();
    assert!(begin.elapsed() >= settings.wait);
    assert!(matches!(error, ConnectError::Away { .. }), "{error}");
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_neither_migrate_nor_make_a_key_can_serve_what_was_prepared() {
    let (database, owner) = TestDatabase::migrated().await;
    let keys = Keeper::of_test(&owner).load(None).await.unwrap();
    let prepared = owner.successor_key(&SuccessorKey::new().unwrap()).await.unwrap();
    let prepared_throttle_key = owner.throttle_key(&[1; 32]).await.unwrap();
    owner
        .execute(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;
             REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
             GRANT USAGE ON SCHEMA public TO pg_signal_backend;
             GRANT EXECUTE ON FUNCTION bearward_instance() TO pg_signal_backend;
             GRANT SELECT ON _sqlx_migrations, issuer_state, signing_keys, server_keys TO pg_signal_backend",
        )
        .await;
    let mut settings = database.settings.clone();
    settings.options = settings.options.options([("role", LEAST_ROLE)]);
    let store = migrated(&settings).await.unwrap();
    let successors = store.successor_key(&SuccessorKey::new().unwrap()).await.unwrap();
    assert_eq!(successors.expose(), prepared.expose());
    let found = Keeper::of_test(&store).load(None).await.unwrap();
    assert_eq!(found.kids(), keys.kids());
    let throttle_key = store.throttle_key(&[2; 32]).await.unwrap();
    assert_eq!(throttle_key, prepared_throttle_key);
    let forbidden = store.credentials("priya@example.com").await;
    assert!(matches!(forbidden, Err(StoreError::Unavailable(_))), "{forbidden:?}");
    owner.execute(grants(LEAST_ROLE).leak()).await;
    assert!(Keeper::of_test(&store).rotate(&Event::of_operator(Kind::KeyRotate)).await.is_ok());
    let (name, email) = (Name::parse("Priya").unwrap(), Email::parse("priya@example.com").unwrap());
    let password_hash = &PasswordHash::stored("x".to_owned());
    let id = Uuid::from_u128(1);
    let user = NewUser { id, name: &name, email: &email, password_hash, role: CUSTOMER };
    assert!(store.sign_up(&user, &opening(Uuid::from_u128(2))).await.unwrap().is_some());
    let verified = Verified { user_id: id, password_hash, user_version: 1 };
    let grant = store.open_session(&verified, &opening(Uuid::from_u128(3))).await.unwrap().unwrap();
    assert!(matches!(store.standing(&identity(&grant)).await.unwrap(), Standing::Good(_)));
    assert!(store.end_session(id, grant.session_id, Why::Logout, somebody()).await.unwrap());
    assert!(store.log_out_everywhere(id, somebody()).await.unwrap());
    for purged in purge::all(90) {
        store.purge(purged, 1).await.unwrap();
    }
    let link = NewPasswordLink { token_hash: LinkToken::new().unwrap().hash(), seconds: 60 };
    let event = Event::of_operator(Kind::PasswordLink);
    assert!(store.create_password_link(id, &link, &event).await.is_ok());
    let event = Event::of_operator(Kind::PasswordChange);
    assert!(store.redeem_password_link(link.token_hash, password_hash, &event).await.unwrap());
    assert!(store.delete_user(id, &Event::of_operator(Kind::UserDelete)).await.is_ok());
    let off = None;
    let limits = ThrottleSettings {
        login: Limit::parse("10/900").unwrap(),
        login_account: off,
        login_address: off,
        signup: off,
        refresh: off,
    };
    let throttle = Throttle::new(ThrottleKey::new(&throttle_key).unwrap(), limits);
    let (email, nobody) = (LoginEmail::new("priya@example.com"), Client::default());
    for _ in 0..2 {
        let event = Event::refused(Kind::Login, "throttled", &nobody);
        throttle.login(&store, &email, event).await.unwrap().succeeded().await;
    }
    assert_eq!(store.count("SELECT count(*) FROM throttle").await, 0);
}

#[tokio::test]
async fn a_failure_of_tls_is_told_at_once_and_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"Sthis is not TLS").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let options = format!("postgres://u@{address}/d?sslmode=verify-full").parse().unwrap();
    let settings = DatabaseSettings { options, connections: 1, wait: Duration::from_secs(60) };
    let error = timeout(Duration::from_secs(10), connection(&settings)).await.unwrap().unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_name_is_refused() {
    let options = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    let database = TestDatabase::made_with(options).await;
    let error = connection(&database.settings).await.unwrap_err();
    assert!(error.to_string().starts_with("the database is in encoding LATIN1"), "{error}");
}

#[tokio::test]
async fn no_statement_no_lock_and_no_open_transaction_of_a_request_lasts_for_ever() {
    let (_database, store) = TestDatabase::migrated().await;
    for (setting, expected) in
        [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")]
    {
        let found = sqlx::query_scalar::<_, String>("SELECT current_setting($1)").bind(setting);
        assert_eq!(found.fetch_one(&store.pool).await.unwrap(), expected, "{setting}");
    }
}

/// Each statement must see what was committed while it waited for its lock: with one snapshot for the whole transaction a
/// session that was opened meanwhile would be missed, and live on.
#[tokio::test]
async fn a_session_that_is_opened_while_all_are_being_ended_ends_whatever_isolation_is_the_default() {
    let (mut database, owner) = TestDatabase::migrated().await;
    database.settings.options =
        database.settings.options.clone().options([("default_transaction_isolation", "repeatable read")]);
    let store = pool(&database.settings);
    let (name, email) = (Name::parse("Priya").unwrap(), Email::parse("priya@example.com").unwrap());
    let password_hash = &PasswordHash::stored("x".to_owned());
    let id = Uuid::from_u128(1);
    let user = NewUser { id, name: &name, email: &email, password_hash, role: CUSTOMER };
    assert!(store.sign_up(&user, &opening(Uuid::from_u128(2))).await.unwrap().is_some());
    // Somebody else administers, and the logout waits for him.
    let other = owner.administer(Actor::Operator).await.unwrap();
    let logout = {
        let store = store.clone();
        tokio::spawn(async move { store.log_out_user(id, By::operator()).await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while owner.count(waiting).await == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let verified = Verified { user_id: id, password_hash, user_version: 1 };
    assert!(store.open_session(&verified, &opening(Uuid::from_u128(3))).await.unwrap().is_some());
    other.rollback().await.unwrap();
    assert!(logout.await.unwrap().is_ok());
    assert_eq!(owner.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
}
