//! Our keys, tokens under them, and whether a token is one of ours: by signing again, not by verifying.

use std::cell::RefCell;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::NOW;

/// The name of the variable that holds the secret.
pub const SECRET_NAME: &str = "VECTOR_SECRET";
/// The secret of HS256.
pub const SECRET: &str = "Zx81-vectors-9fK2mQ7-longer-than-32-bytes";
/// `k1` and `k2`: the keys of the policies.
static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [[1; 32], [2; 32]].map(|seed| SigningKey::from_bytes(&seed)));

/// What signs.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// `k1`, by EdDSA.
    K1,
    /// `k2`, by EdDSA.
    K2,
    /// The secret, by HS256.
    Secret,
}

/// A token of this header and payload, whatever they are.
#[must_use]
pub fn sign(header: &[u8], payload: &[u8], key: Key) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = match key {
        Key::K1 => ed25519(&KEYS[0], input.as_bytes()),
        Key::K2 => ed25519(&KEYS[1], input.as_bytes()),
        Key::Secret => hs256(input.as_bytes()),
    };
    format!("{input}.{}", encode(&signature))
}

/// The header of a good token by EdDSA.
pub const EDDSA_HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;
/// The same without the name of a key.
pub const NAMELESS_HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"at+jwt"}"#;
/// The header of a good token by HS256.
pub const HS256_HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// A payload that the policies take from the issuer `own`.
#[must_use]
pub fn payload(roles: &[&str]) -> Value {
    json!({
        "iss": "http://issuer.test", "sub": "u1", "aud": ["api"], "iat": NOW, "exp": NOW + 600, "roles": roles,
        "user": { "id": "u1" }, "realm": { "roles": roles }
    })
}

/// A token that one of our keys signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its payload.
    pub payload: Value,
    /// The public half of the key, as a JWK has it; `None` for the secret.
    pub public: Option<String>,
}

impl Signed {
    /// Whether a policy may call the algorithm by this name.
    #[must_use]
    pub fn is_by(&self, algorithm: &str) -> bool {
        match self.public {
            Some(_) => matches!(algorithm, "EdDSA" | "Ed25519"),
            None => algorithm == "HS256",
        }
    }
}

/// Who signed this token, if it was one of our keys, and what it says. The last answer is remembered: signing is dear.
#[must_use]
pub fn signed(token: &[u8]) -> Option<Signed> {
    thread_local! {
        static LAST: RefCell<(Vec<u8>, Option<Signed>)> = RefCell::default();
    }
    LAST.with_borrow_mut(|last| {
        if last.0 != token {
            *last = (token.to_vec(), sign_again(token));
        }
        last.1.clone()
    })
}

fn sign_again(token: &[u8]) -> Option<Signed> {
    let token = std::str::from_utf8(token).ok()?;
    let (input, signature) = token.rsplit_once('.')?;
    let payload = input.split('.').nth(1)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let public = match signature.len() {
        64 => Some(public(KEYS.iter().find(|key| ed25519(key, input.as_bytes()) == signature)?)),
        _ if hs256(input.as_bytes()) == signature => None,
        _ => return None,
    };
    let payload = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Some(Signed { payload, public })
}

/// Unpadded base64url.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The public half of `k1`, as a JWK has it.
#[must_use]
pub fn public_k1() -> String {
    public(&KEYS[0])
}

fn public(key: &SigningKey) -> String {
    encode(key.verifying_key().as_bytes())
}

fn ed25519(key: &SigningKey, input: &[u8]) -> Vec<u8> {
    key.sign(input).to_bytes().to_vec()
}

fn hs256(input: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes secrets of every length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}
