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

#[cfg(test)]
use super::variants;
use super::variants::{ALGORITHMS, Block};
use crate::machine;

/// How long the tokens are good, in seconds: longer than any run.
const LIFE_SECONDS: u64 = 6 * 3_600;

/// Which tokens are to be signed.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) algorithm: AlgorithmName,
    /// How many, all different.
    pub(super) count: usize,
    /// What each of them says.
    pub(super) roles: Vec<String>,
    /// How many bytes more the claims have than they need.
    pub(super) padding: usize,
}

/// A key with tokens of it.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) algorithm: AlgorithmName,
    key: Key,
    /// In the compact serialization.
    pub(super) tokens: Vec<String>,
    /// What these tokens say.
    pub(super) roles: Vec<String>,
    /// A good token as they are, which is not among them: it may be asked with as often as it takes.
    pub(super) spare: String,
    /// A good token of somebody who may do nothing.
    pub(super) without_role: String,
    /// A good token of the session [`ENDED`].
    pub(super) ended: String,
}

/// By their names: those of a whole run are called as their algorithms.
pub(super) type Signers = BTreeMap<String, Signer>;

/// The session that every feed says has ended.
pub(super) const ENDED: &str = "c2a4e6f8-1b3d-4579-a8c0-ffffffffffff";
/// The role that the rules want.
pub(super) const ROLE: &str = "rider";

/// A key for each algorithm that somebody is asked with, and so many tokens of each.
///
/// # Errors
/// There are no random numbers.
pub(super) fn sign(asked: &[&Block], count: usize, secret: &str) -> Result<Signers, Error> {
    let signer = |algorithm: AlgorithmName| {
        let wanted = Wanted::new(algorithm, count);
        Ok((algorithm.as_str().to_owned(), Signer::new(&wanted, secret)?))
    };
    let is_asked =
        |algorithm: &AlgorithmName| asked.iter().any(|block| block.asks.signer == algorithm.as_str());
    ALGORITHMS.into_iter().filter(is_asked).map(signer).collect()
}

/// So many of each algorithm.
#[cfg(test)]
pub(super) fn of_all(count: usize) -> Signers {
    sign(&variants::every().iter().collect::<Vec<_>>(), count, "a secret of some length").unwrap()
}

/// The text of a secret for HS256.
pub(super) fn secret() -> Result<String, Error> {
    random_hex(32)
}

impl Wanted {
    /// Tokens as Bearward's issuer has them.
    pub(super) fn new(algorithm: AlgorithmName, count: usize) -> Self {
        Self { algorithm, count, roles: vec![ROLE.to_owned()], padding: 0 }
    }
}

impl Signer {
    /// # Errors
    /// There are no random numbers.
    pub(super) fn new(wanted: &Wanted, secret: &str) -> Result<Self, Error> {
        let Wanted { algorithm, count, roles, padding } = wanted;
        let key = match algorithm {
            AlgorithmName::Hs256 => Key::secret(secret.as_bytes()),
            _ => Key::random(*algorithm).map_err(not_signed)?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let threads = machine::cores();
        let share = |first: usize| (first..*count).step_by(threads);
        let of = |session: &str, number: usize, roles: &[String]| {
            let mut claims = claims(number, now);
            if let Some(claims) = claims.as_object_mut() {
                claims.insert("sid".to_owned(), json!(session));
                claims.insert("roles".to_owned(), json!(roles));
                if *padding > 0 {
                    claims.insert("note".to_owned(), json!("x".repeat(*padding)));
                }
            }
            token(&key, *algorithm, &claims)
        };
        let signed = |number: usize| of(&format!("c2a4e6f8-1b3d-4579-a8c0-{number:012x}"), number, roles);
        let parts: Vec<Vec<Result<String, Error>>> = thread::scope(|scope| {
            let sign = |first| scope.spawn(move || share(first).map(signed).collect());
            let threads: Vec<_> = (0..threads).map(sign).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let tokens: Vec<String> = parts.into_iter().flatten().collect::<Result<_, _>>()?;
        let without_role = of("c2a4e6f8-1b3d-4579-a8c0-eeeeeeeeeeee", *count, &["guest".to_owned()])?;
        let ended = of(ENDED, *count + 1, roles)?;
        let spare = of("c2a4e6f8-1b3d-4579-a8c0-dddddddddddd", *count + 2, roles)?;
        Ok(Self { algorithm: *algorithm, tokens, roles: roles.clone(), spare, without_role, ended, key })
    }

    /// The JWK Set that proves the tokens, with so many keys, this one last: with the secret itself where the algorithm is of
    /// that kind.
    ///
    /// # Errors
    /// There are no random numbers.
    pub(super) fn jwks(&self, keys: usize) -> Result<Value, Error> {
        let named = |key: &Key, kid: &str| {
            let mut jwk = key.jwk();
            if let Some(members) = jwk.as_object_mut() {
                members.insert("alg".to_owned(), json!(self.algorithm.as_str()));
                members.insert("kid".to_owned(), json!(kid));
            }
            jwk
        };
        let other = |number| {
            let key = Key::random(self.algorithm).map_err(not_signed)?;
            Ok(named(&key, &format!("bench-other-{number}")))
        };
        let mut set: Vec<Value> = (1..keys).map(other).collect::<Result<_, Error>>()?;
        set.push(named(&self.key, KID));
        Ok(json!({ "keys": set }))
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

/// What Bearward's issuer writes into a token, but for its session and its roles.
fn claims(number: usize, now: u64) -> Value {
    json!({
        "iss": ISSUER,
        "sub": format!("0b1c2d3e-4f50-4617-8829-{number:012x}"),
        "aud": [AUDIENCE],
        "exp": now + LIFE_SECONDS,
        "iat": now,
        "jti": format!("7f1d9a52-03c4-4be8-9d6f-{number:012x}"),
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
    fn a_key_is_made_for_each_algorithm_that_is_asked_with_and_for_no_other() {
        let blocks = variants::every();
        let of = |name: &str| blocks.iter().filter(|block| block.name.ends_with(name)).collect::<Vec<_>>();
        let signers = sign(&of("warm_ES256"), 2, "").unwrap();
        let counts: Vec<_> =
            signers.iter().map(|(name, signer)| (name.as_str(), signer.tokens.len())).collect();
        assert_eq!(counts, [("ES256", 2)]);
    }

    #[test]
    fn no_two_tokens_are_the_same_and_a_bad_signature_is_another_tokens() {
        let signer = Signer::new(&Wanted::new(AlgorithmName::EdDsa, 5), "").unwrap();
        let bad = signer.with_bad_signatures();
        let all: std::collections::BTreeSet<&String> = signer.tokens.iter().chain(&bad).collect();
        assert_eq!((all.len(), bad.len()), (10, 5));
        let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
        assert_eq!(signature(&bad[1]), signature(&signer.tokens[0]));
    }

    #[test]
    fn a_jwk_set_names_the_key_as_the_tokens_do() {
        let jwks = Signer::new(&Wanted::new(AlgorithmName::Hs256, 1), "secret").unwrap().jwks(3).unwrap();
        assert_eq!((&jwks["keys"][2]["kid"], &jwks["keys"][2]["alg"]), (&json!(KID), &json!("HS256")));
    }
}
