//! A policy, as the proxy hands it over: JSON, or a serialized `google.protobuf.Struct`.

use std::cell::RefCell;

use bearward_core::problem::MAX_PROBLEMS;
use bearward_core::{Decision, Policy, json};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct};
use serde_json::Value;

use crate::forge;
use crate::gate::{self, Gate, Headers, secrets};
use crate::target::Arrival;

/// How many paths of a policy's own are asked for.
const MAX_PLACES: usize = 8;

/// # Panics
/// If a policy opens what its document does not, or reads otherwise in its other form, or tells a secret.
pub fn check(text: &[u8]) {
    let read = Policy::parse(text, &secrets);
    match (&read, Policy::parse(text, &secrets)) {
        (Ok(_), Ok(_)) => {}
        (Err(one), Err(other)) => assert_eq!(*one, other, "the same text twice"),
        _ => panic!("the same text twice"),
    }
    if let Err(problems) = &read {
        assert!((1..=MAX_PROBLEMS).contains(&problems.iter().count()));
        assert!(!problems.to_string().contains(forge::SECRET), "a secret in the log");
    }
    // As JSON, the document can be read again by other code.
    let Ok(document) = json::parse(text) else { return };
    let gate = match (Gate::new(document.clone()), read) {
        (Ok(gate), Ok(_)) => gate,
        (Err(one), Err(other)) => return assert_eq!(one, other, "read as a text and as a document"),
        _ => panic!("read as a text and as a document"),
    };
    let printed = document.to_string();
    let again = Policy::parse(printed.as_bytes(), &secrets);
    let again = again.unwrap_or_else(|problems| panic!("printed again: {printed}\n{problems}"));
    let other = serialized(&document).map(|bytes| Policy::parse(&bytes, &secrets).expect("the other form"));
    // Fields of a Struct have no order, and issuers have that of the document: their ids may differ.
    let is_one = document["issuers"].as_object().is_some_and(|issuers| issuers.len() == 1);
    let known = RefCell::default();
    let token = probe_token();
    let places = gate.places.iter().take(MAX_PLACES);
    let places = places.flat_map(|place| [place.clone(), gate::with_token(place.clone(), token.as_bytes())]);
    for probe in probes().into_iter().chain(places) {
        let verdict = gate.check_knowing(&known, &probe);
        assert_eq!(verdict, gate::decide(&again, &gate.keys, &probe), "printed again");
        if let (Some(other), true) = (&other, is_one) {
            assert_eq!(verdict, gate::decide(other, &gate.keys, &probe), "the other form");
        }
    }
}

/// As the plugin's configuration.
#[must_use]
pub fn arrivals(text: &[u8]) -> Vec<Arrival> {
    vec![Arrival::Configuration(text.to_vec())]
}

/// Requests that tell policies apart.
#[must_use]
pub fn probes() -> Vec<Headers> {
    let token = probe_token();
    let paths: [&[u8]; 6] =
        [b"/", b"/api/menu", b"/api/orders/1", b"/API/menu/", b"/api/menu/7", b"/private/x"];
    let asked =
        paths.iter().flat_map(|path| ["GET", "DELETE"].map(|method| gate::request(method, path, "api.test")));
    asked.flat_map(|request| [request.clone(), gate::with_token(request, token.as_bytes())]).collect()
}

fn probe_token() -> String {
    let payload = forge::payload(&["admin", "customer"]).to_string();
    forge::sign(forge::EDDSA_HEADER, payload.as_bytes(), forge::Key::K1)
}

/// What becomes of each of [`probes`]; `None` where the policy is refused.
#[must_use]
pub fn decide(text: &[u8]) -> Option<Vec<Decision>> {
    let policy = Policy::parse(text, &secrets).ok()?;
    let keys = bearward_core::KeyRing::of(&policy);
    Some(probes().iter().map(|probe| gate::decide(&policy, &keys, probe).decision).collect())
}

/// A document in the form in which Envoy hands it over; `None` where it has a number that no double holds.
#[must_use]
pub fn serialized(document: &Value) -> Option<Vec<u8>> {
    match kind(document)? {
        Kind::StructValue(fields) => Some(fields.encode_to_vec()),
        _ => None,
    }
}

fn kind(value: &Value) -> Option<Kind> {
    let field = |value: &Value| Some(prost_types::Value { kind: Some(kind(value)?) });
    Some(match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => {
            Kind::NumberValue(number.as_f64().filter(|double| exactly(*double, number))?)
        }
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => {
            Kind::ListValue(ListValue { values: items.iter().map(field).collect::<Option<_>>()? })
        }
        Value::Object(members) => Kind::StructValue(Struct {
            fields: members
                .iter()
                .map(|(name, member)| Some((name.clone(), field(member)?)))
                .collect::<Option<_>>()?,
        }),
    })
}

fn exactly(double: f64, number: &serde_json::Number) -> bool {
    number.as_u64().is_none_or(|whole| whole <= 1 << 53 && double == whole as f64)
}
