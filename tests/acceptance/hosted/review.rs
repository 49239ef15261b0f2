//! What the second review found where the adapter decides.

use bearward_testhost::Request;
use serde_json::json;

use crate::hosted::gate::{KEYS_FETCHED, plugin, policy, token, world};

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
