//! Attempts in which no password was compared count for nobody.

use tokio::task::JoinHandle;

use super::*;
use crate::account::LoginEmail;
use crate::audit::{Event, Kind};
use crate::store::Client;

/// With steps so long that a test is over long before one of them is.
fn slow() -> ThrottleSettings {
    ThrottleSettings {
        login: limit("10/86400"),
        login_account: limit("30/86400"),
        login_address: limit("300/86400"),
        ..limits()
    }
}

/// An issuer in which each client has one place among the hashers, with Priya.
async fn issuing_narrowly(ring: impl AsyncFnOnce(&Store) -> Ring) -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    let ring = ring(&store).await;
    let hasher = Hasher::new(HashSettings { permits: 1, queue: 1 }).unwrap().shared(50);
    let app = Arc::new(App { hasher, throttle: throttle(slow()), ..app(store, ring) });
    let issuing = Issuing { database, router: router(Arc::clone(&app)), app };
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.execute("DELETE FROM throttle").await;
    issuing
}

async fn good(store: &Store) -> Ring {
    Keeper::of_test(store).load(None).await.unwrap()
}

/// How far ahead every counter lies, in steps of an address: the counter of the address, of the pair, of the account.
async fn ahead(issuing: &Issuing) -> Vec<String> {
    let steps = "SELECT ceil(greatest(extract(epoch FROM ends_at - now()), 0) / 288)::text FROM throttle ORDER BY ends_at";
    issuing.app.store.texts(steps).await
}

const NONE: [&str; 3] = ["0", "0", "0"];
const ONE: [&str; 3] = ["1", "10", "30"];

fn attempt() -> Request<Body> {
    from(HERE, post("/api/auth/login", login("priya@example.com", WRONG)))
}

/// Sends these so that all of them get past the first look at the hashers before this happens, and any is counted.
async fn counted_after<T>(
    issuing: &Issuing,
    requests: Vec<Request<Body>>,
    this: impl FnOnce() -> T,
) -> (Vec<JoinHandle<Answer>>, T) {
    let lock = issuing.app.store.locked("LOCK TABLE throttle IN ACCESS EXCLUSIVE MODE").await;
    let count = i64::try_from(requests.len()).unwrap();
    let begun = requests.into_iter().map(|request| {
        let router = issuing.router.clone();
        tokio::spawn(async move { send(&router, request).await })
    });
    let begun = begun.collect();
    let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'throttle'::regclass AND NOT granted";
    while issuing.app.store.count(waiting).await < count {
        tokio::task::yield_now().await;
    }
    let done = this();
    lock.rollback().await.unwrap();
    (begun, done)
}

#[tokio::test]
async fn who_loses_the_last_place_among_the_hashers_has_tried_nothing() {
    let issuing = issuing_narrowly(good).await;
    let session = log_in(&issuing, ELSEWHERE, "priya@example.com", RIGHT).await;
    let bearer = format!("Bearer {}", session.body["token"].as_str().unwrap());
    let passwords = json!({ "currentPassword": WRONG, "newPassword": "another password" }).to_string();
    let mut change = from(HERE, post("/api/auth/password", passwords));
    change.headers_mut().insert("authorization", bearer.parse().unwrap());
    for request in [attempt(), change] {
        issuing.execute("DELETE FROM throttle").await;
        let (mut begun, _full) = counted_after(&issuing, vec![request], || issuing.app.hasher.occupy()).await;
        assert_eq!(begun.remove(0).await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ahead(&issuing).await, NONE);
    }
}

#[tokio::test]
async fn who_loses_the_last_place_of_his_share_has_tried_nothing() {
    let issuing = issuing_narrowly(good).await;
    let hasher = &issuing.app.hasher;
    let (begun, stopped) =
        counted_after(&issuing, vec![attempt(), attempt()], || hasher.stop_workers()).await;
    while !begun.iter().any(JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    drop(stopped);
    let mut statuses = Vec::new();
    for one in begun {
        statuses.push(one.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [401, 503]);
    assert_eq!(ahead(&issuing).await, ONE, "the one that was compared");
}

#[tokio::test]
async fn who_finds_the_database_away_has_tried_nothing() {
    let issuing = issuing_narrowly(good).await;
    issuing.execute("ALTER TABLE users RENAME TO away").await;
    for _ in 0..12 {
        let failed = issuing.send(attempt()).await;
        assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(ahead(&issuing).await, NONE);
    issuing.execute("ALTER TABLE away RENAME TO users").await;
    log_in_often(&issuing, 1, HERE, "priya@example.com").await;
    assert_eq!(ahead(&issuing).await, ONE);
}

#[tokio::test]
async fn who_gets_no_token_because_the_keys_are_stale_has_tried_nothing() {
    let issuing = issuing_narrowly(async |_: &Store| Ring::made(1, 0)).await;
    let failed = log_in(&issuing, HERE, "priya@example.com", RIGHT).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ahead(&issuing).await, NONE);
}

#[tokio::test]
async fn an_account_at_its_bound_gets_no_more_back_than_was_counted() {
    let (_database, store) = TestDatabase::migrated().await;
    let slow =
        ThrottleSettings { login: None, login_address: None, login_account: limit("1/3600"), ..limits() };
    let (throttle, client, email) = (throttle(slow), Client::default(), LoginEmail::new("priya@example.com"));
    let begin = || throttle.login(&store, &email, Event::refused(Kind::Login, "throttled", &client));
    let hours = "SELECT ceil(extract(epoch FROM ends_at - now()) / 3600)::text FROM throttle";
    let ahead = async || store.texts(hours).await.concat();
    assert!(begin().await.is_ok());
    store.execute("UPDATE throttle SET ends_at = now() + interval '1 year'").await;
    // At the limit, and so many beyond it as are counted.
    for _ in 0..3 {
        begin().await.unwrap().taken_back().await;
        assert_eq!(ahead().await, "21");
    }
    store.execute("UPDATE throttle SET ends_at = now() + interval '90 minutes'").await;
    begin().await.unwrap().taken_back().await;
    assert_eq!(ahead().await, "2");
}
