//! The request of a case, with its token made for the time at which it is judged.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Outcome;
use super::file::{Case, Change, File, Keys, Token};
use crate::token::{Key, public_key, sign_text};

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
            Outcome::Rejected(..) => Vec::new(),
        };
        Self { method: method.to_owned(), target, authority: case.authority.clone(), headers, asked }
    }
}

/// The policy of a file, with its JWKs in place.
#[must_use]
pub fn policy(file: &File) -> Value {
    replaced(&file.policy, &|text| {
        let name = text.strip_prefix("jwk:")?;
        let seed = [*file.keys.ed25519.get(name).unwrap_or_else(|| panic!("no key {name}")); 32];
        Some(json!({ "kty": "OKP", "crv": "Ed25519", "kid": name, "x": public_key(&seed) }))
    })
}

fn forge(token: &Token, keys: &Keys, now: u64) -> String {
    if let Some(raw) = &token.raw {
        return raw.clone();
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => replaced(value, &|text| time(text, now).map(Value::from)).to_string(),
    };
    let key = match token.key.as_deref() {
        None => Key::None,
        Some(name) => match (keys.ed25519.get(name), keys.secrets.get(name)) {
            (Some(byte), _) => Key::Ed25519([*byte; 32]),
            (None, Some(secret)) => Key::Hmac(secret.clone().into_bytes()),
            (None, None) => panic!("no key {name}"),
        },
    };
    let token_text = sign_text(&text(&token.header), &text(&token.payload), &key);
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
        Change::ShortenSignature => drop(bytes.pop()),
        Change::LengthenSignature => bytes.push(0),
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// `now`, `now+60`, `now-60`
fn time(text: &str, now: u64) -> Option<u64> {
    let offset = text.strip_prefix("now")?;
    let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    now.checked_add_signed(seconds)
}

fn replaced(value: &Value, replace: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => replace(text).unwrap_or_else(|| value.clone()),
        Value::Array(items) => items.iter().map(|item| replaced(item, replace)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), replaced(member, replace))).collect()
        }
        _ => value.clone(),
    }
}
