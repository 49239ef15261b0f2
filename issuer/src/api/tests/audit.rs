//! The trail: who did what, from where, with which result.

use axum::extract::ConnectInfo;
use std::net::SocketAddr;

use super::*;

/// Each event as `event outcome cause actor`, in the order in which they happened.
const TRAIL: &str =
    "SELECT concat_ws(' ', event, outcome, COALESCE(cause, '-'), actor) FROM audit_events ORDER BY id";

impl Issuing {
    async fn trail(&self) -> Vec<String> {
        self.app.store.texts(TRAIL).await
    }
}

#[tokio::test]
async fn everything_that_a_user_does_or_somebody_tries_is_in_the_trail() {
    let issuing = issuing().await;
    let first = issuing.priya().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let other = issuing.log_in().await;
    issuing.post("/api/auth/login", login("priya@example.com", "wrongpassword1")).await;
    issuing.post("/api/auth/login", login("nobody@example.com", "wrongpassword1")).await;
    let second = issuing.refresh(&first).await.body;
    issuing.refresh(&first).await;
    issuing.refresh(&second).await;
    issuing.refresh(&first).await;
    issuing.refresh(&first).await;
    issuing.refresh(&json!({ "refreshToken": "someguess" })).await;
    let wrong = json!({ "currentPassword": "wrongpassword1", "newPassword": "anotherpassword" }).to_string();
    issuing.authorized("POST", "/api/auth/password", &other, &wrong).await;
    let change = json!({ "currentPassword": "mypassword123", "newPassword": "anotherpassword" }).to_string();
    let changed = issuing.authorized("POST", "/api/auth/password", &other, &change).await.body;
    let body = login("priya@example.com", "anotherpassword");
    issuing.post("/api/auth/login", body.clone()).await;
    issuing.authorized("POST", "/api/auth/logout", &changed, r#"{"scope":"others"}"#).await;
    let listed = issuing.post("/api/auth/login", body.clone()).await.body;
    let sessions = issuing.authorized("GET", "/api/auth/sessions", &changed, "").await.body;
    let all = sessions["sessions"].as_array().unwrap().iter();
    let mut id =
        all.filter(|session| session["current"] == false).map(|session| session["id"].as_str().unwrap());
    issuing
        .authorized("DELETE", &format!("/api/auth/sessions/{}", id.next_back().unwrap()), &changed, "")
        .await;
    issuing.refresh(&listed).await;
    issuing.authorized("POST", "/api/auth/logout", &changed, "").await;
    let last = issuing.post("/api/auth/login", body.clone()).await.body;
    issuing.authorized("POST", "/api/auth/logout", &last, r#"{"scope":"all"}"#).await;
    let expected = [
        "signup success - user",
        "signup refused email_taken client",
        "login success - user",
        "login refused credentials client",
        "login refused credentials client",
        "refresh success - user",
        "refresh success repeat user",
        "refresh success - user",
        "session_end success refresh_token_reused client",
        "refresh refused reused client",
        "refresh refused ended client",
        "refresh refused malformed client",
        "password_change refused credentials user",
        "password_change success - user",
        "login success - user",
        "session_end success ended user",
        "login success - user",
        "session_end success ended user",
        "refresh refused ended client",
        "logout success logout user",
        "login success - user",
        "logout success logout_everywhere user",
    ];
    assert_eq!(issuing.trail().await, expected);
}

#[tokio::test]
async fn the_trail_says_whom_an_event_concerns_and_from_where_it_came() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let peer: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    for password in ["mypassword123", "wrongpassword1"] {
        let mut request = post("/api/auth/login", login("priya@example.com", password));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.headers_mut().insert("user-agent", "curl/8.1".parse().unwrap());
        request.headers_mut().insert("x-request-id", "6f1c-2".parse().unwrap());
        issuing.send(request).await;
    }
    let rows = "SELECT concat_ws(' ', outcome, audit_events.user_id = users.id, COALESCE(actor_id = users.id, false),
                                 session_id IS NOT NULL, audit_events.address, audit_events.user_agent, request_id)
                FROM audit_events CROSS JOIN users WHERE event = 'login' ORDER BY audit_events.id";
    let expected = ["success t t t 192.0.2.7 curl/8.1 6f1c-2", "refused t f f 192.0.2.7 curl/8.1 6f1c-2"];
    assert_eq!(issuing.app.store.texts(rows).await, expected);
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_happen() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    issuing
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON audit_events EXECUTE FUNCTION refuse()",
        )
        .await;
    let change = json!({ "currentPassword": "mypassword123", "newPassword": "anotherpassword" }).to_string();
    let answers = [
        issuing.post("/api/auth/signup", PRIYA.replace("priya@", "arjun@")).await,
        issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await,
        issuing.post("/api/auth/login", login("priya@example.com", "wrongpassword1")).await,
        issuing.refresh(&session).await,
        issuing.authorized("POST", "/api/auth/password", &session, &change).await,
        issuing.authorized("POST", "/api/auth/logout", &session, "").await,
        issuing.authorized("POST", "/api/auth/logout", &session, r#"{"scope":"all"}"#).await,
    ];
    for answer in answers {
        assert!(answer.status.is_server_error(), "{} {}", answer.status, answer.text);
    }
    issuing.execute("DROP TRIGGER refuse ON audit_events").await;
    assert_eq!(issuing.refresh(&session).await.status, StatusCode::OK);
    assert_eq!(issuing.app.store.count("SELECT count(*) FROM users").await, 1);
    assert_eq!(issuing.trail().await, ["signup success - user", "refresh success - user"]);
}
