//! Limits on how often things are tried, as clients meet them: the limits of [`limits`], unless a test says otherwise.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;

use super::*;
use crate::log::testing::Recording;

mod addresses;
mod refreshes;
mod replicas;
mod taken_back;

const HERE: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.9";
const RIGHT: &str = "mypassword123";
const WRONG: &str = "mypassword124";

/// A request that comes from this address.
fn from(address: &str, mut request: Request<Body>) -> Request<Body> {
    let peer = SocketAddr::new(address.parse().unwrap(), 4711);
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

async fn log_in(issuing: &Issuing, address: &str, email: &str, password: &str) -> Answer {
    issuing.send(from(address, post("/api/auth/login", login(email, password)))).await
}

async fn log_in_often(issuing: &Issuing, times: u32, address: &str, email: &str) {
    for _ in 0..times {
        assert_eq!(log_in(issuing, address, email, WRONG).await.status, StatusCode::UNAUTHORIZED);
    }
}

/// An issuer with these limits, where Priya has signed up.
async fn issuing_with(limits: ThrottleSettings) -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let app = Arc::new(App { throttle: throttle(limits), ..app(store, ring) });
    let issuing = Issuing { database, router: router(Arc::clone(&app)), app };
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing
}

async fn issuing_to_priya() -> Issuing {
    issuing_with(limits()).await
}

fn limit(text: &str) -> Option<Limit> {
    Limit::parse(text).unwrap()
}

/// As if so much time had passed for all counters.
async fn later(issuing: &Issuing, statement: &'static str) {
    issuing.execute(statement).await;
}

const A_STEP_LATER: &str =
    "UPDATE throttle SET ends_at = ends_at - interval '90 s', noted_at = noted_at - interval '90 s'";
const A_WINDOW_LATER: &str =
    "UPDATE throttle SET ends_at = ends_at - interval '900 s', noted_at = noted_at - interval '901 s'";

fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_guesses_is_refused_where_he_is_and_told_when_to_come_again() {
    let issuing = issuing_to_priya().await;
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    let refused = log_in(&issuing, HERE, "priya@example.com", RIGHT).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.body, json!({ "error": "Too many attempts, try again later" }));
    assert!((60..=90).contains(&retry_after(&refused)), "{}", retry_after(&refused));
    later(&issuing, A_STEP_LATER).await;
    assert_eq!(log_in(&issuing, HERE, "priya@example.com", WRONG).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        log_in(&issuing, HERE, "priya@example.com", WRONG).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    later(&issuing, A_WINDOW_LATER).await;
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    assert_eq!(
        log_in(&issuing, HERE, "priya@example.com", WRONG).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn the_user_who_is_elsewhere_still_gets_in() {
    let issuing = issuing_to_priya().await;
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    assert_eq!(
        log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(log_in(&issuing, ELSEWHERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    assert_eq!(log_in(&issuing, HERE, "other@example.com", WRONG).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_account_that_there_is_and_one_that_there_is_not_are_throttled_alike_to_the_byte() {
    let issuing = issuing_to_priya().await;
    let mut answers = Vec::new();
    for email in ["priya@example.com", "nobody@example.com", "no\0body", &"x".repeat(1000)] {
        log_in_often(&issuing, 10, HERE, email).await;
        // The seconds until the next attempt are those since the first: made the same here.
        issuing
            .execute("UPDATE throttle SET ends_at = now() + interval '899.5 s' WHERE ends_at > now() + interval '800 s'")
            .await;
        answers.push(log_in(&issuing, HERE, email, WRONG).await);
        issuing.execute("DELETE FROM throttle").await;
    }
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!((&answer.text, &answer.headers), (&answers[0].text, &answers[0].headers));
    }
}

#[tokio::test]
async fn of_fifty_logins_at_once_no_more_than_the_limit_costs_a_hash() {
    let issuing = issuing_to_priya().await;
    let before = issuing.app.hasher.computed();
    let logins = (0..50).map(|_| {
        let router = issuing.router.clone();
        let request = from(HERE, post("/api/auth/login", login("priya@example.com", WRONG)));
        tokio::spawn(async move { send(&router, request).await.status })
    });
    let mut statuses = Vec::new();
    for login in logins.collect::<Vec<_>>() {
        statuses.push(login.await.unwrap());
    }
    let refused = statuses.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!(refused, 40, "{statuses:?}");
    assert_eq!(issuing.app.hasher.computed() - before, 10);
}

#[tokio::test]
async fn one_address_alone_slows_nobody_elsewhere() {
    let issuing = issuing_to_priya().await;
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    for _ in 0..40 {
        let refused = log_in(&issuing, HERE, "priya@example.com", WRONG).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(log_in(&issuing, ELSEWHERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    assert_eq!(counted(&issuing, "login", "slowed"), 0);
}

#[tokio::test]
async fn a_right_password_sets_its_own_place_back_and_nothing_else() {
    let issuing = issuing_to_priya().await;
    for _ in 0..3 {
        log_in_often(&issuing, 9, HERE, "priya@example.com").await;
        assert_eq!(log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    }
    log_in_often(&issuing, 10, ELSEWHERE, "priya@example.com").await;
    assert_eq!(log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    let elsewhere = log_in(&issuing, ELSEWHERE, "priya@example.com", RIGHT).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn who_logs_in_as_often_as_he_likes_with_the_right_password_is_never_refused_or_slowed() {
    let issuing = issuing_to_priya().await;
    for _ in 0..40 {
        assert_eq!(log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    }
    assert_eq!(counted(&issuing, "login", "slowed"), 0);
}

/// How often this was throttled.
fn counted(issuing: &Issuing, event: &str, by: &str) -> u64 {
    let counts = issuing.app.throttle.counts().all();
    counts.filter(|(kind, how, _)| (*kind, *how) == (event, by)).map(|(_, _, count)| count).sum()
}

#[tokio::test]
async fn the_same_counts_for_the_current_password_of_whoever_has_a_token() {
    let issuing = issuing_to_priya().await;
    let session = log_in(&issuing, HERE, "priya@example.com", RIGHT).await;
    let bearer = format!("Bearer {}", session.body["token"].as_str().unwrap());
    let change = |address: &str, current: &str| {
        let body = json!({ "currentPassword": current, "newPassword": "another password" }).to_string();
        let mut request = from(address, post("/api/auth/password", body));
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        issuing.send(request)
    };
    log_in_often(&issuing, 5, HERE, "priya@example.com").await;
    // The login above was the first attempt of ten.
    for _ in 0..4 {
        assert_eq!(change(HERE, WRONG).await.status, StatusCode::BAD_REQUEST);
    }
    let refused = change(HERE, RIGHT).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.body, json!({ "error": "Too many attempts, try again later" }));
    assert_eq!(
        log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(counted(&issuing, "password_change", "account"), 1);
    assert_eq!(change(ELSEWHERE, RIGHT).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_is_refused_for_all_accounts_before_a_hash() {
    let few = ThrottleSettings { login_address: limit("3/900"), ..limits() };
    let issuing = issuing_with(few).await;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        log_in_often(&issuing, 1, HERE, email).await;
    }
    let before = issuing.app.hasher.computed();
    let refused = log_in(&issuing, HERE, "priya@example.com", RIGHT).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!((200..=300).contains(&retry_after(&refused)));
    assert_eq!(issuing.app.hasher.computed(), before);
    assert_eq!(log_in(&issuing, ELSEWHERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    assert_eq!((counted(&issuing, "login", "address"), counted(&issuing, "login", "account")), (1, 0));
}

#[tokio::test]
async fn signups_links_and_refreshes_that_are_none_are_limited_by_their_address() {
    let two = limit("2/900");
    let few = ThrottleSettings { signup: two, login_address: two, ..limits() };
    let issuing = issuing_with(few).await;
    let refresh = json!({ "refreshToken": "x" }).to_string();
    let link = json!({ "token": "x", "newPassword": "anotherpassword" }).to_string();
    for (path, body, status) in [
        // Priya has signed up already, from nowhere: which is another client.
        ("/api/auth/signup", PRIYA, StatusCode::CONFLICT),
        ("/api/auth/refresh", refresh.as_str(), StatusCode::UNAUTHORIZED),
        ("/api/auth/password/link", link.as_str(), StatusCode::BAD_REQUEST),
    ] {
        let ask = |address: &str| issuing.send(from(address, post(path, body.to_owned())));
        for _ in 0..2 {
            assert_eq!(ask(HERE).await.status, status, "{path}");
        }
        let refused = ask(HERE).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(refused.body, json!({ "error": "Too many attempts, try again later" }));
        assert!((300..=450).contains(&retry_after(&refused)));
        assert_eq!(ask(ELSEWHERE).await.status, status, "{path}");
    }
    for event in ["signup", "refresh", "password_change"] {
        assert_eq!(counted(&issuing, event, "address"), 1, "{event}");
    }
}

#[tokio::test]
async fn what_is_off_is_not_limited_and_not_counted() {
    let off = ThrottleSettings {
        login: None,
        login_account: None,
        login_address: None,
        signup: None,
        refresh: None,
    };
    let issuing = issuing_with(off).await;
    log_in_often(&issuing, 35, HERE, "priya@example.com").await;
    assert_eq!(issuing.app.store.count("SELECT count(*) FROM throttle").await, 0);
}

#[tokio::test]
async fn what_cannot_be_counted_is_not_tried() {
    let issuing = issuing_to_priya().await;
    let before = issuing.app.hasher.computed();
    let _locked = issuing.app.store.locked("LOCK TABLE throttle IN ACCESS EXCLUSIVE MODE").await;
    let refresh = json!({ "refreshToken": "x" }).to_string();
    for (path, body) in [
        ("/api/auth/login", login("priya@example.com", RIGHT)),
        ("/api/auth/signup", PRIYA.replace("priya@", "other@")),
        ("/api/auth/refresh", refresh),
    ] {
        let answer = issuing.send(from(HERE, post(path, body))).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert_eq!(issuing.app.hasher.computed(), before);
}

#[tokio::test]
async fn every_refusal_is_logged_and_the_first_of_a_window_is_in_the_trail() {
    let issuing = issuing_to_priya().await;
    let recording = Recording::begin();
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    for _ in 0..5 {
        log_in(&issuing, HERE, "priya@example.com", WRONG).await;
    }
    let trail = "SELECT event || ' ' || outcome || ' ' || address FROM audit_events WHERE cause = 'throttled_account'";
    assert_eq!(issuing.app.store.texts(trail).await, [format!("login refused {HERE}")]);
    // One that is let through in between begins no new window.
    later(&issuing, A_STEP_LATER).await;
    log_in_often(&issuing, 1, HERE, "priya@example.com").await;
    log_in(&issuing, HERE, "priya@example.com", WRONG).await;
    assert_eq!(issuing.app.store.texts(trail).await.len(), 1);
    later(&issuing, A_WINDOW_LATER).await;
    log_in_often(&issuing, 10, HERE, "priya@example.com").await;
    log_in(&issuing, HERE, "priya@example.com", WRONG).await;
    assert_eq!(issuing.app.store.texts(trail).await.len(), 2);
    let lines = recording.lines();
    let told = lines.iter().filter(|line| line.contains(r#""cause":"throttled_account""#)).count();
    assert_eq!((told, counted(&issuing, "login", "account")), (7, 7), "{lines:#?}");
}

#[tokio::test]
async fn no_email_and_no_address_is_kept_with_a_counter() {
    let issuing = issuing_to_priya().await;
    log_in_often(&issuing, 1, HERE, "nobody@example.com").await;
    let rows = issuing.app.store.texts("SELECT throttle::text FROM throttle").await;
    assert_eq!(rows.len(), 4, "signup; address, pair and account of the login");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for plain in [&b"nobody"[..], b"example", b"192.0", &[192, 0, 2, 7]] {
        assert!(rows.iter().all(|row| !row.contains(&hex(plain))), "{rows:?}");
    }
}

#[tokio::test]
async fn a_limit_holds_to_the_attempt_also_where_its_window_is_no_multiple_of_it() {
    for (text, attempts) in [("1/900", 1), ("7/900", 7), ("11/86400", 11)] {
        let issuing = issuing_with(ThrottleSettings { login: limit(text), ..limits() }).await;
        log_in_often(&issuing, attempts, HERE, "priya@example.com").await;
        let refused = log_in(&issuing, HERE, "priya@example.com", WRONG).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{text}");
    }
}
