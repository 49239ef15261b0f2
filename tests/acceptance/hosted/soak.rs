//! A worker's life in fast motion: whatever comes, and however much of it, its memory stays where it was.

use std::time::Duration;

use bearward_core::Rejection;
use bearward_core::verified_tokens::MAX_VERIFIED_TOKENS;
use bearward_testhost::{Outcome, PluginId, Request, Thread, World};
use bearward_tests::harness;
use bearward_tests::note::note;
use serde_json::json;

use crate::hosted::gate::{
    KEYS_FETCHED, NOW, order, plugin, policy, settled, sign_with, stranger, token, unknown_key, world,
};

/// Time passes meanwhile, so that keys are fetched, refused and fetched anew: a second after so many requests.
const REQUESTS_A_SECOND: usize = 1_000;

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Forwarded,
    Rejected(Rejection),
}

/// How much is sent, and how many different tokens there are in it.
fn size() -> (usize, usize) {
    if harness::is_longer_run() { (1_000_000, 200_000) } else { (50_000, 10_000) }
}

/// The tokens of a run: half of them good, the others wrong in every way that a token can be.
fn tokens(count: usize) -> Vec<(String, Expected)> {
    let rejected = Expected::Rejected;
    (0..count)
        .map(|number| {
            let own = |claims: &mut serde_json::Value| {
                claims["jti"] = json!(format!("jti-{number}"));
                claims["sub"] = json!(format!("user-{}", number % 1_000));
                claims["roles"] = (0..number % 5).map(|role| format!("role-{role}")).collect();
                claims["exp"] = json!(NOW + 1_000_000);
            };
            let with = |member: &str, value: serde_json::Value| {
                token(|claims| {
                    own(claims);
                    claims[member] = value;
                })
            };
            let good = token(own);
            match number % 20 {
                0 => (with("exp", json!(NOW - 1)), rejected(Rejection::TokenExpired)),
                1 => (with("nbf", json!(NOW + 900_000)), rejected(Rejection::TokenNotYetValid)),
                2 => (with("aud", json!("elsewhere")), rejected(Rejection::AudienceMismatch)),
                3 => {
                    (with("iss", json!("http://elsewhere.example.com")), rejected(Rejection::IssuerMismatch))
                }
                4 => (with("exp", json!("never")), rejected(Rejection::ClaimsMalformed)),
                5 => (stranger(own), rejected(Rejection::SignatureInvalid)),
                6 => (unknown_key(own), rejected(Rejection::KeyUnknown)),
                7 => (good.replacen('.', "", 1), rejected(Rejection::TokenMalformed)),
                8 => (with("filler", json!("x".repeat(9_000))), rejected(Rejection::TokenTooLarge)),
                9 => (sign_with("none", own), rejected(Rejection::AlgorithmNotAllowed)),
                _ => (good, Expected::Forwarded),
            }
        })
        .collect()
}

/// The request with a token, and now and then one of those that need none.
fn request(number: usize, token: &(String, Expected)) -> (Request, Expected) {
    let (text, expected) = token;
    match number % 16 {
        0 => (Request::get("/api/menu").header("x-user-id", "admin"), Expected::Forwarded),
        1 => (Request::get("/api/orders/1"), Expected::Rejected(Rejection::TokenMissing)),
        2 => (
            Request::get(format!("/api//{number}")).bearer(text),
            Expected::Rejected(Rejection::PathAmbiguous),
        ),
        3 => (
            order().without("authorization").bearer(text).body("body").trailer("x-user-id", "admin"),
            *expected,
        ),
        _ => (Request::get(format!("/api/orders/{number}")).bearer(text), *expected),
    }
}

fn seen(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forwarded(_) => "forwarded".to_owned(),
        Outcome::LocalResponse(response) => response.details.clone(),
        other => format!("{other:?}"),
    }
}

fn memory(world: &World) -> usize {
    world.memory_bytes(Thread::Worker(0), PluginId::FIRST).unwrap()
}

/// The most that the memory may grow while texts of all lengths find their places in it, in bytes: some pages.
const SETTLING_BYTES: usize = 4 * 64 * 1024;

#[test]
fn the_memory_grows_no_more_once_as_many_tokens_are_known_as_may_be_and_all_have_come_some_times() {
    let (requests, distinct) = size();
    let tokens = tokens(distinct);
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    // By then every token has come, and half of them are good: more than are kept.
    let full = distinct;
    assert!(distinct / 2 > MAX_VERIFIED_TOKENS);
    let (mut early, mut half, mut forwarded) = (0, 0, 0);
    for number in 0..requests {
        if number == full {
            early = memory(&world);
        }
        if number == requests / 2 {
            half = memory(&world);
        }
        if number % REQUESTS_A_SECOND == 0 {
            world.advance(Duration::from_secs(1));
        }
        // A stride that shares no factor with the count, so that tokens come again, and not in their order.
        let (request, expected) = request(number, &tokens[number * 7_919 % distinct]);
        let outcome = seen(&settled(&mut world, request));
        let wanted = match expected {
            Expected::Forwarded => "forwarded".to_owned(),
            Expected::Rejected(rejection) => format!("bearward.{}", rejection.row().reason),
        };
        assert_eq!(outcome, wanted, "request {number}");
        forwarded += usize::from(expected == Expected::Forwarded);
    }
    let late = memory(&world);
    note(&format!(
        "memory of a worker: {} KiB after {} requests, {} bytes more after half of {requests}, {} in the other half, with \
         {distinct} tokens ({forwarded} forwarded, {} refused)",
        early / 1024,
        full,
        half - early,
        late - half,
        requests - forwarded,
    ));
    assert!(half - early <= SETTLING_BYTES, "{} bytes more in the first half", half - early);
    assert_eq!(late, half, "bytes of memory, after all requests and after half of them");
    assert_eq!(world.contexts(Thread::Worker(0), PluginId::FIRST), Some(1), "only the root context is left");
}
