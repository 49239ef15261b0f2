//! The public interface as clients see it, on a real PostgreSQL.

mod admin;
mod audit;
mod deadline;
mod import;
mod login;
mod me;
mod openapi;
mod refresh;
mod sessions;
mod signup;
mod throttle;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bearward_core::algorithm::AlgorithmName;
use bearward_core::issuer::Issuer;
use bearward_core::keys::KeySet;
use bearward_core::verify;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::router;
use crate::app::App;
use crate::hashing::{Hasher, LoginDeadline};
use crate::internal;
use crate::keys::{Keeper, Ring};
use crate::refresh::SuccessorKey;
use crate::settings::{
    HashSettings, PasswordLinkSettings, PasswordSettings, ThrottleSettings, TokenSettings,
};
use crate::store::Store;
use crate::store::testing::{LIVES, TestDatabase};
use crate::throttle::{Limit, Throttle, ThrottleKey};
use crate::tokens::Tokens;

const PRIYA: &str = r#"{"name":"Priya","email":"priya@example.com","password":"mypassword123"}"#;

struct Issuing {
    database: TestDatabase,
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
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let app = Arc::new(app(store, ring));
    Issuing { database, router: router(Arc::clone(&app)), app }
}

pub(crate) fn app(store: Store, ring: Ring) -> App {
    let tokens = token_settings("http://issuer.bearward.local");
    App {
        keeper: Some(Keeper::of_test(&store)),
        password_links: PasswordLinkSettings { url: None, seconds: 3600 },
        store,
        hasher: Hasher::new(HashSettings { permits: 2, queue: 8 }).unwrap(),
        login_deadline: LoginDeadline::fixed(std::time::Duration::from_millis(1)),
        tokens: Tokens::new(tokens, ring).unwrap(),
        successors: SuccessorKey::new().unwrap(),
        sessions: LIVES.session,
        passwords: PasswordSettings { min_length: 8 },
        throttle: throttle(limits()),
        proxies: Arc::default(),
        feed: None,
    }
}

/// Under the key that every process has which works on the same database.
fn throttle(limits: ThrottleSettings) -> Throttle {
    Throttle::new(ThrottleKey::new(&[7; 32]).unwrap(), limits)
}

/// What holds without any setting.
fn limits() -> ThrottleSettings {
    let limit = |text| Limit::parse(text).unwrap();
    ThrottleSettings {
        login: limit("10/900"),
        login_account: limit("30/900"),
        login_address: limit("300/900"),
        signup: limit("60/3600"),
        refresh: limit("60/900"),
    }
}

