//! Keys of one run, and tokens signed with them.

use std::collections::BTreeMap;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use bearward_core::algorithm::AlgorithmName;
use bearward_forge::{Key, compact};
use serde_json::{Value, json};
use xtask::directory::random_hex;
use xtask::error::Error;
use xtask::stack::{AUDIENCE, ISSUER};

use super::variants::ALGORITHMS;
use crate::machine;

/// How long the tokens are good, in seconds: longer than any run.
const LIFE_SECONDS: u64 = 6 * 3_600;

/// A key of one algorithm with tokens of it, all different.
#[derive(Debug)]
pub(super) struct Signer {
    algorithm: AlgorithmName,
    key: Key,
    /// In the compact serialization.
    pub(super) tokens: Vec<String>,
}

/// By the name of their algorithm.
pub(super) type Signers = BTreeMap<&'static str, Signer>;

/// A key for each algorithm, and so many tokens of each.
///
/// # Errors
/// There are no random numbers.
pub(super) fn sign(count: usize, secret: &str) -> Result<Signers, Error> {
    ALGORITHMS
        .into_iter()
        .map(|algorithm| Ok((algorithm.as_str(), Signer::new(algorithm, count, secret)?)))
        .collect()
}

/// The text of a secret for HS256.
pub(super) fn secret() -> Result<String, Error> {
    random_hex(32)
}

impl Signer {
    fn new(algorithm: AlgorithmName, count: usize, secret: &str) -> Result<Self, Error> {
        let key = match algorithm {
            AlgorithmName::Hs256 => Key::secret(secret.as_bytes()),
            _ => Key::random(algorithm).map_err(not_signed)?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let threads = machine::cores();
        let share = |first: usize| (first..count).step_by(threads);
        let signed = |number: usize| token(&key, algorithm, &claims(number, now));
        let parts: Vec<Vec<Result<String, Error>>> = thread::scope(|scope| {
            let sign = |first| scope.spawn(move || share(first).map(signed).collect());
            let threads: Vec<_> = (0..threads).map(sign).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let tokens: Vec<String> = parts.into_iter().flatten().collect::<Result<_, _>>()?;
        Ok(Self { algorithm, key, tokens })
    }

    /// The JWK Set that proves the tokens: with the secret itself where the algorithm is of that kind.
    pub(super) fn jwks(&self) -> Value {
        let mut jwk = self.key.jwk();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("alg".to_owned(), json!(self.algorithm.as_str()));
            members.insert("kid".to_owned(), json!(KID));
        }
        json!({ "keys": [jwk] })
    }

    /// The tokens, each with the signature of the one before: of the right form and length, and wrong.
    pub(super) fn with_bad_signatures(&self) -> Vec<String> {
        let parts = self.tokens.iter().filter_map(|token| token.rsplit_once('.'));
        let (inputs, mut signatures): (Vec<&str>, Vec<&str>) = parts.unzip();
        signatures.rotate_right(1);
        inputs.iter().zip(signatures).map(|(input, signature)| format!("{input}.{signature}")).collect()
    }
}

const KID: &str = "bench-2026-11";

fn token(key: &Key, algorithm: AlgorithmName, claims: &Value) -> Result<String, Error> {
    let header = json!({ "alg": algorithm.as_str(), "kid": KID, "typ": "at+jwt" }).to_string();
    compact(header, claims.to_string(), key, algorithm.into()).map_err(not_signed)
}

/// What Bearward's issuer writes into a token.
fn claims(number: usize, now: u64) -> Value {
    json!({
        "iss": ISSUER,
        "sub": format!("0b1c2d3e-4f50-4617-8829-{number:012x}"),
        "aud": [AUDIENCE],
        "exp": now + LIFE_SECONDS,
        "iat": now,
        "jti": format!("7f1d9a52-03c4-4be8-9d6f-{number:012x}"),
        "sid": format!("c2a4e6f8-1b3d-4579-a8c0-{number:012x}"),
        "roles": ["rider"],
        "user_version": 1,
        "epoch": 1,
    })
}

fn not_signed(error: bearward_forge::ForgeError) -> Error {
    Error::unusable(error.to_string(), "try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same_and_a_bad_signature_is_another_tokens() {
        let signer = Signer::new(AlgorithmName::EdDsa, 5, "").unwrap();
        let bad = signer.with_bad_signatures();
        let all: std::collections::BTreeSet<&String> = signer.tokens.iter().chain(&bad).collect();
        assert_eq!((all.len(), bad.len()), (10, 5));
        let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
        assert_eq!(signature(&bad[1]), signature(&signer.tokens[0]));
    }

    #[test]
    fn a_jwk_set_names_the_key_as_the_tokens_do() {
        let jwks = Signer::new(AlgorithmName::Hs256, 1, "secret").unwrap().jwks();
        assert_eq!((&jwks["keys"][0]["kid"], &jwks["keys"][0]["alg"]), (&json!(KID), &json!("HS256")));
    }
}
