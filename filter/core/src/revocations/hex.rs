//! Hexadecimal digits in lower case: one spelling for some bytes.

/// Decodes exactly `N` bytes; `None` for every other text, capital letters among them.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_bytes(text.as_bytes())
}

/// The same from bytes that need not be text.
pub(super) fn decode_bytes<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

/// Encodes.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.extend([byte >> 4, byte & 0xf].iter().filter_map(|digit| char::from_digit((*digit).into(), 16)));
    }
    text
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_digits_of_the_right_number_are_decoded() {
        assert_eq!(decode("00ff1a"), Some([0, 0xff, 0x1a]));
        assert_eq!(encode(&[0, 0xff, 0x1a]), "00ff1a");
        for other in ["00FF1A", "00ff1", "00ff1a0", "00ff1a00", "00ff1g", "", " 0ff1a"] {
            assert_eq!(decode::<3>(other), None, "{other:?}");
        }
    }
}
