//! The table.

use serde_json::{Value, json};

use super::Expected::{
    BareChallenge, Challenge, Error, Member, Names, NoChallenge, Nowhere, OwnId, Present, SameAs, Status,
};
use super::{Credentials, Learns, Step, Target, revoking};
use crate::client::Request;

pub(super) const PASSWORD: &str = "mypassword123";
pub(super) const SIGNUP: &str = "/api/auth/signup";
pub(super) const LOGIN: &str = "/api/auth/login";
const WRONG_PASSWORD: &str = "log in with a wrong password";

/// More than any body that a form sends.
const LARGE: usize = 1024 * 1024;

/// Every step of a walk, in its order.
pub(super) fn steps(target: &Target) -> Vec<Step> {
    let priya = format!("priya+{}@example.com", target.run);
    [
        sign_up(&priya),
        log_in(&priya),
        without_credentials(),
        bad_tokens(),
        the_upstream_is_told(),
        roles(target),
        paths(),
        odd_bytes(),
        revoking::steps(target),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn sign_up(priya: &str) -> Vec<Step> {
    let body = |name: &str, email: &str, password: &str| -> Value {
        json!({ "name": name, "email": email, "password": password })
    };
    let mut with_role = body("Mallory", "mallory@example.com", PASSWORD);
    with_role["role"] = json!("admin");
    let nameless = json!({ "email": "nobody@example.com", "password": PASSWORD });
    let large = body(&"x".repeat(LARGE), "large@example.com", PASSWORD);
    let other_case = format!("  {}  ", priya.to_uppercase());
    vec![
        Step::new(
            "Priya signs up",
            Request::post(SIGNUP, &body("Priya", priya, PASSWORD)),
            [
                Status(&[201]),
                Present("/token"),
                Present("/user/id"),
                Member("/user/name", json!("Priya")),
                Member("/user/email", json!(priya)),
                Member("/user/role", json!("customer")),
                Nowhere(PASSWORD),
                Nowhere("password"),
            ],
        )
        .learns(Learns::Customer),
        Step::new(
            "the same again, in other letter case and with spaces",
            Request::post(SIGNUP, &body("Priya", &other_case, PASSWORD)),
            [Status(&[409]), Error("Email already registered")],
        ),
        Step::new(
            "sign up without a name",
            Request::post(SIGNUP, &nameless),
            [Status(&[400]), Names("name")],
        ),
        Step::new(
            "sign up with a password of 7 characters",
            Request::post(SIGNUP, &body("Priya", "short@example.com", "seven77")),
            [Status(&[400]), Names("password")],
        ),
        Step::new(
            "sign up with what is no JSON",
            Request::new("POST", SIGNUP).header("content-type", "application/json").body("name=Priya"),
            [Status(&[400])],
        ),
        Step::new(
            "sign up as an administrator",
            Request::post(SIGNUP, &with_role),
            [Status(&[400]), Names("role")],
        ),
        Step::new("sign up with a body of 1 MB", Request::post(SIGNUP, &large).exactly(), [Status(&[413])]),
    ]
}

fn log_in(priya: &str) -> Vec<Step> {
    let attempt =
        |email: &str, password: &str| Request::post(LOGIN, &json!({ "email": email, "password": password }));
    vec![
        Step::new(
            "log in",
            attempt(priya, PASSWORD),
            [Status(&[200]), Present("/token"), OwnId("/user/id"), Nowhere(PASSWORD)],
        )
        .learns(Learns::Customer),
        Step::new(
            WRONG_PASSWORD,
            attempt(priya, "mypassword124"),
            [Status(&[401]), Error("Invalid email or password")],
        ),
        Step::new(
            "log in as somebody unknown",
            attempt(&format!("un{priya}"), PASSWORD),
            [Status(&[401]), SameAs(WRONG_PASSWORD)],
        ),
        Step::new("ask who I am", Request::get("/api/auth/me"), [Status(&[200]), OwnId("/user/id")])
            .with(Credentials::Customer),
        Step::new(
            "the public keys, and none that signs",
            Request::get("/.well-known/jwks.json"),
            [Status(&[200]), Member("/keys/0/alg", json!("EdDSA")), Nowhere("\"d\"")],
        ),
    ]
}

fn without_credentials() -> Vec<Step> {
    let refused = || [Status(&[401]), Error("No token provided"), BareChallenge];
    let orders = || Request::get("/api/orders");
    vec![
        Step::new(
            "the menu, without a token",
            Request::get("/api/menu"),
            [Status(&[200]), Present("/items/0/name")],
        ),
        Step::new("orders, without a token", orders(), refused()),
        Step::new("orders, with `Basic x`", orders().header("authorization", "Basic x"), refused()),
        Step::new("orders, with `Bearer` and nothing", orders().header("authorization", "Bearer"), refused()),
    ]
}

fn bad_tokens() -> Vec<Step> {
    let orders = || Request::get("/api/orders");
    let invalid = || [Status(&[401]), Error("Invalid token"), Challenge("invalid_token")];
    vec![
        Step::new("orders, with `this.is.fake`", orders().bearer("this.is.fake"), invalid()),
        Step::new("orders, with a tampered role", orders(), invalid()).with(Credentials::TamperedRole),
        Step::new("orders, signed by another key", orders(), invalid()).with(Credentials::AnotherKey),
        Step::new("orders, with `alg: none`", orders(), invalid()).with(Credentials::Unsigned),
        Step::new(
            "orders, with an expired token",
            orders(),
            [Status(&[401]), Error("Token expired"), Challenge("invalid_token")],
        )
        .with(Credentials::Expired),
    ]
}

/// The restaurant knows nothing of tokens: that it knows who ordered shows what it was told.
fn the_upstream_is_told() -> Vec<Step> {
    let order = || Request::post("/api/orders", &json!({ "items": [5] }));
    let first_is_hers = || [Status(&[200]), OwnId("/orders/0/userId")];
    let nobody = || [Status(&[200]), Member("/viewer", Value::Null)];
    vec![
        Step::new("order lemonade", order(), [Status(&[201]), OwnId("/userId")]).with(Credentials::Customer),
        Step::new("orders, with `bearer` in lower case", Request::get("/api/orders"), first_is_hers())
            .with(Credentials::CustomerInLowerCase),
        Step::new(
            "orders, with a forged `x-user-id`",
            Request::get("/api/orders").header("x-user-id", "someone"),
            first_is_hers(),
        )
        .with(Credentials::Customer),
        Step::new(
            "order in somebody else's name",
            order().header("X-User-Id", "someone").exactly(),
            [Status(&[201]), OwnId("/userId")],
        )
        .with(Credentials::Customer),
        Step::new(
            "the menu, with a forged `x-user-id`",
            Request::get("/api/menu").header("x-user-id", "someone"),
            nobody(),
        ),
        Step::new(
            "the menu, with a forged `x_user_id`",
            Request::get("/api/menu").header("x_user_id", "someone"),
            [Status(&[400])],
        ),
        Step::new(
            "the menu, with `x-original-url`",
            Request::get("/api/menu").header("x-original-url", "/api/orders"),
            nobody(),
        ),
    ]
}

fn roles(target: &Target) -> Vec<Step> {
    let remove = || Request::new("DELETE", "/api/menu/1");
    let refused = || [Status(&[403]), Error("Not authorized"), Challenge("insufficient_scope")];
    let status = json!({ "status": "delivered" });
    let (email, password) = (&target.admin_email, &target.admin_password);
    vec![
        Step::new("a customer takes pizza off the menu", remove(), refused()).with(Credentials::Customer),
        Step::new(
            "a customer calls an order delivered",
            Request::new("PATCH", "/api/orders/1/status").json(&status),
            refused(),
        )
        .with(Credentials::Customer),
        Step::new(
            "the administrator logs in",
            Request::post(LOGIN, &json!({ "email": email, "password": password })),
            [Status(&[200]), Member("/user/role", json!("admin"))],
        )
        .learns(Learns::Admin),
        // Where somebody has walked before, the restaurant itself says 404: it was asked, so the gate was open.
        Step::new(
            "the administrator takes it off (404: it was off)",
            remove(),
            [Status(&[200, 404]), NoChallenge, Nowhere("problem+json")],
        )
        .with(Credentials::Admin),
    ]
}

fn paths() -> Vec<Step> {
    let refused = || [Status(&[400, 401])];
    let raw = |path: &str| Request::get(path).exactly();
    vec![
        Step::new(
            "a path that no rule names",
            Request::get("/api/payments"),
            [Status(&[403]), Error("Not authorized"), NoChallenge],
        )
        .with(Credentials::Customer),
        Step::new("/api/menu/..%2forders, without a token", raw("/api/menu/..%2forders"), refused()),
        Step::new("/api//orders, without a token", raw("/api//orders"), refused()),
        Step::new("/api/menu;x, without a token", raw("/api/menu;x"), refused()),
        Step::new("/api/menu/%2e%2e/orders, without a token", raw("/api/menu/%2e%2e/orders"), refused()),
    ]
}

fn odd_bytes() -> Vec<Step> {
    vec![
        Step::new(
            "orders, with a token that is no text",
            Request::get("/api/orders").header("authorization", b"Bearer \xff\xfe\x80").exactly(),
            [Status(&[400, 401])],
        ),
        Step::new("and then with a good one", Request::get("/api/orders"), [Status(&[200])])
            .with(Credentials::Customer),
    ]
}
