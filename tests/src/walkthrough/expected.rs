use std::fmt;

use serde_json::{Value, json};

use super::Known;
use crate::client::Response;

/// Something that an answer has to be.
#[derive(Clone, Debug)]
pub enum Expected {
    /// One of these status codes.
    Status(&'static [u16]),
    /// `error` in the body is this.
    Error(&'static str),
    /// A member of the body, by JSON pointer, is this.
    Member(&'static str, Value),
    /// A member of the body, by JSON pointer, is there and not empty.
    Present(&'static str),
    /// This occurs nowhere, in headers or body.
    Nowhere(&'static str),
    /// `field` in the body is this.
    Names(&'static str),
    /// `WWW-Authenticate` without an error code: no credentials were presented (RFC 6750 section 3).
    BareChallenge,
    /// `WWW-Authenticate` with this error code.
    Challenge(&'static str),
    /// No `WWW-Authenticate`: credentials would not help.
    NoChallenge,
    /// The same status and body as the step of this name.
    SameAs(&'static str),
    /// A member of the body, by JSON pointer, is the customer's own id: so the upstream was told.
    OwnId(&'static str),
}

impl Expected {
    /// What is wrong with the answer, if anything.
    pub(super) fn miss(&self, answer: &Response, known: &Known<'_>) -> Option<String> {
        let body = answer.json();
        let member = |pointer: &str| body.pointer(pointer).cloned().unwrap_or(Value::Null);
        let met = match self {
            Self::Status(codes) => codes.contains(&answer.status),
            Self::Error(text) => member("/error") == *text,
            Self::Member(pointer, value) => member(pointer) == *value && body.pointer(pointer).is_some(),
            Self::Present(pointer) => member(pointer).as_str().is_some_and(|text| !text.is_empty()),
            Self::Nowhere(text) => !holds(answer, text),
            Self::Names(field) => member("/field") == *field,
            Self::BareChallenge => answer.challenge().is_some_and(|challenge| {
                challenge.starts_with("Bearer realm=") && !challenge.contains("error=")
            }),
            Self::Challenge(code) => {
                answer.challenge().is_some_and(|challenge| challenge.contains(&format!("error=\"{code}\"")))
            }
            Self::NoChallenge => answer.challenge().is_none(),
            Self::SameAs(step) => known
                .answers
                .get(step)
                .is_some_and(|other| (other.status, &other.body) == (answer.status, &answer.body)),
            Self::OwnId(pointer) => {
                known.customer.as_ref().is_some_and(|account| member(pointer) == json!(account.id))
            }
        };
        (!met).then(|| self.to_string())
    }
}

fn holds(answer: &Response, text: &str) -> bool {
    let within = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    within(&answer.body) || answer.headers.iter().any(|(_, value)| within(value))
}

/// As a person reads it, in a list after "expected".
impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(codes) => {
                let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
                formatter.write_str(&codes.join(" or "))
            }
            Self::Error(text) => write!(formatter, "`{text}`"),
            Self::Member(pointer, value) => write!(formatter, "{} {value}", name(pointer)),
            Self::Present(pointer) => write!(formatter, "{}", name(pointer)),
            Self::Nowhere(text) => write!(formatter, "no {text} anywhere"),
            Self::Names(field) => write!(formatter, "the field {field} named"),
            Self::BareChallenge => formatter.write_str("a challenge without error"),
            Self::Challenge(code) => formatter.write_str(code),
            Self::NoChallenge => formatter.write_str("no challenge"),
            Self::SameAs(step) => write!(formatter, "all as in: {step}"),
            Self::OwnId(pointer) => write!(formatter, "{} her own", name(pointer)),
        }
    }
}

/// `/user/id` as people write it: `user.id`.
fn name(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
