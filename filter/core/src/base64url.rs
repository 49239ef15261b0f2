//! Unpadded base64url (RFC 7515 section 2): no padding, no foreign characters, unused bits zero.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes; `None` for everything that is not the one encoding of some bytes.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_encoding_of_some_bytes_is_decoded() {
        assert_eq!(decode(b"_-8"), Some(vec![0xff, 0xef]));
        for other in ["_-8=", "_-9", "/+8", "_-8\n", " _-8", "_", "_-8.", "_-\u{e9}"] {
            assert_eq!(decode(other.as_bytes()), None, "{other:?}");
        }
    }
}
