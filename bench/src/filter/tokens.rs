//! Keys that are thrown away, and tokens of them.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use bearward_core::algorithm::AlgorithmName;
use bearward_forge::{ForgeError, Key, compact};
use serde_json::{Value, json};
use xtask::directory::random_hex;
use xtask::error::Error;

use super::variants::Tokens;
use crate::machine;

/// How long they live, in seconds: longer than a run.
const LIFE: u64 = 6 * 60 * 60;
const KID: &str = "bench-1";
/// In rotation where a cache holds all of them.
const THOUSAND: usize = 1_000;

/// A key and what it signed.
pub(super) struct Pool {
    algorithm: AlgorithmName,
    key: Key,
    good: Vec<String>,
    forged: Vec<String>,
}

impl Pool {
    /// `count` tokens that differ, and as many whose signature is another one's.
    ///
    /// # Errors
    /// The machine has no random numbers.
    pub(super) fn make(algorithm: AlgorithmName, count: usize) -> Result<Self, Error> {
        let key = match algorithm {
            // Text, so that it can stand in a variable.
            AlgorithmName::Hs256 => Key::secret(random_hex(32)?.as_bytes()),
            _ => Key::random(algorithm).map_err(|error| unusable(&error))?,
        };
        let header = json!({ "alg": algorithm.as_str(), "typ": "at+jwt", "kid": KID }).to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let sign = |number: usize| compact(&header, claims(number, now), &key, algorithm.into());
        let share = count.div_ceil(machine::cores().max(1));
        let signed: Result<Vec<Vec<String>>, ForgeError> = thread::scope(|scope| {
            let begins = (0..count).step_by(share.max(1));
            let parts: Vec<_> = begins
                .map(|begin| scope.spawn(move || (begin..count.min(begin + share)).map(sign).collect()))
                .collect();
            parts.into_iter().map(|part| part.join().unwrap_or_else(|_| Ok(Vec::new()))).collect()
        });
        let good = signed.map_err(|error| unusable(&error))?.concat();
        let signatures = good.iter().skip(1).chain(good.first()).filter_map(|token| token.rsplit_once('.'));
        let bodies = good.iter().filter_map(|token| token.rsplit_once('.'));
        let forged =
            bodies.zip(signatures).map(|((body, _), (_, other))| format!("{body}.{other}")).collect();
        Ok(Self { algorithm, key, good, forged })
    }

    pub(super) fn algorithm(&self) -> AlgorithmName {
        self.algorithm
    }

    /// What verifies them, as a JWK Set; for secrets the secret itself.
    pub(super) fn jwks(&self) -> Value {
        let mut jwk = self.key.jwk();
        if let Some(jwk) = jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), KID.into());
            jwk.insert("alg".to_owned(), self.algorithm.as_str().into());
        }
        json!({ "keys": [jwk] })
    }

    /// The secret, where it is one.
    pub(super) fn secret(&self) -> Option<String> {
        self.key.as_secret().map(|secret| String::from_utf8_lossy(secret).into_owned())
    }

    /// The requests with these tokens, as bytes.
    pub(super) fn requests(&self, tokens: Tokens) -> Vec<Vec<u8>> {
        let tokens: Vec<Option<&str>> = match tokens {
            Tokens::Absent => vec![None],
            Tokens::One => self.good.first().map(|token| Some(token.as_str())).into_iter().collect(),
            Tokens::Thousand => self.good.iter().take(THOUSAND).map(|token| Some(token.as_str())).collect(),
            Tokens::Many => self.good.iter().map(|token| Some(token.as_str())).collect(),
            Tokens::Forged => self.forged.iter().map(|token| Some(token.as_str())).collect(),
        };
        tokens.into_iter().map(request).collect()
    }
}

/// As a browser's application sends it, without what it would be told to leave out.
fn request(token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "GET /api/orders/42 HTTP/1.1\r\nhost: bench.bearward.local\r\nuser-agent: bearward-bench/1\r\n\
         accept: application/json\r\naccept-encoding: gzip, br\r\naccept-language: en\r\n{authorization}\r\n"
    )
    .into_bytes()
}

fn claims(number: usize, now: u64) -> String {
    json!({
        "iss": "http://issuer.bearward.local", "sub": "5f8d0d55-1c2b-4f6a-9e3d-7a1b2c3d4e5f", "aud": "restaurant",
        "iat": now, "exp": now + LIFE, "jti": format!("{number:032x}"), "sid": "0d9f3a52-77c1-4b8e-8f20-6b5a4c3d2e1f",
        "roles": ["customer"], "user_version": 1, "epoch": 1,
    })
    .to_string()
}

fn unusable(error: &ForgeError) -> Error {
    Error::unusable(error.to_string(), "try again")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tokens_differ_and_forged_ones_have_signatures_of_others() {
        let pool = Pool::make(AlgorithmName::EdDsa, 7).unwrap();
        let all: BTreeSet<_> = pool.good.iter().chain(&pool.forged).collect();
        assert_eq!((pool.good.len(), all.len()), (7, 14));
        assert_eq!(pool.requests(Tokens::One).len(), 1);
        assert_eq!(pool.requests(Tokens::Many).len(), 7);
        let text = String::from_utf8(pool.requests(Tokens::Absent).remove(0)).unwrap();
        assert!(!text.contains("authorization") && text.ends_with("\r\n\r\n"), "{text}");
    }
}
