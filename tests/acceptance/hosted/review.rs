//! What the second review found where the adapter decides.

use bearward_testhost::Request;
use serde_json::json;

use crate::hosted::gate::{KEYS_FETCHED, plugin, policy, token, world};

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
