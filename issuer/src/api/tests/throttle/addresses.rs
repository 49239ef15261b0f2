//! Whose attempts are counted together.

use super::*;
use crate::api::TrustedProxies;

const PROXY: &str = "10.0.0.1";

/// An issuer behind a proxy, at which one login a minute may be tried from an address.
async fn behind_a_proxy() -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let proxies = Arc::new(TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]));
    let one = ThrottleSettings { login: limit("1/60"), ..limits() };
    let app = Arc::new(App { throttle: throttle(one), proxies, ..app(store, ring) });
    Issuing { database, router: router(Arc::clone(&app)), app }
}

async fn attempt(issuing: &Issuing, peer: &str, forwarded: &str) -> StatusCode {
    let mut request = from(peer, post("/api/auth/login", login("priya@example.com", WRONG)));
    request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    issuing.send(request).await.status
}

#[tokio::test]
async fn a_client_behind_a_proxy_is_counted_by_its_own_address() {
    let issuing = behind_a_proxy().await;
    assert_eq!(attempt(&issuing, PROXY, HERE).await, StatusCode::UNAUTHORIZED);
    assert_eq!(attempt(&issuing, PROXY, HERE).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt(&issuing, "10.0.0.2", HERE).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt(&issuing, PROXY, ELSEWHERE).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_client_does_not_choose_its_address() {
    let issuing = behind_a_proxy().await;
    assert_eq!(attempt(&issuing, PROXY, HERE).await, StatusCode::UNAUTHORIZED);
    for forged in ["6.6.6.1", "6.6.6.2, 10.0.0.9", "unknown", "::1"] {
        let forwarded = format!("{forged}, {HERE}");
        assert_eq!(attempt(&issuing, PROXY, &forwarded).await, StatusCode::TOO_MANY_REQUESTS, "{forged}");
    }
    // Past the proxy, nobody is believed.
    assert_eq!(attempt(&issuing, "203.0.113.1", "6.6.6.3").await, StatusCode::UNAUTHORIZED);
    assert_eq!(attempt(&issuing, "203.0.113.1", "6.6.6.4").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_64_of_ipv6_is_one_client_and_so_is_whoever_has_no_address() {
    let issuing = behind_a_proxy().await;
    for (one, same, other) in [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
    ] {
        assert_eq!(attempt(&issuing, PROXY, one).await, StatusCode::UNAUTHORIZED);
        assert_eq!(attempt(&issuing, PROXY, same).await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(attempt(&issuing, PROXY, other).await, StatusCode::UNAUTHORIZED);
    }
    let from_nowhere = || issuing.post("/api/auth/login", login("priya@example.com", WRONG));
    assert_eq!(from_nowhere().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(from_nowhere().await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_list_of_sessions_shows_the_address_of_the_client_and_not_of_the_proxy() {
    let issuing = behind_a_proxy().await;
    let mut signup = from(PROXY, post("/api/auth/signup", PRIYA));
    signup.headers_mut().insert("x-forwarded-for", "6.6.6.6, 192.0.2.7".parse().unwrap());
    let session = issuing.send(signup).await;
    let bearer = format!("Bearer {}", session.body["token"].as_str().unwrap());
    let sessions = issuing.get("/api/auth/sessions", &[("authorization", &bearer)]).await;
    assert!(sessions.text.contains(r#""address":"192.0.2.7""#), "{}", sessions.text);
}

#[tokio::test]
async fn one_client_does_not_take_all_places_among_the_hashers() {
    let (database, store) = TestDatabase::migrated().await;
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let hasher = Hasher::new(HashSettings { permits: 1, queue: 3 }).unwrap().shared(50);
    let app = Arc::new(App { hasher, ..app(store, ring) });
    let issuing = Issuing { database, router: router(Arc::clone(&app)), app };
    let session = issuing.send(from(ELSEWHERE, post("/api/auth/signup", PRIYA))).await;
    let bearer = format!("Bearer {}", session.body["token"].as_str().unwrap());
    let (stopped, places) = (issuing.app.hasher.stop_workers(), issuing.app.hasher.places());
    let begin = |address: &str, number: u32| {
        let email = format!("u{number}@example.com");
        let request = from(address, post("/api/auth/login", login(&email, WRONG)));
        let router = issuing.router.clone();
        tokio::spawn(async move { send(&router, request).await })
    };
    let here = [begin(HERE, 1), begin(HERE, 2)];
    while issuing.app.hasher.places() > places - 2 {
        tokio::task::yield_now().await;
    }
    let counters = issuing.app.store.texts("SELECT throttle::text FROM throttle ORDER BY key").await;
    let signup = from(HERE, post("/api/auth/signup", PRIYA));
    let passwords = json!({ "currentPassword": WRONG, "newPassword": "another password" }).to_string();
    let mut change = from(HERE, post("/api/auth/password", passwords));
    change.headers_mut().insert("authorization", bearer.parse().unwrap());
    for beyond in [begin(HERE, 3).await.unwrap(), issuing.send(signup).await, issuing.send(change).await] {
        assert_eq!(beyond.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(beyond.headers["retry-after"], "1");
    }
    // Who is sent away has tried nothing, and is seen in the metrics.
    assert_eq!(issuing.app.store.texts("SELECT throttle::text FROM throttle ORDER BY key").await, counters);
    assert_eq!(issuing.app.hasher.load().refused, 3);
    let elsewhere = begin(ELSEWHERE, 4);
    while issuing.app.hasher.places() > places - 3 {
        tokio::task::yield_now().await;
    }
    drop(stopped);
    for login in here.into_iter().chain([elsewhere]) {
        assert_eq!(login.await.unwrap().status, StatusCode::UNAUTHORIZED);
    }
}
