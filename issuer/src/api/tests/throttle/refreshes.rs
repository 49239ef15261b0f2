//! Refreshes: what is good is limited by its session, what is none by its address.

use super::*;

const REFUSED: &str = "SELECT COALESCE(cause, '-') FROM audit_events WHERE event = 'refresh' AND outcome = 'refused' ORDER BY id";

async fn refresh_from(issuing: &Issuing, address: &str, token: &Value) -> Answer {
    let body = json!({ "refreshToken": token }).to_string();
    issuing.send(from(address, post("/api/auth/refresh", body))).await
}

async fn session_of(issuing: &Issuing) -> Value {
    log_in(issuing, ELSEWHERE, "priya@example.com", RIGHT).await.body
}

/// A 43-character token that nobody was given.
fn guess() -> Value {
    json!("A".repeat(43))
}

#[tokio::test]
async fn whoever_sends_junk_from_an_address_uses_up_nobodys_refreshes_there() {
    let two = limit("2/900");
    let issuing = issuing_with(ThrottleSettings { login_address: two, ..limits() }).await;
    let mut session = session_of(&issuing).await;
    for token in [json!("x"), guess()] {
        assert_eq!(refresh_from(&issuing, HERE, &token).await.status, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..5 {
        for token in [json!("x"), guess()] {
            let refused = refresh_from(&issuing, HERE, &token).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
            assert!((440..=450).contains(&retry_after(&refused)));
        }
        let good = refresh_from(&issuing, HERE, &session["refreshToken"]).await;
        assert_eq!(good.status, StatusCode::OK);
        session = good.body;
    }
    assert_eq!(issuing.app.store.texts(REFUSED).await, ["malformed", "unknown", "throttled_address"]);
    assert_eq!(counted(&issuing, "refresh", "address"), 10);
    // Neither logins nor links have lost anything by it.
    assert_eq!(log_in(&issuing, HERE, "priya@example.com", RIGHT).await.status, StatusCode::OK);
    let link = json!({ "token": "x", "newPassword": "anotherpassword" }).to_string();
    let link = issuing.send(from(HERE, post("/api/auth/password/link", link))).await;
    assert_eq!(link.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_good_refresh_is_counted_by_no_address_and_asks_no_counter() {
    let issuing = issuing_to_priya().await;
    let session = session_of(&issuing).await;
    issuing.execute("DELETE FROM throttle").await;
    let _locked = issuing.app.store.locked("LOCK TABLE throttle IN ACCESS EXCLUSIVE MODE").await;
    assert_eq!(refresh_from(&issuing, HERE, &session["refreshToken"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_is_refreshed_so_often_and_then_told_when_and_another_one_is_not_concerned() {
    let issuing = issuing_with(ThrottleSettings { refresh: limit("3/900"), ..limits() }).await;
    let (first, other) = (session_of(&issuing).await, session_of(&issuing).await);
    let second = refresh_from(&issuing, HERE, &first["refreshToken"]).await.body;
    assert_eq!(refresh_from(&issuing, HERE, &first["refreshToken"]).await.status, StatusCode::OK, "repeated");
    let third = refresh_from(&issuing, HERE, &second["refreshToken"]).await.body;
    let refused = refresh_from(&issuing, HERE, &third["refreshToken"]).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.body, json!({ "error": "Too many attempts, try again later" }));
    assert!((290..=300).contains(&retry_after(&refused)));
    assert_eq!(issuing.app.store.texts(REFUSED).await, ["throttled_session"]);
    assert_eq!(counted(&issuing, "refresh", "session"), 1);
    assert_eq!(refresh_from(&issuing, HERE, &other["refreshToken"]).await.status, StatusCode::OK);
    issuing.execute("UPDATE sessions SET refreshes_until = refreshes_until - interval '300 s'").await;
    assert_eq!(refresh_from(&issuing, HERE, &third["refreshToken"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_time_that_a_session_waits_is_its_own_also_behind_a_busy_address() {
    let few = ThrottleSettings { refresh: limit("1/900"), login_address: limit("1/60"), ..limits() };
    let issuing = issuing_with(few).await;
    let session = session_of(&issuing).await;
    let next = refresh_from(&issuing, HERE, &session["refreshToken"]).await.body;
    for _ in 0..3 {
        let refused = refresh_from(&issuing, HERE, &next["refreshToken"]).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!((890..=900).contains(&retry_after(&refused)), "{}", retry_after(&refused));
    }
    assert_eq!(issuing.app.store.texts(REFUSED).await, ["throttled_session", "throttled_address"]);
}

#[tokio::test]
async fn every_refusal_is_counted_before_it_is_written_down() {
    let issuing = issuing_with(ThrottleSettings { login_address: limit("1/900"), ..limits() }).await;
    let begin = || async {
        issuing.execute("DELETE FROM throttle; UPDATE users SET disabled_at = NULL").await;
        session_of(&issuing).await["refreshToken"].clone()
    };
    for (change, cause) in [
        ("UPDATE users SET disabled_at = now()", "disabled"),
        ("UPDATE sessions SET ended_at = now(), ended_why = 'x'", "ended"),
        ("UPDATE sessions SET last_used_at = now() - interval '2 days'", "expired"),
    ] {
        let token = begin().await;
        issuing.execute("DELETE FROM audit_events").await;
        issuing.execute(change).await;
        assert_eq!(refresh_from(&issuing, HERE, &token).await.status, StatusCode::UNAUTHORIZED, "{cause}");
        for _ in 0..3 {
            let refused = refresh_from(&issuing, HERE, &token).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{cause}");
        }
        assert_eq!(issuing.app.store.texts(REFUSED).await, [cause, "throttled_address"]);
    }
    let told = "SELECT DISTINCT count(user_id) || ' ' || count(session_id) FROM audit_events WHERE cause = 'expired'";
    assert_eq!(issuing.app.store.texts(told).await, ["1 1"], "whom it concerns is in the trail");
}

#[tokio::test]
async fn a_token_that_is_used_again_ends_its_session_whatever_the_counters_say() {
    let few = ThrottleSettings { refresh: limit("2/900"), login_address: limit("1/900"), ..limits() };
    let issuing = issuing_with(few).await;
    let first = session_of(&issuing).await;
    let second = refresh_from(&issuing, HERE, &first["refreshToken"]).await.body;
    refresh_from(&issuing, HERE, &second["refreshToken"]).await;
    for _ in 0..2 {
        refresh_from(&issuing, HERE, &guess()).await;
    }
    let reuse = refresh_from(&issuing, HERE, &first["refreshToken"]).await;
    assert_eq!(reuse.status, StatusCode::TOO_MANY_REQUESTS);
    let ended = "SELECT ended_why FROM sessions WHERE ended_at IS NOT NULL";
    assert_eq!(issuing.app.store.texts(ended).await, ["refresh_token_reused"]);
    let told = "SELECT cause FROM audit_events WHERE event = 'session_end'";
    assert_eq!(issuing.app.store.texts(told).await, ["refresh_token_reused"]);
}
