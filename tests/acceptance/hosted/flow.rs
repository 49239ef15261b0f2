//! The filter's ordinary life.

use std::time::Duration;

use bearward_testhost::{Answer, Request};
use serde_json::json;

use crate::hosted::gate::{KEYS_FETCHED, order, plugin, policy, token, world};

#[test]
fn a_public_path_is_forwarded_from_the_first_request_on() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.request(Request::get("/api/menu")).forwarded();
}

#[test]
fn a_protected_path_without_a_token_is_401_with_a_bare_challenge() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    let outcome = world.request(Request::get("/api/orders/1"));
    let response = outcome.local_response();
    assert_eq!(response.status, 401);
    assert_eq!(response.details, "bearward.token_missing");
    assert_eq!(response.headers.text("www-authenticate").unwrap().split(' ').next(), Some("Bearer"));
}

#[test]
fn before_the_first_keys_a_token_is_503_and_with_them_it_is_forwarded_with_the_identity() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    let cold = world.request(order());
    assert_eq!((cold.status(), cold.reached_the_upstream()), (Some(503), false));
    assert!(cold.local_response().headers.get("retry-after").is_some());

    world.advance(KEYS_FETCHED);
    let outcome = world.request(order().header("x-user-id", "somebody else"));
    let headers = &outcome.forwarded().headers;
    assert_eq!(headers.all("x-user-id"), [b"user-1"]);
    assert_eq!(headers.text("x-user-roles").as_deref(), Some("customer"));
    assert_eq!(headers.text("x-user-issuer").as_deref(), Some("bearward"));
}

#[test]
fn a_role_that_is_missing_is_403() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    let outcome = world.request(Request::get("/api/menu/7").bearer(&token(|_| ())));
    assert_eq!(outcome.local_response().status, 403);
    let admin = token(|claims| claims["roles"] = json!(["admin"]));
    world.request(Request::get("/api/menu/7").bearer(&admin)).forwarded();
}

#[test]
fn an_outage_of_the_issuer_leaves_the_keys_in_use() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    for answer in [Answer::Unreachable, Answer::Never, Answer::ResetAfter(5)] {
        world.set_cluster("issuer", move |_| answer.clone());
        world.advance(Duration::from_secs(400));
        let fresh = token(|claims| claims["exp"] = json!(crate::hosted::gate::NOW + 9_000));
        world.request(Request::get("/api/orders/1").bearer(&fresh)).forwarded();
    }
}

/// Over HTTP/2 a body needs neither Content-Length nor Transfer-Encoding.
#[test]
fn a_preflight_with_a_body_is_none() {
    let mut changed = policy();
    changed["policies"][0]["cors_preflight"] = json!("allow");
    let mut world = world().plugin(plugin(&changed)).start().unwrap();
    world.advance(KEYS_FETCHED);
    let preflight = || {
        Request::new("OPTIONS", "/api/orders/1")
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "DELETE")
    };
    world.request(preflight()).forwarded();
    let outcome = world.request(preflight().body("anything"));
    assert!(!outcome.reached_the_upstream(), "{outcome:?}");
}

/// Upstreams that read trailers as headers (the recorder of our own tests does) find a token there.
#[test]
fn a_token_in_the_trailers_goes_no_further() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    let request = Request::new("POST", "/api/orders/1")
        .bearer(&token(|_| ()))
        .body("x")
        .trailer("authorization", "Bearer forged")
        .trailer("x-other", "stays");
    let outcome = world.request(request);
    let trailers = &outcome.forwarded().trailers;
    assert!(trailers.get("authorization").is_none(), "{trailers:?}");
    assert!(trailers.get("x-other").is_some());
}
