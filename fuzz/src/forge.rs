//! Our keys, tokens under them, and whether a token is one of ours: by signing again, not by verifying.

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
/// The seeds of `k1` and `k2`: the keys of the policies.
const SEEDS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

/// What signs.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// `k1`, by EdDSA.
    K1,
    /// The secret, by HS256.
    Secret,
}

/// A token of this header and payload, whatever they are.
#[must_use]
pub fn sign(header: &[u8], payload: &[u8], key: Key) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = match key {
        Key::K1 => ed25519(&SEEDS[0], input.as_bytes()),
        Key::Secret => hs256(input.as_bytes()),
    };
    format!("{input}.{}", encode(&signature))
}

/// The header of a good token by EdDSA.
pub const EDDSA_HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;
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

/// Whether one of our keys signed this token, and which payload then.
#[must_use]
pub fn ours(token: &[u8]) -> Option<Value> {
    let token = std::str::from_utf8(token).ok()?;
    let (input, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signed = SEEDS.iter().any(|seed| ed25519(seed, input.as_bytes()) == signature)
        || hs256(input.as_bytes()) == signature;
    let payload = URL_SAFE_NO_PAD.decode(input.split('.').nth(1)?).ok()?;
    signed.then(|| serde_json::from_slice(&payload).ok())?
}

/// Unpadded base64url.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The public half of `k1`, as a JWK has it.
#[must_use]
pub fn public_k1() -> String {
    encode(SigningKey::from_bytes(&SEEDS[0]).verifying_key().as_bytes())
}

fn ed25519(seed: &[u8; 32], input: &[u8]) -> Vec<u8> {
    SigningKey::from_bytes(seed).sign(input).to_bytes().to_vec()
}

fn hs256(input: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes secrets of every length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}
