//! How a refusal looks, whoever asks.

use std::collections::BTreeSet;
use std::time::Duration;

use bearward_testhost::{Answer, Request};
use serde_json::json;

use crate::hosted::gate::{self, KEYS_FETCHED, plugin, policy, token, world};

/// The codes of gRPC: 3 INVALID_ARGUMENT, 7 PERMISSION_DENIED, 14 UNAVAILABLE, 16 UNAUTHENTICATED.
#[test]
fn a_grpc_client_gets_a_code_and_a_short_message_and_no_problem_body() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    let ask = |path: &str| Request::new("POST", path).header("content-type", "application/grpc");
    let cold = world.request(ask("/api/orders/1").bearer(&token(|_| ())));
    let mut outcomes = vec![(cold, 14, "Authentication unavailable")];
    world.advance(KEYS_FETCHED);
    for (request, code, message) in [
        (ask("/api/orders/1"), 16, "No token provided"),
        (
            ask("/api/orders/1").bearer(&token(|claims| claims["exp"] = json!(gate::NOW - 1))),
            16,
            "Token expired",
        ),
        (ask("/api/menu/7").bearer(&token(|_| ())), 7, "Not authorized"),
        (ask("/api/nothing"), 7, "Not authorized"),
        (ask("/api//orders"), 3, "Ambiguous path"),
    ] {
        outcomes.push((world.request(request), code, message));
    }
    for (outcome, code, message) in outcomes {
        let response = outcome.local_response();
        assert_eq!((response.status, response.grpc_status), (200, Some(code)), "{message}: {response:#?}");
        assert_eq!(response.headers.text("grpc-status").as_deref(), Some(code.to_string().as_str()));
        assert_eq!(response.headers.text("grpc-message").as_deref(), Some(message));
        assert_eq!(response.body, b"", "{message}");
    }
}

/// RFC 9457 section 3.1.2: the status of the body is that of the answer.
#[test]
fn the_body_of_every_refusal_is_a_problem_of_its_status() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    for request in [
        Request::get("/api/orders/1"),
        Request::get("/api/orders/1").bearer("this.is.fake"),
        Request::get("/api/menu/7").bearer(&token(|_| ())),
        Request::get("/api/nothing"),
        Request::get("/api//orders"),
    ] {
        let outcome = world.request(request);
        let response = outcome.local_response();
        assert_eq!(response.headers.text("content-type").as_deref(), Some("application/problem+json"));
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["status"], response.status, "{body}");
        assert_eq!(body["type"], "about:blank");
        for member in ["title", "detail", "code", "error"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
    }
}

/// RFC 9110 section 11.6.1: a proxy leaves the challenges of the server behind it as they are.
#[test]
fn a_challenge_of_the_upstream_goes_to_the_client_as_it_is() {
    let answer =
        bearward_testhost::Response::new(401, "").header("www-authenticate", "Basic realm=\"behind\"");
    let behind = answer.clone();
    let mut world = world().plugin(plugin(&policy())).upstream(move |_| behind.clone()).start().unwrap();
    let outcome = world.request(Request::get("/api/menu"));
    assert_eq!(outcome.forwarded().response, answer);
}

/// A server that takes as long to refuse a tag whose first byte is wrong as one whose last byte is wrong tells nobody how
/// far a forgery has come (RFC 7518 section 3.2). In instructions, which no noise touches.
#[test]
fn the_instructions_of_a_refusal_do_not_tell_where_a_tag_of_hmac_is_wrong() {
    const SECRET: &str = "rK7vQ2mZ9xB4nW8tLc5yHj3sGd6fPa1e";
    let mut policy = policy();
    policy["issuers"]["bearward"]["algorithms"] = json!(["HS256"]);
    policy["issuers"]["bearward"]["keys"] = json!({ "secrets_env": ["SECRET"] });
    let claims = bearward_tests::token::claims(&token(|_| ()));
    let key = bearward_tests::token::Key::Hmac(SECRET.into());
    let good = bearward_tests::token::sign(&json!({ "alg": "HS256", "typ": "at+jwt" }), &claims, &key);
    let plugin = plugin(&policy).environment("SECRET", SECRET);
    let mut world = world().cluster("issuer", |_| Answer::Unreachable).plugin(plugin).start().unwrap();
    world.advance(Duration::from_secs(1));
    let mut spent = |token: &str| {
        let stream = world.open(Request::get("/api/orders/1").bearer(token));
        let status = world.outcome(stream).status();
        let fuel = world.fuel_of(stream);
        world.close(stream);
        (status, fuel)
    };
    assert_eq!(spent(&good).0, Some(200));
    // Until the allocator has a place for everything, and each metric its number.
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, "A".repeat(43));
    for _ in 0..50 {
        assert_eq!(spent(&forged).0, Some(401));
    }
    let first = good.rfind('.').unwrap() + 1;
    // The last letter has unused bits, which are checked before. Letters of one kind cost the same to read.
    let letters = (first..good.len() - 1).filter(|at| good.as_bytes()[*at].is_ascii_alphanumeric());
    let refused: BTreeSet<_> = letters
        .map(|at| {
            let mut wrong = good.clone().into_bytes();
            wrong[at] = match wrong[at] {
                last @ (b'9' | b'z' | b'Z') => last - 1,
                other => other + 1,
            };
            spent(&String::from_utf8(wrong).unwrap())
        })
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused.first().unwrap().0, Some(401));
}
