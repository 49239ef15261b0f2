//! Unpadded base64url (RFC 7515 section 2): no padding, no foreign characters, unused bits zero.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::wide::{self, BLOCK_LETTERS};

/// Decodes; `None` for everything that is not the one encoding of some bytes.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (blocks, rest) = text.as_chunks();
    // A letter that stands for zeros, in the place of those that there are not.
    let mut last = [b'A'; BLOCK_LETTERS];
    last.get_mut(..rest.len())?.copy_from_slice(rest);
    let mut bytes = wide::sextets_joined(blocks, &last)?;
    let length = text.len() / 4 * 3
        + match text.len() % 4 {
            0 => 0,
            // Six bits are no byte.
            1 => return None,
            letters => letters - 1,
        };
    // What the last letter has beyond a byte. Of none that is not there.
    let is_rest_zero = bytes.get(length).is_none_or(|byte| *byte == 0);
    bytes.truncate(length);
    is_rest_zero.then_some(bytes)
}

/// Encodes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_encoding_of_some_bytes_is_decoded() {
        assert_eq!(decode(b"_-8"), Some(vec![0xff, 0xef]));
        for other in ["_-8=", "_-9", "/+8", "_-8\n", " _-8", "_", "_-8.", "_-\u{e9}"] {
            assert_eq!(decode(other.as_bytes()), None, "{other:?}");
            // The same behind a block, and before one.
            for longer in [format!("{}{other}", "A".repeat(64)), format!("{other}{}", "A".repeat(128))] {
                assert_eq!(decode(longer.as_bytes()), URL_SAFE_NO_PAD.decode(&longer).ok(), "{longer:?}");
            }
        }
    }

    #[test]
    fn each_byte_in_each_place_is_taken_or_refused_as_by_the_library() {
        for length in [1, 2, 3, 4, 62, 63, 64, 65, 66, 67, 68, 126, 127, 128, 131] {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'Q'; length];
                    text[place] = byte;
                    assert_eq!(
                        decode(&text),
                        URL_SAFE_NO_PAD.decode(&text).ok(),
                        "{byte} at {place} of {length}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_to_what_it_was(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn any_text_is_decoded_as_by_the_library(text in "[A-Za-z0-9_-]{0,200}[=+/. A_-]{0,2}[A-Z]{0,80}") {
            prop_assert_eq!(decode(text.as_bytes()), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
