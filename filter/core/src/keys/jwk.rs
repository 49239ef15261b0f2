//! One JWK (RFC 7517 section 4).

mod ec;
#[cfg(any(test, feature = "explain"))]
mod oct;
mod okp;
mod rsa;

use bearward_protocol::bounds::MAX_KEY_ID_BYTES;
use serde_json::{Map, Value};

use super::material::Material;
use super::thumbprint::Thumbprint;
use super::{Key, KeySetProblem, Name};
use crate::algorithm::AlgorithmName;
use crate::base64url;

/// Members that only a private or symmetric key has (RFC 7518 section 6). Their presence in a set of public keys
/// means that a secret has leaked, or that somebody else made the set.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Which kinds of keys a set may hold.
#[derive(Clone, Copy)]
pub(super) enum Kinds {
    /// Public ones alone.
    Public,
    /// Secrets, too: in a set of one's own, which the filter never reads.
    #[cfg(any(test, feature = "explain"))]
    WithSecrets,
}

/// The most operations of a key: RFC 7517 section 4.3 defines eight.
const MAX_OPERATIONS: usize = 16;

/// What an entry of a set is to an issuer's tokens.
pub(super) enum Entry {
    /// A key, for one of the issuer's algorithms.
    Key(Box<Key>),
    /// A key of a kind or for a use that is not this issuer's.
    Skipped,
    /// A key of RSA without `alg`, which could serve several of the issuer's algorithms. It serves none: a key that is
    /// used with two (RFC 8725 section 3.1) would let whoever breaks the weaker one forge for the stronger.
    Undecided,
}

/// Reads the key at `index`, for one of `algorithms`.
pub(super) fn read(
    index: usize,
    entry: &Value,
    algorithms: &[AlgorithmName],
    kinds: Kinds,
) -> Result<Entry, Vec<KeySetProblem>> {
    let Value::Object(jwk) = entry else {
        return Err(vec![KeySetProblem::at(index, "", "must be an object")]);
    };
    let mut problems = Vec::new();
    let is_secret = match kinds {
        Kinds::Public => false,
        #[cfg(any(test, feature = "explain"))]
        Kinds::WithSecrets => jwk.get("kty").is_some_and(|kty| kty == "oct"),
    };
    for member in SECRET_MEMBERS {
        if jwk.contains_key(member) && !(is_secret && member == "k") {
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
        Some(Value::Array(operations)) => {
            if operations.len() > MAX_OPERATIONS {
                problems.push(KeySetProblem::at(
                    index,
                    "key_ops",
                    format!("must name at most {MAX_OPERATIONS} operations"),
                ));
            } else if has_duplicate(operations) {
                problems.push(KeySetProblem::at(index, "key_ops", "must not name an operation twice"));
            }
            operations.iter().any(|operation| operation == "verify")
        }
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
    let usable = verifies && usage.is_none_or(|usage| usage == "sig");
    let entry = match fitting((kty, is_secret), crv, alg, algorithms) {
        Fitting::One(algorithm) if usable => match material(jwk, algorithm) {
            Ok((material, thumbprint)) => {
                let name = kid.map_or(Name::Absent, |kid| Name::Is(kid.into()));
                Entry::Key(Box::new(Key { name, material, thumbprint }))
            }
            Err((member, text)) => {
                problems.push(KeySetProblem::at(index, member, text));
                Entry::Skipped
            }
        },
        Fitting::Several if usable => Entry::Undecided,
        _ => Entry::Skipped,
    };
    if problems.is_empty() { Ok(entry) } else { Err(problems) }
}

/// How many of the issuer's algorithms a key could serve.
enum Fitting {
    None,
    One(AlgorithmName),
    Several,
}

/// `alg` decides where it is there; else what `kty` and `crv` leave of the issuer's algorithms.
fn fitting(
    (kty, is_secret): (Option<&str>, bool),
    crv: Option<&str>,
    alg: Option<&str>,
    algorithms: &[AlgorithmName],
) -> Fitting {
    use AlgorithmName::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let of_type: &[AlgorithmName] = match (kty, crv) {
        _ if is_secret => &[Hs256, Hs384, Hs512],
        (Some("OKP"), Some("Ed25519")) => &[EdDsa],
        (Some("EC"), Some("P-256")) => &[Es256],
        (Some("EC"), Some("P-384")) => &[Es384],
        (Some("RSA"), _) => &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
        _ => &[],
    };
    let mut fitting = of_type.iter().filter(|name| {
        algorithms.contains(name) && alg.is_none_or(|alg| AlgorithmName::parse(alg) == Some(**name))
    });
    match (fitting.next(), fitting.next()) {
        (None, _) => Fitting::None,
        (Some(name), None) => Fitting::One(*name),
        (Some(_), Some(_)) => Fitting::Several,
    }
}

/// What verifies, or the member that is wrong and how.
fn material(
    jwk: &Map<String, Value>,
    algorithm: AlgorithmName,
) -> Result<(Material, Thumbprint), (&'static str, String)> {
    let material = match algorithm {
        AlgorithmName::EdDsa => okp::ed25519(jwk).map(Material::EdDsa),
        AlgorithmName::Es256 => ec::p256(jwk).map(Material::Es256),
        AlgorithmName::Es384 => ec::p384(jwk).map(Material::Es384),
        AlgorithmName::Rs256 => rsa::read_for_host(jwk).map(Material::Rs256),
        AlgorithmName::Rs384 => rsa::read_for_host(jwk).map(Material::Rs384),
        AlgorithmName::Rs512 => rsa::read_for_host(jwk).map(Material::Rs512),
        AlgorithmName::Ps256 => rsa::read(jwk).map(Material::Ps256),
        AlgorithmName::Ps384 => rsa::read(jwk).map(Material::Ps384),
        AlgorithmName::Ps512 => rsa::read(jwk).map(Material::Ps512),
        #[cfg(any(test, feature = "explain"))]
        AlgorithmName::Hs256 | AlgorithmName::Hs384 | AlgorithmName::Hs512 => {
            return oct::read(jwk, algorithm).map(|secret| (secret.material, secret.thumbprint));
        }
        #[cfg(not(any(test, feature = "explain")))]
        AlgorithmName::Hs256 | AlgorithmName::Hs384 | AlgorithmName::Hs512 => {
            Err(("kty", "a secret has no place in a public set".to_owned()))
        }
    };
    material.map(|material| (material, Thumbprint::of_jwk(algorithm, jwk)))
}

/// RFC 7517 section 4.3 forbids it.
fn has_duplicate(operations: &[Value]) -> bool {
    operations.iter().enumerate().any(|(index, one)| operations.iter().take(index).any(|other| other == one))
}

fn text_of<'a>(jwk: &'a Map<String, Value>, member: &str) -> Result<Option<&'a str>, ()> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(()),
    }
}

/// A member that holds bytes in base64url.
fn octets(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, (&'static str, String)> {
    let text = text_of(jwk, member).ok().flatten().ok_or((member, "must be a string".to_owned()))?;
    base64url::decode(text.as_bytes()).ok_or((member, "must be unpadded base64url".to_owned()))
}
