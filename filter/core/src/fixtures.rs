//! What the tests of this crate share: keys, tokens, a policy.

pub(crate) mod signers;

use ed25519_dalek::SigningKey;
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::algorithm::hmac::{Hmac, HmacSecret};
use crate::algorithm::{AlgorithmName, EdDsa};
use crate::base64url;
use crate::keys::KeySet;

/// The time at which every test happens.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const ISS: &str = "http://issuer.test";

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn jwk(kid: &str, seed: u8) -> Value {
    let x = base64url::encode(signing_key(seed).verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
}

pub(crate) fn key_set() -> KeySet {
    KeySet::parse(json!({ "keys": [jwk("k1", 1)] }).to_string().as_bytes(), &[AlgorithmName::EdDsa]).unwrap()
}

pub(crate) fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" })
}

pub(crate) fn payload() -> Value {
    json!({ "iss": ISS, "sub": "u1", "aud": ["api"], "exp": NOW + 60, "iat": NOW, "roles": ["customer"] })
}

/// The header or payload with some members replaced; `null` removes one.
pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

/// A token of these texts, signed by key 1.
pub(crate) fn sign_texts(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    let signature = EdDsa.sign(&signing_key(1), input.as_bytes());
    format!("{input}.{}", base64url::encode(&signature.as_bytes()))
}

pub(crate) fn sign(header: &Value, payload: &Value) -> String {
    sign_texts(&header.to_string(), &payload.to_string())
}

pub(crate) fn token(changes: Value) -> String {
    sign(&header(), &with(payload(), changes))
}

pub(crate) fn sign_hs256(secret: &[u8], payload: &Value) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" }).to_string();
    let input = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload.to_string().as_bytes())
    );
    let signature = Hmac::<Sha256>::default().sign(&HmacSecret::new(secret).unwrap(), input.as_bytes());
    format!("{input}.{}", base64url::encode(&signature.as_bytes()))
}
