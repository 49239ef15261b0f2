//! One JWK (RFC 7517 section 4, RFC 8037 section 2).

use bearward_protocol::bounds::MAX_KEY_ID_BYTES;
use ed25519_dalek::VerifyingKey;
use serde_json::{Map, Value};

use super::{Key, KeySetProblem, Material, Name};
use crate::algorithm::AlgorithmName;
use crate::base64url;

/// Members that only a private or symmetric key has (RFC 7518 section 6). Their presence in a set of public keys
/// means that a secret has leaked, or that somebody else made the set.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Reads the key at `index`; `None` where it is of a kind that is not used here.
pub(super) fn read(index: usize, entry: &Value) -> Result<Option<Key>, Vec<KeySetProblem>> {
    let Value::Object(jwk) = entry else {
        return Err(vec![KeySetProblem::at(index, "", "must be an object")]);
    };
    let mut problems = Vec::new();
    for member in SECRET_MEMBERS {
        if jwk.contains_key(member) {
            problems.push(KeySetProblem::at(
                index,
                member,
                "private or symmetric key material has no place in a public set",
            ));
        }
    }
    let mut text = |member| {
        text_of(jwk, member).map_err(|()| problems.push(KeySetProblem::at(index, member, "must be a string")))
    };
    let kty = text("kty").ok().flatten();
    let kid = text("kid").ok().flatten();
    let usage = text("use").ok().flatten();
    let alg = text("alg").ok().flatten();
    let crv = text("crv").ok().flatten();
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => {
            problems.push(KeySetProblem::at(index, "key_ops", "must be an array"));
            false
        }
    };
    if kty.is_none() && !jwk.contains_key("kty") {
        problems.push(KeySetProblem::at(index, "kty", "is missing"));
    }
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KEY_ID_BYTES) {
        problems.push(KeySetProblem::at(index, "kid", format!("must have 1 to {MAX_KEY_ID_BYTES} bytes")));
    }
    let used_here = kty == Some("OKP")
        && crv == Some("Ed25519")
        && verifies
        && usage.is_none_or(|usage| usage == "sig")
        && alg.is_none_or(|alg| AlgorithmName::parse(alg) == Some(AlgorithmName::EdDsa));
    let material = if used_here { ed25519(index, jwk).map(Some) } else { Ok(None) };
    match material {
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
        Ok(_) if !problems.is_empty() => Err(problems),
        Ok(None) => Ok(None),
        Ok(Some(material)) => {
            let name = kid.map_or(Name::Absent, |kid| Name::Is(kid.to_owned()));
            Ok(Some(Key { name, material }))
        }
    }
}

fn text_of<'a>(jwk: &'a Map<String, Value>, member: &str) -> Result<Option<&'a str>, ()> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(()),
    }
}

fn ed25519(index: usize, jwk: &Map<String, Value>) -> Result<Material, KeySetProblem> {
    let problem = |text: &str| KeySetProblem::at(index, "x", text);
    let Some(Value::String(x)) = jwk.get("x") else {
        return Err(problem("must be a string"));
    };
    let bytes = base64url::decode(x.as_bytes()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(bytes) = bytes else {
        return Err(problem("must be 32 bytes in unpadded base64url (RFC 8037)"));
    };
    match VerifyingKey::from_bytes(&bytes) {
        Ok(key) if !key.is_weak() => Ok(Material::Ed25519(key)),
        _ => Err(problem("is not a point of Ed25519 that can be used as a key")),
    }
}
