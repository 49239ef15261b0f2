//! Headers that no client sends by mistake.

use bearward_core::Rejection;
use bearward_testhost::{Outcome, Request, World};

use crate::hosted::gate::{KEYS_FETCHED, order, plugin, policy, token, world};

/// Where a client can put bytes of its own.
const PLACES: [&str; 8] =
    [":path", ":method", ":authority", "authorization", "cookie", "x-user-id", "content-type", "x-anything"];

fn warm() -> World {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    world
}

fn with(request: Request, name: &str, value: &[u8]) -> Request {
    request.without(name).header(name, value)
}

/// The request was refused for this, and the worker still serves.
#[track_caller]
fn refused(world: &mut World, request: Request, rejection: Rejection) {
    let outcome = world.request(request);
    let row = rejection.row();
    assert!(!outcome.reached_the_upstream(), "{outcome:#?}");
    let response = outcome.local_response();
    assert_eq!((response.status, &response.details), (row.status, &format!("bearward.{}", row.reason)));
    world.request(order()).forwarded();
}

#[test]
fn whatever_byte_stands_in_whatever_header_nothing_denied_is_forwarded_and_the_worker_serves_on() {
    let mut world = warm();
    for place in PLACES {
        for byte in 0..=u8::MAX {
            for value in [vec![byte], [b"/api/orders/", [byte].as_slice()].concat(), vec![byte; 40]] {
                let denied = with(Request::get("/api/orders/1"), place, &value);
                let outcome = world.request(denied);
                assert!(!outcome.reached_the_upstream(), "{place}: {}: {outcome:#?}", value.escape_ascii());
                // What the policy lets through passes, or is refused for these bytes: it never trips the module.
                let outcome = world.request(with(order(), place, &value));
                assert!(
                    matches!(outcome, Outcome::Forwarded(_) | Outcome::LocalResponse(_)),
                    "{place}: {}: {outcome:#?}",
                    value.escape_ascii()
                );
            }
        }
        world.request(order()).forwarded();
    }
}

#[test]
fn bytes_that_are_no_text_in_the_credentials_are_a_malformed_token() {
    let mut world = warm();
    let good = token(|_| ());
    for bytes in [b"\x80".as_slice(), b"\xc0\xaf", b"\xed\xa0\x80", b"\xff\xfe\xfd", b"\0"] {
        let value = [b"Bearer ", good.as_bytes(), bytes].concat();
        refused(&mut world, with(order(), "authorization", &value), Rejection::TokenMalformed);
    }
}

#[test]
fn a_request_without_path_or_method_or_host_is_malformed_whatever_else_it_has() {
    let mut world = warm();
    for missing in [":path", ":method"] {
        refused(&mut world, order().without(missing), Rejection::RequestMalformed);
        refused(&mut world, with(order(), missing, b""), Rejection::RequestMalformed);
    }
    refused(&mut world, Request::of(bearward_testhost::Headers::of_request()), Rejection::RequestMalformed);
    // HTTP/1.0 knows requests without a host: they belong to the policies for every host.
    let outcome = world.request(Request::get("/api/orders/1").without(":authority"));
    assert_eq!(outcome.status(), Some(401), "{outcome:#?}");
}

#[test]
fn a_hundred_authorization_headers_are_ambiguous() {
    let mut world = warm();
    let good = token(|_| ());
    let request = (0..100).fold(Request::get("/api/orders/1"), |request, _| request.bearer(&good));
    refused(&mut world, request, Rejection::CredentialsAmbiguous);
}

#[test]
fn a_megabyte_in_a_header_is_refused_where_it_is_looked_at_and_passes_where_it_is_not() {
    let mut world = warm();
    let large = vec![b'a'; 1_000_000];
    let bearer = [b"Bearer ", large.as_slice()].concat();
    refused(&mut world, with(order(), "authorization", &bearer), Rejection::TokenTooLarge);
    let path = [b"/api/orders/", large.as_slice()].concat();
    refused(&mut world, with(order(), ":path", &path), Rejection::RequestMalformed);
    refused(&mut world, with(order(), ":authority", &large), Rejection::RequestMalformed);
    refused(&mut world, with(order(), ":method", &large.to_ascii_uppercase()), Rejection::RequestMalformed);
    for place in ["x-anything", "cookie", "content-type"] {
        world.request(with(order(), place, &large)).forwarded();
    }
    let forwarded = world.request(with(order(), "x-user-id", &large));
    assert_eq!(forwarded.forwarded().headers.all("x-user-id"), [b"user-1"]);
}

#[test]
fn names_in_mixed_case_are_the_same_names() {
    let mut world = warm();
    let request = Request::get("/api/orders/1")
        .header("AUTHORIZATION", format!("bEaReR {}", token(|_| ())))
        .header("X-User-Id", "admin")
        .header("X_USER_ROLES", "admin");
    let outcome = world.request(request);
    let headers = &outcome.forwarded().headers;
    assert_eq!(headers.all("x-user-id"), [b"user-1"]);
    assert_eq!(headers.get("x_user_roles"), None);
}

#[test]
fn an_empty_value_is_nothing_to_go_by() {
    let mut world = warm();
    for credentials in ["", " ", "Bearer", "Bearer "] {
        refused(&mut world, with(order(), "authorization", credentials.as_bytes()), Rejection::TokenMissing);
    }
    let outcome = world.request(Request::get("/api/menu").header("x-user-id", "").header("x-user-roles", ""));
    let headers = &outcome.forwarded().headers;
    assert_eq!((headers.get("x-user-id"), headers.get("x-user-roles")), (None, None));
}

#[test]
fn more_headers_than_are_read_are_refused() {
    let mut world = warm();
    let request = (0..10_001).fold(order(), |request, number| request.header(format!("x-{number}"), ""));
    let outcome = world.request(request);
    assert!(!outcome.reached_the_upstream(), "{outcome:#?}");
    world.request(order()).forwarded();
}
