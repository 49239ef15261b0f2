//! Percent-encoding (RFC 3986 section 2.1).

use std::borrow::Cow;

use crate::path::MAX_PATH_BYTES;

/// The bytes of a segment after percent-decoding.
pub(crate) fn decoded(segment: &[u8]) -> impl Iterator<Item = u8> + Clone + '_ {
    let mut rest = segment;
    std::iter::from_fn(move || {
        let (byte, after) = rest.split_first()?;
        rest = after;
        if *byte == b'%'
            && let Some((decoded, after)) = encoded_byte(after)
        {
            rest = after;
            return Some(decoded);
        }
        Some(*byte)
    })
}

/// The same target with every encoded unreserved character decoded, once (RFC 3986 section 6.2.2.2), but for the query.
pub(crate) fn with_unreserved_decoded(target: &[u8]) -> Cow<'_, [u8]> {
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at_checked(end).unwrap_or((target, b""));
    if path.len() > MAX_PATH_BYTES || !path.contains(&b'%') {
        return Cow::Borrowed(target);
    }
    let mut replaced = Vec::with_capacity(target.len());
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let unreserved = encoded_byte(after).filter(|(decoded, _)| *byte == b'%' && is_unreserved(*decoded));
        if let Some((decoded, after)) = unreserved {
            replaced.push(decoded);
            rest = after;
        } else {
            replaced.push(*byte);
        }
    }
    replaced.extend_from_slice(query);
    Cow::Owned(replaced)
}

/// Whether no character is encoded without need, or with small digits, and every one is encoded that should be. `;` counts
/// as one of these, because only so it is let through where no setting says more.
pub(crate) fn is_well_spelled(path: &[u8]) -> bool {
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%'
            && let Some((digits, after)) = after.split_first_chunk::<2>()
            && let Some((decoded, _)) = encoded_byte(digits)
        {
            if stands_for_itself(decoded) || digits.iter().any(u8::is_ascii_lowercase) {
                return false;
            }
            rest = after;
        } else if stands_for_itself(*byte) || matches!(byte, b'/' | b';') {
            rest = after;
        } else {
            return false;
        }
    }
    true
}

/// The byte that two hexadecimal digits stand for, and what follows them.
pub(crate) fn encoded_byte(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (number, rest) = encoded_number::<2>(digits)?;
    Some((u8::try_from(number).ok()?, rest))
}

/// The number that so many hexadecimal digits, at most eight, stand for, and what follows them.
pub(crate) fn encoded_number<const DIGITS: usize>(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (own, rest) = digits.split_first_chunk::<DIGITS>()?;
    let number =
        own.iter().try_fold(0, |number: u32, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))?;
    Some((number, rest))
}

/// RFC 3986 section 2.3.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pchar` (RFC 3986 section 3.3), but for `;`.
fn stands_for_itself(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_well_spelled_if_exactly_what_must_be_is_encoded_by_capital_digits() {
        for path in
            ["/", "/a/b", "/a,b:c@d!e", "/caf%C3%A9", "/two%20words", "/a%2Fb", "/a%25", "/a;b", "/a%3Bb"]
        {
            assert!(is_well_spelled(path.as_bytes()), "{path}");
        }
        for path in
            ["/a%2Cb", "/a%2cb", "/caf%c3%a9", "/%61", "/a|b", "/a%2fb", "/a\"b", "/a%", "/a%4", "/a%zz"]
        {
            assert!(!is_well_spelled(path.as_bytes()), "{path}");
        }
    }
}
