//! Tokens of every kind, right and wrong ones, put together by hand: a library would refuse to make most of them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_forge::signing_input;
use serde_json::Value;

use crate::signing::Scheme;

/// What signs.
#[derive(Clone, Debug)]
pub enum Key {
    /// EdDSA with this seed.
    Ed25519([u8; 32]),
    /// ES256 with this private key.
    P256([u8; 32]),
    /// ES384 with this private key.
    P384([u8; 48]),
    /// RS256, or what is asked for, with the one key of RSA that the tests have.
    Rsa,
    /// HS256, or what is asked for, with this secret.
    Hmac(Vec<u8>),
    /// Nothing: the signature is empty.
    None,
}

/// Seconds since the epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// A token in compact serialization (RFC 7515 section 7.1).
#[must_use]
pub fn sign(header: &Value, claims: &Value, key: &Key) -> String {
    sign_text(&header.to_string(), &claims.to_string(), key)
}

/// A token whose header and claims are these bytes.
#[must_use]
pub fn sign_text(header: &str, claims: &str, key: &Key) -> String {
    let scheme = match key {
        Key::None => None,
        key => Some(Scheme { algorithm: key.algorithm(), salt_bytes: None }),
    };
    sign_text_with(header, claims, key, scheme)
}

/// The same, with a scheme of its own, whatever the header says; without one the signature is empty.
#[must_use]
pub fn sign_text_with(header: &str, claims: &str, key: &Key, scheme: Option<Scheme>) -> String {
    let input = signing_input(header, claims);
    let signature = scheme.map(|scheme| key.sign(scheme, input.as_bytes()));
    format!("{input}.{}", encode(signature.unwrap_or_default()))
}

/// The header of a token, unverified.
#[must_use]
pub fn header(token: &str) -> Value {
    segment(token, 0)
}

/// The claims of a token, unverified.
#[must_use]
pub fn claims(token: &str) -> Value {
    segment(token, 1)
}

/// The token with other claims and its old signature.
#[must_use]
pub fn tampered(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(token);
    change(&mut claims);
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], encode(claims.to_string()), parts[2])
}

/// The token's header and claims, changed, under a key of one's own.
#[must_use]
pub fn forged(token: &str, key: &Key, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut claims) = (header(token), claims(token));
    change(&mut header, &mut claims);
    sign(&header, &claims, key)
}

/// The public half of an Ed25519 seed, in unpadded base64url: `x` of a JWK (RFC 8037).
///
/// # Panics
/// Never: every seed has one.
#[must_use]
pub fn public_key(seed: &[u8; 32]) -> String {
    Key::Ed25519(*seed).jwk()["x"].as_str().expect("a text").to_owned()
}

fn segment(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).expect("three segments");
    let bytes = URL_SAFE_NO_PAD.decode(segment).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
