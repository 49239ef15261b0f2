//! Signup.

use super::*;

#[tokio::test]
async fn a_signup_answers_with_a_token_and_the_user_and_no_password() {
    let issuing = issuing().await;
    let answer = issuing.post("/api/auth/signup", PRIYA).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let user = &answer.body["user"];
    assert_eq!(
        (&user["name"], &user["email"], &user["role"]),
        (&json!("Priya"), &json!("priya@example.com"), &json!("customer"))
    );
    assert_eq!(user.as_object().unwrap().len(), 4);
    assert_eq!(answer.body["token"], answer.body["accessToken"]);
    assert_eq!((&answer.body["tokenType"], &answer.body["expiresIn"]), (&json!("Bearer"), &json!(900)));
    assert!(!answer.text.contains("mypassword123") && !answer.text.contains("argon2"), "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn the_same_email_in_other_case_and_with_spaces_is_taken() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    let again = json!({ "name": "P", "email": "  PRIYA@Example.com ", "password": "otherpassword" });
    let answer = issuing.post("/api/auth/signup", again.to_string()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.body, json!({ "error": "Email already registered" }));
}

#[tokio::test]
async fn a_role_at_signup_is_refused_by_name() {
    let issuing = issuing().await;
    let body = json!({ "name": "P", "email": "p@example.com", "password": "mypassword123", "role": "admin" });
    let answer = issuing.post("/api/auth/signup", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body["field"], "role");
    assert_eq!(
        issuing.post("/api/auth/login", login("p@example.com", "mypassword123")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn wrong_fields_are_all_named_with_the_first_in_front() {
    let issuing = issuing().await;
    let answer = issuing.post("/api/auth/signup", r#"{"email":"nobody","password":"1234567"}"#).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!((&answer.body["field"], &answer.body["error"]), (&json!("name"), &json!("Name is required")));
    let fields: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["name", "email", "password"]);
    assert_eq!(answer.body["errors"][2]["error"], "Password must be at least 8 characters");
}

#[tokio::test]
async fn a_password_that_is_guessed_first_is_refused_with_the_reason() {
    let issuing = issuing().await;
    for (password, reason) in [
        ("Iloveyou1", "Password is one of the most common: choose one that nobody else would"),
        ("PriyaSharma1", "Password is little more than the name: choose one that is not made of it"),
        ("kitchen2024", "Password is little more than the email: choose one that is not made of it"),
    ] {
        let body = json!({ "name": "Priya Sharma", "email": "kitchen@example.com", "password": password });
        let answer = issuing.post("/api/auth/signup", body.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body["errors"], json!([{ "field": "password", "error": reason }]));
    }
}

#[tokio::test]
async fn a_password_is_the_same_however_its_letters_are_composed() {
    let issuing = issuing().await;
    let body = json!({ "name": "P", "email": "p@example.com", "password": "pa\u{308}sswo\u{308}rds" });
    assert_eq!(issuing.post("/api/auth/signup", body.to_string()).await.status, StatusCode::CREATED);
    for password in ["p\u{e4}ssw\u{f6}rds", "pa\u{308}sswo\u{308}rds"] {
        let answer = issuing.post("/api/auth/login", login("p@example.com", password)).await;
        assert_eq!(answer.status, StatusCode::OK, "{password}");
    }
}
