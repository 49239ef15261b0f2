//! Refresh.

use super::*;
use crate::log::testing::Recording;

impl Issuing {
    /// Priya, signed up.
    pub(super) async fn priya(&self) -> Value {
        self.post("/api/auth/signup", PRIYA).await.body
    }

    /// Priya, logged in once more.
    pub(super) async fn log_in(&self) -> Value {
        self.post("/api/auth/login", login("priya@example.com", "mypassword123")).await.body
    }

    pub(super) async fn refresh(&self, session: &Value) -> Answer {
        let body = json!({ "refreshToken": session["refreshToken"] });
        self.post("/api/auth/refresh", body.to_string()).await
    }

    /// The status of `/api/auth/me` with the access token of this answer, and what it says.
    pub(super) async fn me(&self, session: &Value) -> (u16, Option<String>) {
        let answer = self.get("/api/auth/me", &[("authorization", &bearer(session))]).await;
        (answer.status.as_u16(), answer.body["error"].as_str().map(str::to_owned))
    }
}

pub(super) fn bearer(session: &Value) -> String {
    format!("Bearer {}", session["accessToken"].as_str().unwrap())
}

#[tokio::test]
async fn signup_and_login_answer_with_a_refresh_token_that_gives_the_next_pair() {
    let issuing = issuing().await;
    for session in [issuing.priya().await, issuing.log_in().await] {
        assert_eq!(session["refreshToken"].as_str().unwrap().len(), 43);
        assert_eq!(session["refreshExpiresIn"], 3600);
        let next = issuing.refresh(&session).await;
        assert_eq!(next.status, StatusCode::OK);
        assert_eq!(next.headers["cache-control"], "no-store");
        assert_eq!(next.body["user"], session["user"]);
        assert_ne!(next.body["refreshToken"], session["refreshToken"]);
        assert_ne!(next.body["accessToken"], session["accessToken"]);
        assert_eq!(next.body["token"], next.body["accessToken"]);
        assert_eq!(issuing.me(&next.body).await.0, 200);
        assert_eq!(issuing.refresh(&next.body).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_answered_again_with_the_same_refresh_token() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    let [lost, again] = [issuing.refresh(&session).await, issuing.refresh(&session).await];
    assert_eq!(lost.body["refreshToken"], again.body["refreshToken"]);
    assert_eq!(issuing.refresh(&again.body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_ends_the_session_for_thief_and_owner_and_is_logged() {
    let issuing = issuing().await;
    let first = issuing.priya().await;
    let second = issuing.refresh(&first).await.body;
    let third = issuing.refresh(&second).await.body;
    let recording = Recording::begin();
    let reuse = issuing.refresh(&first).await;
    assert_eq!(
        (reuse.status, &reuse.body),
        (StatusCode::UNAUTHORIZED, &json!({ "error": "Invalid refresh token" }))
    );
    let lines = recording.lines();
    assert!(lines.iter().any(|line| line.contains("was used again") && line.contains("WARN")), "{lines:?}");
    assert_eq!(issuing.refresh(&third).await.status, StatusCode::UNAUTHORIZED);
    for session in [&first, &second, &third] {
        assert_eq!(issuing.me(session).await, (401, Some("Token revoked".to_owned())));
    }
    let ended =
        "SELECT ended_why FROM sessions JOIN revocations ON name = sessions.id::text AND kind = 'session'";
    assert_eq!(issuing.app.store.texts(ended).await, ["refresh_token_reused"]);
    // Another session of the same user is none of the family.
    assert_eq!(issuing.refresh(&issuing.log_in().await).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refresh_tokens_that_are_not_good_cannot_be_told_apart() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    let mut answers = Vec::new();
    for unknown in ["x".to_owned(), "A".repeat(43), "A".repeat(4000), String::new(), "a\0b".to_owned()] {
        answers.push(issuing.refresh(&json!({ "refreshToken": unknown })).await);
    }
    issuing.execute("UPDATE users SET disabled_at = now()").await;
    answers.push(issuing.refresh(&session).await);
    issuing
        .execute("UPDATE users SET disabled_at = NULL; UPDATE sessions SET ended_at = now(), ended_why = 'x'")
        .await;
    answers.push(issuing.refresh(&session).await);
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text, r#"{"error":"Invalid refresh token"}"#);
        assert_eq!(answer.headers, answers[0].headers);
    }
}

#[tokio::test]
async fn a_refresh_without_its_field_or_with_another_is_told_which() {
    let issuing = issuing().await;
    let missing = issuing.post("/api/auth/refresh", "{}").await;
    assert_eq!((missing.status, &missing.body["field"]), (StatusCode::BAD_REQUEST, &json!("refreshToken")));
    let unknown = issuing.post("/api/auth/refresh", r#"{"refreshToken":"x","user":"1"}"#).await;
    assert_eq!((unknown.status, &unknown.body["field"]), (StatusCode::BAD_REQUEST, &json!("user")));
}

#[tokio::test]
async fn a_database_holds_no_refresh_token_but_its_hash() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    let token = session["refreshToken"].as_str().unwrap();
    let bytes = bearward_core::base64url::decode(token.as_bytes()).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let everything = "SELECT (SELECT string_agg(s::text, ' ') FROM sessions s)
                             || (SELECT string_agg(t::text, ' ') FROM refresh_tokens t)";
    let stored = issuing.app.store.texts(everything).await.concat();
    assert!(!stored.contains(token) && !stored.contains(&hex), "{stored}");
}

#[tokio::test]
async fn nothing_that_is_logged_holds_a_token_a_password_or_an_address_of_a_person() {
    let issuing = issuing().await;
    let recording = Recording::begin();
    let mut secrets = vec![
        "mypassword123".to_owned(),
        "anotherpassword".to_owned(),
        "priya".to_owned(),
        "Priya".to_owned(),
    ];
    let first = issuing.priya().await;
    let second = issuing.refresh(&first).await.body;
    let third = issuing.refresh(&second).await.body;
    let other = issuing.log_in().await;
    let change = json!({ "currentPassword": "mypassword123", "newPassword": "anotherpassword" }).to_string();
    let changed = issuing.authorized("POST", "/api/auth/password", &other, &change).await.body;
    let wrong = json!({ "currentPassword": "wrongpassword1", "newPassword": "anotherpassword" }).to_string();
    issuing.authorized("POST", "/api/auth/password", &changed, &wrong).await;
    secrets.push("wrongpassword1".to_owned());
    for session in [&first, &third] {
        issuing.refresh(session).await;
    }
    issuing.refresh(&json!({ "refreshToken": "someguess" })).await;
    secrets.push("someguess".to_owned());
    for (method, path) in [("GET", "/api/auth/sessions"), ("POST", "/api/auth/logout")] {
        issuing.authorized(method, path, &changed, "").await;
    }
    for session in [&first, &second, &third, &other, &changed] {
        for member in ["accessToken", "refreshToken"] {
            let token = session[member].as_str().unwrap();
            secrets.extend(token.split('.').map(str::to_owned));
        }
    }
    let log = recording.lines().join("\n");
    for event in ["signup", "login", "refresh", "password_change", "logout"] {
        assert!(log.contains(&format!(r#""event":"{event}""#)), "{event}: {log}");
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}: {log}");
    }
}
