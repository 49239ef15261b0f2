//! The request of a case, with its token made for the time at which it is judged.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::algorithm::AlgorithmName;
use serde_json::{Value, json};

use super::Outcome;
use super::file::{Case, Change, File, Keys, Token};
use crate::signing::Scheme;
use crate::token::{Key, sign_text_with};

/// A request as a host sends it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The authority.
    pub authority: String,
    /// Headers, in order, names as the client spells them.
    pub headers: Vec<(String, String)>,
    /// The names of the headers that the upstream is asked for.
    pub asked: Vec<String>,
    /// Whether the challenge of a refusal is asked for.
    pub asks_challenge: bool,
}

impl Request {
    /// The request of a case at the time `now`.
    #[must_use]
    pub fn of(case: &Case, keys: &Keys, now: u64) -> Self {
        let token = case.token.as_ref().map(|token| forge(token, keys, now));
        let mut headers = case.headers.clone();
        if let Some(token) = &token {
            if headers.is_empty() {
                headers.push(("authorization".to_owned(), "Bearer {token}".to_owned()));
            }
            for (_, value) in &mut headers {
                *value = value.replace("{token}", token);
            }
        }
        let (method, target) = case.request.split_once(' ').expect("a method and a target");
        let target = target.replace("{token}", token.as_deref().unwrap_or_default());
        let asked = match case.outcome() {
            Outcome::Forwarded(headers) => headers.into_keys().collect(),
            Outcome::Rejected { .. } => Vec::new(),
        };
        let (method, authority) = (method.to_owned(), case.authority.clone());
        Self { method, target, authority, headers, asked, asks_challenge: case.challenge.is_some() }
    }
}

/// The policy of a file, with its JWKs in place.
#[must_use]
pub fn policy(file: &File) -> Value {
    with_keys(&file.policy, &file.keys)
}

pub(super) fn with_keys(policy: &Value, keys: &Keys) -> Value {
    replaced(policy, &|value| {
        let name = value.as_str().or_else(|| value.get("$jwk")?.as_str())?;
        let name = if value.is_object() { name } else { name.strip_prefix("jwk:")? };
        let (name, algorithm) = name.split_once('/').map_or((name, None), |(name, alg)| (name, Some(alg)));
        let mut jwk = keys.get(name).jwk();
        jwk["kid"] = json!(name);
        if let Some(algorithm) = algorithm {
            jwk["alg"] = json!(algorithm);
        }
        for (member, value) in value.as_object().into_iter().flatten().filter(|(member, _)| *member != "$jwk")
        {
            jwk[member] = value.clone();
        }
        Some(jwk)
    })
}

fn forge(token: &Token, keys: &Keys, now: u64) -> String {
    if let Some(raw) = &token.raw {
        return raw.clone();
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => replaced(value, &|value| time(value.as_str()?, now).map(Value::from)).to_string(),
    };
    let key = token.key.as_deref().map_or(Key::None, |name| keys.get(name));
    let named = token.sign_with.as_deref().map(|name| AlgorithmName::parse(name).expect("an algorithm"));
    let scheme = token.key.as_ref().map(|_| Scheme {
        algorithm: named.unwrap_or_else(|| key.algorithm()),
        salt_bytes: token.salt_bytes,
    });
    let token_text = sign_text_with(&text(&token.header), &text(&token.payload), &key, scheme);
    token.then.map_or(token_text.clone(), |change| changed(&token_text, change))
}

fn changed(token: &str, change: Change) -> String {
    let (input, signature) = token.rsplit_once('.').expect("three segments");
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    match change {
        Change::Pad => return format!("{token}="),
        Change::AddSegment => return format!("{token}.{signature}"),
        Change::SetUnusedBits => {
            let (head, last) = signature.split_at(signature.len() - 1);
            // 64 bytes leave four unused bits in the last letter, which are zero: the next letter sets one.
            let next = char::from(last.as_bytes()[0] + 1);
            return format!("{input}.{head}{next}");
        }
        Change::ChangeSignature => bytes[0] ^= 1,
        Change::DerSignature => bytes = der(&bytes),
        Change::ZeroFirstHalf => {
            let half = bytes.len() / 2;
            bytes[..half].fill(0);
        }
        Change::ZeroSecondHalf => {
            let half = bytes.len() / 2;
            bytes[half..].fill(0);
        }
        Change::FillFirstHalf => {
            let half = bytes.len() / 2;
            bytes[..half].fill(0xff);
        }
        Change::FillSecondHalf => {
            let half = bytes.len() / 2;
            bytes[half..].fill(0xff);
        }
        Change::ShortenSignature => drop(bytes.pop()),
        Change::LengthenSignature => bytes.push(0),
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A signature of ECDSA in DER.
fn der(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() == 64 {
        p256::ecdsa::Signature::from_slice(bytes).expect("of P-256").to_der().as_bytes().to_vec()
    } else {
        p384::ecdsa::Signature::from_slice(bytes).expect("of P-384").to_der().as_bytes().to_vec()
    }
}

/// `now`, `now+60`, `now-60`
fn time(text: &str, now: u64) -> Option<u64> {
    let offset = text.strip_prefix("now")?;
    let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    now.checked_add_signed(seconds)
}

fn replaced(value: &Value, replace: &dyn Fn(&Value) -> Option<Value>) -> Value {
    if let Some(other) = replace(value) {
        return other;
    }
    match value {
        Value::Array(items) => items.iter().map(|item| replaced(item, replace)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), replaced(member, replace))).collect()
        }
        _ => value.clone(),
    }
}
