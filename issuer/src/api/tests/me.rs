//! The user of a token.

use super::*;

#[tokio::test]
async fn me_is_the_user_of_the_token_whatever_identity_headers_say() {
    let issuing = issuing().await;
    let signup = issuing.post("/api/auth/signup", PRIYA).await;
    let bearer = format!("bearer {}", signup.body["token"].as_str().unwrap());
    let answer = issuing.get("/api/auth/me", &[("authorization", &bearer), ("x-user-id", "someone")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({ "user": signup.body["user"] }));
    let forged =
        issuing.get("/api/auth/me", &[("x-user-id", signup.body["user"]["id"].as_str().unwrap())]).await;
    assert_eq!(
        (forged.status, &forged.body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("No token provided"))
    );
    assert_eq!(forged.headers["www-authenticate"], "Bearer realm=\"bearward\"");
}

#[tokio::test]
async fn me_refuses_a_bad_token_and_a_user_who_is_gone_with_invalid_token() {
    let issuing = issuing().await;
    let signup = issuing.post("/api/auth/signup", PRIYA).await;
    let bearer = format!("Bearer {}", signup.body["token"].as_str().unwrap());
    let bad = issuing.get("/api/auth/me", &[("authorization", "Bearer this.is.fake")]).await;
    assert_eq!((bad.status, &bad.body["error"]), (StatusCode::UNAUTHORIZED, &json!("Invalid token")));
    issuing.execute("DELETE FROM users").await;
    let gone = issuing.get("/api/auth/me", &[("authorization", &bearer)]).await;
    assert_eq!(
        (gone.status, &gone.body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("User no longer exists"))
    );
    for answer in [bad, gone] {
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}
