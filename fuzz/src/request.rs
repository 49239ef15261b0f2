//! A whole request, as text: which policy, method, path and authority in a line each, then a header a line.
//!
//! `{customer}`, `{admin}`, `{tutorial}`, `{words}`, `{nested}` and `{expired}` in a path or a value stand for tokens, which no fuzzer could sign.

use serde_json::{Value, json};

use crate::gate::{self, Headers};
use crate::target::Arrival;
use crate::{NOW, forge};

/// # Panics
/// If a request gets through that should not; see [`gate::Gate::check_knowing`].
pub fn check(input: &[u8]) {
    let (gate, headers) = read(input);
    gate::all()[gate].check(&headers);
}

/// As it is.
#[must_use]
pub fn arrivals(input: &[u8]) -> Vec<Arrival> {
    let (gate, headers) = read(input);
    vec![Arrival::Request(gate, headers)]
}

fn read(input: &[u8]) -> (usize, Headers) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let gate = lines.next().and_then(<[u8]>::first).map_or(0, |byte| usize::from(*byte));
    let mut headers = Headers::new();
    for name in [":method", ":path", ":authority"] {
        if let Some(line) = lines.next() {
            headers.push((name.as_bytes().to_vec(), with_tokens(line)));
        }
    }
    for line in lines {
        // A pseudo-header may come twice, too.
        let colon = line.iter().skip(1).position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
        let (name, value) = line.split_at(colon);
        headers.push((name.to_vec(), with_tokens(value.get(1..).unwrap_or_default())));
    }
    (gate % gate::all().len(), headers)
}

fn with_tokens(value: &[u8]) -> Vec<u8> {
    let Some(open) = value.iter().position(|byte| *byte == b'{') else { return value.to_vec() };
    let (before, rest) = value.split_at(open);
    let Some(close) = rest.iter().position(|byte| *byte == b'}') else { return value.to_vec() };
    let (name, after) = rest.split_at(close + 1);
    match token(name) {
        Some(token) => [before, token.as_bytes(), after].concat(),
        None => value.to_vec(),
    }
}

fn token(name: &[u8]) -> Option<String> {
    let own =
        |payload: Value| forge::sign(forge::EDDSA_HEADER, payload.to_string().as_bytes(), forge::Key::K1);
    Some(match name {
        b"{customer}" => own(forge::payload(&["customer"])),
        b"{admin}" => own(forge::payload(&["admin", "root", "rider"])),
        b"{expired}" => {
            let mut payload = forge::payload(&["admin"]);
            payload["exp"] = (NOW - 3_600).into();
            own(payload)
        }
        b"{tutorial}" => {
            let payload = json!({ "userId": 7, "role": "editor", "exp": NOW + 600 });
            forge::sign(forge::HS256_HEADER, payload.to_string().as_bytes(), forge::Key::Secret)
        }
        b"{words}" => {
            let payload = json!({
                "iss": "http://words.test", "aud": "api", "sub": "c1", "scope": "member orders:read",
                "tenant": { "id": "u1" }, "exp": NOW + 600
            });
            forge::sign(forge::NAMELESS_HEADER, payload.to_string().as_bytes(), forge::Key::K2)
        }
        b"{nested}" => {
            let payload = json!({
                "iss": "http://nested.test", "user": { "id": 7 }, "realm_access": { "roles": ["admin", "chef"] },
                "account": { "tags": [3, "x"] }, "email": "a,b@c", "exp": NOW - 100
            });
            own(payload)
        }
        _ => return None,
    })
}
