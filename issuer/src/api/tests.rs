//! The public interface as clients see it, on a real PostgreSQL.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bearward_core::issuer::Issuer;
use bearward_core::keys::KeySet;
use bearward_core::verify;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::router;
use crate::app::App;
use crate::hashing::Hasher;
use crate::settings::{HashSettings, PasswordSettings, TokenSettings};
use crate::store::Store;
use crate::store::testing::TestDatabase;
use crate::tokens::{Tokens, new_key};

const PRIYA: &str = r#"{"name":"Priya","email":"priya@example.com","password":"mypassword123"}"#;

struct Issuing {
    _database: TestDatabase,
    app: Arc<App>,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    body: Value,
}

async fn issuing() -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    issuing_with(database, store).await
}

async fn issuing_with(database: TestDatabase, store: Store) -> Issuing {
    let keys = store.signing_keys(&new_key().unwrap()).await.unwrap();
    let app = Arc::new(app(store, &keys));
    Issuing { _database: database, router: router(Arc::clone(&app)), app }
}

fn app(store: Store, keys: &[crate::store::StoredKey]) -> App {
    let tokens = TokenSettings {
        iss: "http://issuer.bearward.local".to_owned(),
        audiences: vec!["restaurant".to_owned()],
        access_token_seconds: 900,
    };
    App {
        store,
        hasher: Hasher::new(HashSettings { permits: 2, queue: 8 }).unwrap(),
        tokens: Tokens::new(tokens, keys).unwrap(),
        passwords: PasswordSettings { min_length: 8 },
    }
}

impl Issuing {
    async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(post(path, body)).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn execute(&self, statement: &'static str) {
        self.app.store.execute(statement).await;
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, text, body }
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", "application/json").body(body.into()).unwrap()
}

fn login(email: &str, password: &str) -> String {
    json!({ "email": email, "password": password }).to_string()
}

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
async fn the_published_keys_are_what_a_verifier_of_these_tokens_accepts() {
    let issuing = issuing().await;
    let signup = issuing.post("/api/auth/signup", PRIYA).await;
    let jwks = issuing.get("/.well-known/jwks.json", &[]).await;
    assert_eq!(jwks.headers["content-type"], "application/json");
    assert_eq!(jwks.headers["cache-control"], "public, max-age=300");
    let keys = KeySet::parse(jwks.text.as_bytes()).unwrap();
    let issuer = Issuer::rfc9068("http://issuer.bearward.local", &["restaurant".to_owned()]);
    let token = signup.body["token"].as_str().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = verify::verify(token.as_bytes(), &issuer, &keys, now).unwrap();
    assert_eq!(claims.subject(), signup.body["user"]["id"].as_str().unwrap());
    assert_eq!(claims.roles(), ["customer"]);
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
async fn what_is_not_json_or_too_large_or_of_another_type_is_refused() {
    let issuing = issuing().await;
    for path in ["/api/auth/signup", "/api/auth/login"] {
        assert_eq!(issuing.post(path, "not json").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(issuing.post(path, "[]").await.status, StatusCode::BAD_REQUEST);
        let large = issuing.post(path, format!("\"{}\"", "x".repeat(1024 * 1024))).await;
        assert_eq!(
            (large.status, &large.body),
            (StatusCode::PAYLOAD_TOO_LARGE, &json!({ "error": "Request body too large" }))
        );
        let plain = Request::post(path).header("content-type", "text/plain").body(PRIYA.into()).unwrap();
        assert_eq!(issuing.send(plain).await.status, StatusCode::BAD_REQUEST);
    }
}

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
async fn a_login_that_finds_the_hashers_full_is_sent_away_with_a_time_to_come_again() {
    let issuing = issuing().await;
    let _full = issuing.app.hasher.occupy();
    for (path, body) in
        [("/api/auth/login", login("priya@example.com", "x")), ("/api/auth/signup", PRIYA.to_owned())]
    {
        let answer = issuing.post(path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(answer.body, json!({ "error": "Too busy, try again" }));
    }
}

#[tokio::test]
async fn a_stored_hash_that_cannot_be_verified_is_a_fault_of_ours() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.execute("UPDATE users SET password_hash = '$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAA'").await;
    let answer = issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
    assert_eq!(
        (answer.status, &answer.body),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "Login failed" }))
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_not_401_or_500() {
    let options = "postgres://u@127.0.0.1:1/d".parse().unwrap();
    let wait = std::time::Duration::ZERO;
    let store =
        crate::store::connect::pool(&crate::settings::DatabaseSettings { options, connections: 1, wait });
    let router = router(Arc::new(app(store, &[new_key().unwrap()])));
    for (path, body) in
        [("/api/auth/login", login("priya@example.com", "x")), ("/api/auth/signup", PRIYA.to_owned())]
    {
        let answer = send(&router, post(path, body)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

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

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_json() {
    let issuing = issuing().await;
    let unknown = issuing.get("/api/auth/unknown", &[]).await;
    assert_eq!((unknown.status, &unknown.body), (StatusCode::NOT_FOUND, &json!({ "error": "Not found" })));
    let method = issuing.get("/api/auth/login", &[]).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.headers["allow"], "POST");
    assert_eq!(method.body, json!({ "error": "Method not allowed" }));
    for internal in ["/livez", "/readyz"] {
        assert_eq!(issuing.get(internal, &[]).await.status, StatusCode::NOT_FOUND);
    }
}
