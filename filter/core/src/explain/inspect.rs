//! A token taken apart, by itself: no policy, no time, and one key set where there is one.

use serde_json::Value;

use super::key;
use super::token::fault_of_jws;
use crate::keys::{KeySet, KeySetProblem};
use crate::rejection::Rejection;
use crate::token::UnverifiedJws;
use crate::{base64url, json};

/// A JWS, as far as it can be read.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The header; a text where it is no JSON without repeated members, `None` where it cannot be decoded.
    pub header: Option<Value>,
    /// The payload in the same way. What is neither JSON nor text stays in base64url.
    pub payload: Option<Value>,
    /// What is known of the signature.
    pub signature: Signature,
    /// Why the token is refused, or was not verified.
    pub reason: Option<Rejection>,
    /// The same in words, each printable on any terminal. Never holds a token.
    pub notes: Vec<String>,
}

/// What is known of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It holds.
    Valid,
    /// It does not, or the token has a form in which none could.
    Invalid,
    /// No keys were at hand.
    NotChecked,
}

impl Signature {
    /// Its name: `[a-z_]+`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotChecked => "not_checked",
        }
    }
}

/// Takes a token apart, and verifies its signature by the keys of a JWK Set, secrets among them, as strictly as for any
/// issuer: of the set those keys count that are for the one algorithm which the header names.
///
/// # Errors
/// What `jwks` is no JWK Set for. A set with a key that is wrong verifies nothing, and that is no error:
/// [`Rejection::KeysUnavailable`].
pub fn inspect(token: &[u8], jwks: Option<&[u8]>) -> Result<Inspection, KeySetProblem> {
    let (header, payload) = shown(token);
    let told = |signature, reason, notes| Inspection { header, payload, signature, reason, notes };
    let parsed = UnverifiedJws::parse(token);
    let algorithms = parsed.as_ref().map(|jws| vec![jws.algorithm()]).unwrap_or_default();
    let keys = jwks.map(|jwks| KeySet::parse_with_secrets(jwks, &algorithms)).transpose();
    if let Err(problems) = &keys
        && let Some(whole) = problems.iter().find(|problem| problem.place.is_none())
    {
        return Err(whole.clone());
    }
    let jws = match parsed {
        Ok(jws) => jws,
        Err(rejection) => {
            let signature = if jwks.is_some() { Signature::Invalid } else { Signature::NotChecked };
            let text = fault_of_jws(token).err().map(|fault| fault.text);
            let notes = vec![text.unwrap_or_else(|| rejection.row().detail.to_owned())];
            return Ok(told(signature, Some(rejection), notes));
        }
    };
    Ok(match keys {
        Ok(None) => told(Signature::NotChecked, None, Vec::new()),
        Err(problems) => {
            let notes = problems.iter().map(|problem| format!("the JWK Set: {problem}")).collect();
            told(Signature::NotChecked, Some(Rejection::KeysUnavailable), notes)
        }
        Ok(Some(keys)) => {
            let mut notes = vec![key::sentence(&keys, &jws)];
            match jws.verify(&keys) {
                Ok(()) => told(Signature::Valid, None, notes),
                Err(rejection) => {
                    notes.push(rejection.row().detail.to_owned());
                    told(Signature::Invalid, Some(rejection), notes)
                }
            }
        }
    })
}

/// Header and payload, also of what is no token: the first two segments. The second one of a JWE is a key.
fn shown(token: &[u8]) -> (Option<Value>, Option<Value>) {
    let mut segments = token.split(|byte| *byte == b'.');
    let (header, payload, rest) = (segments.next(), segments.next(), segments.count());
    let payload = payload.filter(|_| rest != 3);
    (header.and_then(value_of), payload.and_then(value_of))
}

fn value_of(segment: &[u8]) -> Option<Value> {
    let bytes = base64url::decode(segment).filter(|bytes| !bytes.is_empty())?;
    let as_text = |bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(segment).into_owned(),
    };
    Some(json::parse(&bytes).unwrap_or_else(|_| Value::String(as_text(bytes))))
}

#[cfg(test)]
mod tests;
