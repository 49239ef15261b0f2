//! Keys of Ed25519 (RFC 8037 section 2).

use ed25519_dalek::VerifyingKey;
use serde_json::{Map, Value};

use super::octets;

/// The public key in `x`.
pub(super) fn ed25519(jwk: &Map<String, Value>) -> Result<VerifyingKey, (&'static str, String)> {
    let Ok(bytes) = <[u8; 32]>::try_from(octets(jwk, "x")?) else {
        return Err(("x", "must be 32 bytes in unpadded base64url (RFC 8037)".to_owned()));
    };
    match VerifyingKey::from_bytes(&bytes) {
        Ok(key) if !key.is_weak() => Ok(key),
        _ => Err(("x", "is not a point of Ed25519 that can be used as a key".to_owned())),
    }
}
