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

/// `mypassword123` by bcryptjs 3.0.3, at the cost that the tutorial has.
const BCRYPT: &str =
    "UPDATE users SET password_hash = '$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK'";

async fn stored_hash(issuing: &Issuing) -> String {
    let credentials = issuing.app.store.credentials("priya@example.com").await.unwrap().unwrap();
    credentials.password_hash.as_str().to_owned()
}

#[tokio::test]
async fn a_login_replaces_a_bcrypt_hash_by_argon2id_and_a_wrong_password_does_not() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.execute(BCRYPT).await;
    let wrong = issuing.post("/api/auth/login", login("priya@example.com", "mypassword124")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(stored_hash(&issuing).await.starts_with("$2b$10$"));
    for _ in 0..2 {
        let answer = issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(stored_hash(&issuing).await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

#[tokio::test]
async fn logins_at_once_of_a_user_whose_hash_is_replaced_all_succeed() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.execute(BCRYPT).await;
    let logins = (0..6).map(|_| {
        let router = issuing.router.clone();
        tokio::spawn(async move {
            send(&router, post("/api/auth/login", login("priya@example.com", "mypassword123"))).await.status
        })
    });
    for login in logins.collect::<Vec<_>>() {
        assert_eq!(login.await.unwrap(), StatusCode::OK);
    }
    assert!(stored_hash(&issuing).await.starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_login_whose_hash_another_one_replaces_meanwhile_succeeds_and_one_whose_password_changes_does_not()
{
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let current = issuing.app.store.credentials("priya@example.com").await.unwrap().unwrap();
    for (and_version, status) in [(false, StatusCode::OK), (true, StatusCode::UNAUTHORIZED)] {
        issuing.execute(BCRYPT).await;
        let (stopped, places) = (issuing.app.hasher.stop_workers(), issuing.app.hasher.places());
        let router = issuing.router.clone();
        let request = post("/api/auth/login", login("priya@example.com", "mypassword123"));
        let waiting = tokio::spawn(async move { send(&router, request).await });
        while issuing.app.hasher.places() == places {
            tokio::task::yield_now().await;
        }
        let old = issuing.app.store.credentials("priya@example.com").await.unwrap().unwrap();
        let store = &issuing.app.store;
        assert!(store.renew_hash(old.user_id, &old.password_hash, &current.password_hash).await.unwrap());
        if and_version {
            issuing.execute("UPDATE users SET user_version = user_version + 1").await;
        }
        drop(stopped);
        assert_eq!(waiting.await.unwrap().status, status);
    }
}

#[tokio::test]
async fn a_hash_that_changed_meanwhile_is_not_replaced() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let known = issuing.app.store.credentials("priya@example.com").await.unwrap().unwrap();
    issuing.execute(BCRYPT).await;
    let renewed =
        issuing.app.store.renew_hash(known.user_id, &known.password_hash, &known.password_hash).await;
    assert!(!renewed.unwrap());
    assert!(stored_hash(&issuing).await.starts_with("$2b$10$"));
}

#[tokio::test]
async fn a_disabled_user_with_a_bcrypt_hash_costs_one_hash_and_keeps_it() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.execute(BCRYPT).await;
    issuing.execute("UPDATE users SET disabled_at = now()").await;
    let before = issuing.app.hasher.computed();
    let answer = issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(issuing.app.hasher.computed() - before, 1);
    assert!(stored_hash(&issuing).await.starts_with("$2b$10$"));
}

#[tokio::test]
async fn no_password_hash_or_address_is_ever_logged() {
    let issuing = issuing().await;
    let recording = Recording::begin();
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing
        .post("/api/auth/signup", r#"{"name":"Priya","email":"priya@example.com","password":"Pr1ya7890"}"#)
        .await;
    issuing.execute(BCRYPT).await;
    for password in ["mypassword123", "mypassword124", "my\u{308}secret words"] {
        issuing.post("/api/auth/login", login("priya@example.com", password)).await;
        issuing.post("/api/auth/login", login("nobody@example.com", password)).await;
    }
    issuing.execute("UPDATE users SET password_hash = '$2b$31$planted'").await;
    issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
    let text = recording.lines().join("\n");
    assert!(text.contains("password_hash_renewed") && text.contains("cannot be verified"), "{text}");
    for secret in ["mypassword", "Pr1ya7890", "secret words", "$2b$", "$argon2id$", "example.com", "Priya"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
