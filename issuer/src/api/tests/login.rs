//! Login.

use super::*;
use crate::log::testing::Recording;

#[tokio::test]
async fn a_login_opens_a_session_for_whoever_knows_the_password() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let answer = issuing.post("/api/auth/login", login(" Priya@Example.com", "mypassword123")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["user"]["email"], "priya@example.com");
    assert!(answer.body["token"].is_string());
}

#[tokio::test]
async fn unknown_email_wrong_password_and_disabled_user_cannot_be_told_apart() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let mut answers = vec![
        issuing.post("/api/auth/login", login("priya@example.com", "mypassword124")).await,
        issuing.post("/api/auth/login", login("nobody@example.com", "mypassword123")).await,
        issuing.post("/api/auth/login", login("no\0body", "mypassword123")).await,
        issuing.post("/api/auth/login", login(&"x".repeat(1000), "mypassword123")).await,
    ];
    issuing.execute("UPDATE users SET disabled_at = now()").await;
    answers.push(issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await);
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text, r#"{"error":"Invalid email or password"}"#);
        assert_eq!(answer.headers, answers[0].headers);
    }
}

#[tokio::test]
async fn a_login_without_a_field_is_told_which() {
    let answer = issuing().await.post("/api/auth/login", r#"{"email":"a@b.c"}"#).await;
    assert_eq!((answer.status, &answer.body["field"]), (StatusCode::BAD_REQUEST, &json!("password")));
}

#[tokio::test]
async fn a_stored_hash_that_cannot_be_verified_is_refused_as_a_wrong_password_and_logged() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    for absurd in [
        "UPDATE users SET password_hash = '$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAA'",
        "UPDATE users SET password_hash = 'x'",
    ] {
        issuing.execute(absurd).await;
        let recording = Recording::begin();
        let answer = issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text, r#"{"error":"Invalid email or password"}"#);
        let lines = recording.lines();
        assert!(lines.iter().any(|line| line.contains("hash of this user cannot be verified")), "{lines:?}");
    }
}
