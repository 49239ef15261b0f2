//! Nothing of a token is told to anybody but the upstream: not to the client, not to a log, not to another plugin.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_testhost::{Outcome, Request, World};
use proptest::prelude::*;
use serde_json::json;

use crate::hosted::gate::{self, KEYS_FETCHED};

/// As many bytes in a row are no accident.
const TELLING: usize = 8;

/// The first part of a token, as it is, that stands in a text.
pub(crate) fn part_of(token: &str, text: &[u8]) -> Option<String> {
    part_of_any([token.as_bytes().to_vec()].into_iter(), text)
}

/// The same, decoded or not.
fn content_of(token: &str, text: &[u8]) -> Option<String> {
    let decoded = token.split('.').filter_map(|segment| URL_SAFE_NO_PAD.decode(segment).ok());
    part_of_any(std::iter::once(token.as_bytes().to_vec()).chain(decoded), text)
}

fn part_of_any(all: impl Iterator<Item = Vec<u8>>, text: &[u8]) -> Option<String> {
    all.flat_map(|bytes| bytes.windows(TELLING).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .find(|part| text.windows(TELLING).any(|own| own == part))
        .map(|part| String::from_utf8_lossy(&part).into_owned())
}

/// Everything that the outcome of a request tells anybody but the upstream.
fn told(outcome: &Outcome) -> Vec<u8> {
    let (headers, body, details, state) = match outcome {
        Outcome::LocalResponse(response) => {
            (Some(&response.headers), response.body.clone(), response.details.clone(), &response.filter_state)
        }
        Outcome::Forwarded(forwarded) => (None, Vec::new(), String::new(), &forwarded.filter_state),
        other => panic!("{other:#?}"),
    };
    let headers = headers.into_iter().flat_map(|headers| headers.iter());
    let state = state.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    let pairs =
        headers.chain(state).flat_map(|(name, value)| [name.to_vec(), b"\n".to_vec(), value.to_vec()]);
    pairs.chain([b"\n".to_vec(), body, b"\n".to_vec(), details.into_bytes()]).flatten().collect()
}

/// A world whose tokens may stand anywhere.
fn world() -> World {
    let mut policy = gate::policy();
    // The verdict names it, and so does the audience of the tokens.
    policy["policies"][0]["name"] = json!("api");
    policy["credentials"] = json!([
        { "header": "authorization", "scheme": "Bearer" },
        { "header": "x-access-token" },
        { "cookie": "access_token", "allowed_origins": ["https://app.test"] },
        { "query": "access_token" },
    ]);
    let mut world = gate::world().plugin(gate::plugin(&policy)).start().unwrap();
    world.advance(KEYS_FETCHED);
    world
}

/// What may be wrong with a token.
fn damage() -> impl Strategy<Value = (u8, prop::sample::Index)> {
    (0..12_u8, any::<prop::sample::Index>())
}

fn damaged(subject: &str, (kind, at): (u8, prop::sample::Index)) -> String {
    let good = gate::token(|claims| {
        claims["sub"] = json!(subject);
        match kind {
            0 => claims["exp"] = json!(gate::NOW - 1),
            1 => claims["nbf"] = json!(gate::NOW + 999),
            2 => claims["aud"] = json!([subject]),
            3 => claims["iss"] = json!(format!("http://{subject}.test")),
            4 => claims["roles"] = json!({ subject: subject }),
            5 => claims["exp"] = json!(subject),
            _ => {}
        }
    });
    match kind {
        6 => gate::unknown_key(|claims| claims["sub"] = json!(subject)),
        7 => gate::stranger(|claims| claims["sub"] = json!(subject)),
        8 => gate::sign_with(&format!("X{subject}"), |_| ()),
        9 => good.chars().take(at.index(good.len() - 1) + 1).collect(),
        10 => format!("{good}.{subject}"),
        11 => {
            let mut bytes = good.into_bytes();
            let index = at.index(bytes.len());
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        }
        _ => good,
    }
}

/// A request with the token in one place or in two.
fn carried(token: &str, place: u8) -> Request {
    let orders = Request::get("/api/orders/1");
    match place {
        0 => orders.bearer(token),
        1 => orders.header("x-access-token", token),
        2 => orders.header("cookie", format!("a=1; access_token={token}")),
        3 => Request::get(format!("/api/orders/1?access_token={token}")),
        4 => orders.bearer(token).bearer(token),
        5 => Request::get("/api/menu/7").bearer(token),
        6 => Request::get(format!("/api/orders/{token}")),
        7 => Request::get(format!("/api//{token}")).header("authorization", format!("Basic {token}")),
        8 => Request::new("POST", "/api/orders/1").header("cookie", format!("access_token={token}")),
        9 => orders.header("content-type", "application/grpc").bearer(token),
        _ => Request::get("/api/menu").header("x-user-id", token).bearer(token),
    }
}

#[test]
fn whatever_is_wrong_with_a_token_and_wherever_it_stands_no_part_of_it_is_told_to_anybody_but_the_upstream() {
    let world = RefCell::new(world());
    proptest!(|(subject in "[a-z]{8,40}", damage in damage(), place in 0..11_u8)| {
        let token = damaged(&subject, damage);
        let mut world = world.borrow_mut();
        let logged = world.log().len();
        let outcome = gate::settled(&mut world, carried(&token, place));
        prop_assert_eq!(content_of(&token, &told(&outcome)), None, "{:#?}", outcome);
        for line in world.log().iter().skip(logged) {
            prop_assert_eq!(content_of(&token, line.text.as_bytes()), None, "{}", line.text);
        }
        for name in world.metric_names() {
            prop_assert_eq!(content_of(&token, name.as_bytes()), None, "{}", name);
        }
        for (name, value) in world.shared_data("bearward") {
            prop_assert_eq!(part_of(&token, &[name, value].concat()), None);
        }
    });
}

#[test]
fn a_part_of_a_token_is_found_wherever_it_stands() {
    let token = gate::token(|claims| claims["sub"] = json!("somebody-in-particular"));
    let middle: String = token.chars().skip(30).take(12).collect();
    assert!(part_of(&token, format!("x {middle} y").as_bytes()).is_some());
    assert!(content_of(&token, format!("x {middle} y").as_bytes()).is_some());
    assert!(content_of(&token, b"the user somebody-in-particular").is_some(), "decoded");
    assert_eq!(content_of(&token, b"401 bearward.token_expired"), None);
}
