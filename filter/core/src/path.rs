//! The path that is matched is the path that is forwarded, byte for byte.
//!
//! A path that two servers could read in two ways is refused, not repaired: whoever repairs it must be sure that
//! everybody behind reads the repaired form.

use crate::rejection::Rejection;

/// The longest path that is looked at, in bytes.
pub const MAX_PATH_BYTES: usize = 8 * 1024;

/// A path in canonical form, without its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    path: &'a [u8],
}

impl<'a> CanonicalPath<'a> {
    /// Takes the request target (`:path`), in origin form (RFC 9112 section 3.2.1).
    ///
    /// Refused: encoded unreserved characters, encoded slash or backslash, encoded control characters, bytes that
    /// decode to no UTF-8 (overlong forms among them), `%25` before two hexadecimal digits, a bad percent-encoding,
    /// a backslash, `;`, `#`, an empty segment but the last, dot segments.
    ///
    /// # Errors
    /// [`Rejection::RequestMalformed`] for what is no origin form; [`Rejection::PathAmbiguous`].
    pub fn parse(target: &'a [u8]) -> Result<Self, Rejection> {
        if target.first() != Some(&b'/') || target.contains(&b'#') {
            return Err(Rejection::RequestMalformed);
        }
        let path = target.split(|byte| *byte == b'?').next().unwrap_or(target);
        if path.len() > MAX_PATH_BYTES || path.iter().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Rejection::RequestMalformed);
        }
        check_bytes(path)?;
        let path = Self { path };
        path.check_segments()?;
        Ok(path)
    }

    /// The segments between the slashes, still encoded. The last one is empty where the path ends in a slash.
    pub fn segments(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.path.split(|byte| *byte == b'/').skip(1)
    }

    fn check_segments(self) -> Result<(), Rejection> {
        let mut segments = self.segments().peekable();
        while let Some(segment) = segments.next() {
            let empty_inside = segment.is_empty() && segments.peek().is_some();
            if empty_inside || segment == b"." || segment == b".." || !decodes_to_utf8(segment) {
                return Err(Rejection::PathAmbiguous);
            }
        }
        Ok(())
    }
}

/// Refuses bytes that servers decode in different ways.
pub(crate) fn check_bytes(path: &[u8]) -> Result<(), Rejection> {
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' | b';' => return Err(Rejection::PathAmbiguous),
            b'%' => {
                let (decoded, after) = encoded_byte(after).ok_or(Rejection::PathAmbiguous)?;
                let double = decoded == b'%' && encoded_byte(after).is_some();
                if double
                    || is_unreserved(decoded)
                    || decoded.is_ascii_control()
                    || matches!(decoded, b'/' | b'\\')
                {
                    return Err(Rejection::PathAmbiguous);
                }
                rest = after;
            }
            _ => {}
        }
    }
    Ok(())
}

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

fn decodes_to_utf8(segment: &[u8]) -> bool {
    !segment.contains(&b'%') || String::from_utf8(decoded(segment).collect()).is_ok()
}

/// The byte that two hexadecimal digits stand for, and what follows them.
fn encoded_byte(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (pair, rest) = digits.split_first_chunk::<2>()?;
    let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
    Some((u8::try_from(high? * 16 + low?).ok()?, rest))
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str) -> Result<(), Rejection> {
        CanonicalPath::parse(target.as_bytes()).map(|_| ())
    }

    #[test]
    fn a_path_in_canonical_form_is_taken() {
        for target in [
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/a?x=//..;%2e",
            "/a?x=?",
            "/caf%C3%A9",
            "/caf%c3%a9",
            "/a%20b",
            "/a%2Cb",
            "/a.b/..c/...",
            "/100%25",
            "/a|b",
        ] {
            assert_eq!(parse(target), Ok(()), "{target}");
        }
    }

    #[test]
    fn what_two_servers_could_read_in_two_ways_is_refused() {
        for target in [
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/..",
            "/%2e%2e/a",
            "/a/%2E",
            "/%61",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a;",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%252f",
            "/a%25zz%2541",
            "/%c0%af",
            "/%c0%ae",
            "/%ff",
            "/a%c3/%a9",
        ] {
            assert_eq!(parse(target), Err(Rejection::PathAmbiguous), "{target}");
        }
    }

    #[test]
    fn what_is_no_origin_form_is_malformed() {
        for target in
            ["", "*", "a", "http://h/a", "h:443", "/a#b", "/a?b#c", "/a b", "/a\tb", "/\u{e9}", "/\u{7f}"]
        {
            assert_eq!(parse(target), Err(Rejection::RequestMalformed), "{target:?}");
        }
        assert_eq!(parse(&"/a".repeat(MAX_PATH_BYTES)), Err(Rejection::RequestMalformed));
    }

    #[test]
    fn segments_are_what_stands_between_the_slashes() {
        let segments = |target: &'static str| {
            let path = CanonicalPath::parse(target.as_bytes()).unwrap();
            path.segments().map(|s| String::from_utf8(decoded(s).collect()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(segments("/"), [""]);
        assert_eq!(segments("/a"), ["a"]);
        assert_eq!(segments("/a/?b/c"), ["a", ""]);
        assert_eq!(segments("/a%20b/c%25"), ["a b", "c%"]);
    }
}