fn token_settings(iss: &str) -> TokenSettings {
    TokenSettings {
        iss: iss.to_owned(),
        audiences: vec!["restaurant".to_owned()],
        access_token_seconds: 900,
        public_url: "https://login.example.com".to_owned(),
        max_age_seconds: 300,
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
async fn the_published_keys_are_what_a_verifier_of_these_tokens_accepts() {
    let issuing = issuing().await;
    let signup = issuing.post("/api/auth/signup", PRIYA).await;
    let jwks = issuing.get("/.well-known/jwks.json", &[]).await;
    assert_eq!(jwks.headers["content-type"], "application/json");
    assert_eq!(jwks.headers["cache-control"], "public, max-age=300");
    let etag = jwks.headers["etag"].to_str().unwrap();
    let again = issuing.get("/.well-known/jwks.json", &[("if-none-match", etag)]).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(again.headers["etag"], etag);
    assert_eq!(again.headers["cache-control"], "public, max-age=300");
    let keys = KeySet::parse(jwks.text.as_bytes(), &[AlgorithmName::EdDsa]).unwrap();
    let issuer = Issuer::rfc9068("http://issuer.bearward.local", &["restaurant".to_owned()]);
    let token = signup.body["token"].as_str().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = verify::verify(token.as_bytes(), &issuer, &keys, now).unwrap();
    assert_eq!(claims.subject(), signup.body["user"]["id"].as_str().unwrap());
    assert_eq!(claims.roles(), ["customer"]);
}

#[tokio::test]
async fn the_metadata_leads_to_the_keys_and_is_found_under_the_issuers_path_alone() {
    let issuing = issuing().await;
    let metadata = issuing.get("/.well-known/oauth-authorization-server", &[]).await;
    assert_eq!(metadata.status, StatusCode::OK);
    assert_eq!(metadata.body["issuer"], "http://issuer.bearward.local");
    assert_eq!(metadata.body["jwks_uri"], "https://login.example.com/.well-known/jwks.json");
    assert!(metadata.headers.contains_key("etag"));
    let below = "/.well-known/oauth-authorization-server/realms/x";
    assert_eq!(issuing.get(below, &[]).await.status, StatusCode::NOT_FOUND);
    let mut app = app(issuing.app.store.clone(), Ring::made(1, 0));
    let iss = "https://login.example.com/realms/x";
    app.tokens = Tokens::new(token_settings(iss), Ring::made(1, 0)).unwrap();
    let get = Request::get(below).body(Body::empty()).unwrap();
    assert_eq!(send(&router(Arc::new(app)), get).await.body["issuer"], iss);
}

#[tokio::test]
async fn where_secrets_sign_there_is_no_jwk_set() {
    let (_database, store) = TestDatabase::migrated().await;
    let secret = crate::keys::ring::NamedSecret {
        kid: "one".to_owned(),
        secret: "0Zq8vX1mK7pR3tYw9uC5eH2jN6bL4sGd".to_owned().into(),
    };
    let router = router(Arc::new(app(store, Ring::of_secrets(&[secret]).unwrap())));
    let get = |path: &str| send(&router, Request::get(path).body(Body::empty()).unwrap());
    assert_eq!(get("/.well-known/jwks.json").await.status, StatusCode::NOT_FOUND);
    let metadata = get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.body.as_object().unwrap().get("jwks_uri"), None);
    let signup = send(&router, post("/api/auth/signup", PRIYA)).await;
    let bearer = format!("Bearer {}", signup.body["token"].as_str().unwrap());
    let me = Request::get("/api/auth/me").header("authorization", bearer).body(Body::empty()).unwrap();
    assert_eq!(send(&router, me).await.status, StatusCode::OK);
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

/// A store whose database nobody serves.
fn away() -> Store {
    let options = "postgres://u@127.0.0.1:1/d".parse().unwrap();
    let wait = std::time::Duration::ZERO;
    crate::store::connect::pool(&crate::settings::DatabaseSettings { options, connections: 1, wait })
}

#[tokio::test]
async fn who_is_sent_away_because_the_hashers_are_full_costs_the_database_nothing() {
    let app = Arc::new(app(away(), Ring::made(1, 0)));
    let _full = app.hasher.occupy();
    for (path, body) in
        [("/api/auth/login", login("priya@example.com", "x")), ("/api/auth/signup", PRIYA.to_owned())]
    {
        let answer = send(&router(Arc::clone(&app)), post(path, body)).await;
        let busy = json!({ "error": "Too busy, try again" });
        assert_eq!(answer.body, busy, "{path}: and not that the database is away");
    }
    assert_eq!(app.hasher.load().refused, 2);
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_not_401_or_500() {
    let router = router(Arc::new(app(away(), Ring::made(1, 0))));
    for (path, body) in
        [("/api/auth/login", login("priya@example.com", "x")), ("/api/auth/signup", PRIYA.to_owned())]
    {
        let answer = send(&router, post(path, body)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers["retry-after"], "1");
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

#[tokio::test]
async fn a_process_that_could_not_read_its_keys_for_long_makes_no_token_and_says_when_to_come_again() {
    let (_database, store) = TestDatabase::migrated().await;
    let router = router(Arc::new(app(store, Ring::made(1, 0))));
    let answer = send(&router, post("/api/auth/signup", PRIYA)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_process_is_ready_while_its_database_answers_and_alive_without_it() {
    let issuing = issuing().await;
    let probes = probes(&issuing.app);
    // Every connection of the requests is busy, and the probe has its own.
    let _busy = issuing.app.store.occupy().await;
    assert_eq!(probe(&probes, "/readyz").await.body, json!({ "status": "ready" }));
    issuing.database.drop_it().await;
    let without = probe(&probes, "/readyz").await;
    assert_eq!(
        (without.status, &without.body["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("database unavailable"))
    );
    assert_eq!(probe(&probes, "/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_process_whose_database_takes_no_writes_is_not_ready() {
    let (database, store) = TestDatabase::migrated().await;
    let mut settings = database.settings.clone();
    settings.options = settings.options.options([("default_transaction_read_only", "on")]);
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let probes = probes(&Arc::new(app(crate::store::connect::pool(&settings), ring)));
    let answer = probe(&probes, "/readyz").await;
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("database read-only"))
    );
}

#[tokio::test]
async fn what_is_counted_can_be_scraped_and_every_series_is_documented() {
    let issuing = issuing().await;
    issuing.post("/api/auth/signup", PRIYA).await;
    issuing.get("/api/nothing/here", &[]).await;
    let answer = probe(&probes(&issuing.app), "/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        r#"http_server_request_duration_seconds_count{http_request_method="POST",http_route="/api/auth/signup",http_response_status_code="201"} 1"#,
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="none",http_response_status_code="404"} 1"#,
        r#"bearward_issuer_events_total{event="signup",outcome="success",cause="-"} 1"#,
        "bearward_issuer_hashes_running 0",
        "bearward_issuer_hashes_max 2",
        "db_client_connection_max 4",
    ] {
        assert!(answer.text.lines().any(|found| found == line), "{line}: {}", answer.text);
    }
    let documented = include_str!("../../../docs/issuer-metrics.md");
    let families: Vec<_> = answer.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(families.len() >= 15, "{families:?}");
    for family in families {
        let (name, kind) = family.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let series = format!("`{name}{suffix}");
        let row = documented.lines().find(|line| line.contains(&series));
        assert!(row.is_some_and(|row| row.contains(&format!("| {kind} |"))), "{name} {kind}");
    }
}

fn probes(app: &Arc<App>) -> Router {
    let progress = Arc::new(internal::Progress::default());
    progress.started(Arc::clone(app));
    internal::router(progress)
}

async fn probe(probes: &Router, path: &str) -> Answer {
    send(probes, Request::get(path).body(Body::empty()).unwrap()).await
}
