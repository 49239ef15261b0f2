//! The compact serialization (RFC 7515 section 7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{ForgeError, Key, Scheme};

/// A token of this header and payload, whatever they are.
///
/// # Errors
/// As [`Key::sign`].
pub fn compact(
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
    key: &Key,
    scheme: Scheme,
) -> Result<String, ForgeError> {
    let input = signing_input(header, payload);
    let signature = key.sign(scheme, input.as_bytes())?;
    Ok(format!("{input}.{}", encode(signature)))
}

/// What is signed of a token: header and payload.
pub fn signing_input(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

/// Unpadded base64url.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
