//! Two things that are called header: the header map as the ABI serializes it, and the JOSE header of a token.

use bearward_core::{Decision, json};
use bearward_protocol::bounds::MAX_KEY_ID_BYTES;
use serde_json::Value;

use crate::gate::{self, Headers};
use crate::target::Arrival;
use crate::{forge, pairs, token};

/// # Panics
/// If a header map does not survive encoding, or a token is taken whose header says what we do not understand.
pub fn check(input: &[u8]) {
    check_map(input);
    check_jose(input);
}

/// As the headers of a request, if they are any; as the JOSE header of a token that is otherwise good.
#[must_use]
pub fn arrivals(input: &[u8]) -> Vec<Arrival> {
    let map = map(input).map(|headers| Arrival::Request(0, headers));
    let tokens = tokens(input).into_iter().flat_map(|token| token::plain_requests(token.as_bytes()));
    map.into_iter().chain(tokens.map(|headers| Arrival::Request(0, headers))).collect()
}

/// A header map in its serialized form.
#[must_use]
pub fn serialized(headers: &[(&str, &str)]) -> Vec<u8> {
    pairs::encode(headers)
}

fn map(input: &[u8]) -> Option<Headers> {
    let pairs = pairs::decode(input)?;
    Some(pairs.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
}

fn check_map(input: &[u8]) {
    let Some(pairs) = pairs::decode(input) else { return };
    let texts: Option<Vec<(&str, &str)>> = pairs
        .iter()
        .map(|(name, value)| Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?)))
        .collect();
    if let Some(texts) = texts.filter(|_| !input.is_empty()) {
        let encoded = pairs::encode(&texts);
        assert!(input.starts_with(&encoded), "what was read is what stands there");
        assert_eq!(pairs::decode(&encoded), Some(pairs), "decode(encode(x)) == x");
    }
    for gate in gate::all() {
        gate.check(&map(input).expect("decoded before"));
    }
}

fn tokens(header: &[u8]) -> [String; 2] {
    let payload = forge::payload(&["customer"]).to_string();
    [
        forge::sign(header, payload.as_bytes(), forge::Key::K1),
        forge::sign(header, br#"{"userId":7,"role":"customer","exp":1800000600}"#, forge::Key::Secret),
    ]
}

fn check_jose(input: &[u8]) {
    for token in tokens(input) {
        for headers in token::plain_requests(token.as_bytes()) {
            if let Decision::Forward(_) = gate::all()[0].check(&headers).decision {
                check_accepted(input);
            }
        }
    }
}

/// What the header of a token that is taken must look like (RFC 7515 section 4.1).
fn check_accepted(header: &[u8]) {
    let members = json::parse_object(header).expect("an object without ambiguities");
    assert_eq!(Ok(Value::Object(members.clone())), serde_json::from_slice(header).map_err(drop));
    for never in ["crit", "b64", "cty"] {
        assert!(!members.contains_key(never), "{never}");
    }
    assert!(matches!(members["alg"].as_str(), Some("EdDSA" | "Ed25519" | "HS256")), "{members:?}");
    if let Some(kid) = members.get("kid") {
        let kid = kid.as_str().expect("a string");
        assert!((1..=MAX_KEY_ID_BYTES).contains(&kid.len()));
    }
}
