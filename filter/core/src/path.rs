//! The path that is matched is the path that is forwarded, byte for byte.
//!
//! A path that two servers could read in two ways is refused, not repaired: whoever repairs it must be sure that
//! everybody behind reads the repaired form.

use std::borrow::Cow;

use crate::percent::{decoded, encoded_byte, is_unreserved, is_well_spelled, with_unreserved_decoded};
use crate::reading::{Foldings, Readings};
use crate::rejection::Rejection;
use crate::short::Short;

/// The longest path that is looked at, in bytes.
pub const MAX_PATH_BYTES: usize = 8 * 1024;

/// How the paths of a policy are read. Everything is as strict as can be, unless a setting says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathSettings {
    /// `%2F` may stand in a segment: for an API whose identifiers hold slashes, and whose server does not split there.
    pub keep_encoded_slash: bool,
    /// `;` may stand in a segment. What follows it is not matched, and may be read by nobody behind as a path.
    pub keep_parameters: bool,
    /// Unreserved characters that are encoded are decoded, in what is matched and in what is forwarded.
    pub replace: bool,
    /// What every server behind folds, so that it counts as the same path.
    pub folded: Foldings,
}

impl PathSettings {
    /// What is folded in the reading that decides.
    #[must_use]
    pub fn home(self) -> Foldings {
        self.folded_by_all().and(Foldings::DECODED)
    }

    /// The readings of servers that there may be behind.
    #[must_use]
    pub fn possible(self) -> Readings {
        Readings::folding(self.folded_by_all())
    }

    fn folded_by_all(self) -> Foldings {
        if self.keep_parameters { self.folded.and(Foldings::PARAMETERS) } else { self.folded }
    }

    /// The request target that is judged and forwarded.
    #[must_use]
    pub fn target(self, target: &[u8]) -> Cow<'_, [u8]> {
        if self.replace { with_unreserved_decoded(target) } else { Cow::Borrowed(target) }
    }
}

/// A path in canonical form, without its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    path: &'a [u8],
    segments: Segments<'a>,
}

/// A segment, decoded once for all the patterns that it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathSegment<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Whether every character of it is written as RFC 3986 section 3.3 has it.
    pub(crate) is_well_spelled: bool,
}

/// Those of an ordinary path stand on the stack.
type Segments<'a> = Short<PathSegment<'a>, 8>;

impl<'a> CanonicalPath<'a> {
    /// Takes the request target (`:path`), in origin form (RFC 9112 section 3.2.1), as strictly as can be.
    ///
    /// # Errors
    /// As [`CanonicalPath::parse_with`].
    pub fn parse(target: &'a [u8]) -> Result<Self, Rejection> {
        Self::parse_with(target, PathSettings::default())
    }

    /// Takes the request target, by these settings.
    ///
    /// Refused: encoded unreserved characters, encoded slash or backslash, encoded control characters, bytes that
    /// decode to no UTF-8 (overlong forms among them), `%25` before two hexadecimal digits, a bad percent-encoding,
    /// a backslash, `;`, `#`, an encoded `?` or `#` (a server that decodes before it parts the query sees it end the path), an
    /// empty segment but the last, dot segments.
    ///
    /// # Errors
    /// [`Rejection::RequestMalformed`] for what is no origin form; [`Rejection::PathAmbiguous`].
    pub fn parse_with(target: &'a [u8], settings: PathSettings) -> Result<Self, Rejection> {
        Self::plain(target).map_or_else(|| Self::strictly(target, settings), Ok)
    }

    /// Of the usual target: nothing but unreserved characters, and no dot, between slashes. Whatever the settings, nothing of it can
    /// be read in two ways. `None` says nothing.
    fn plain(target: &'a [u8]) -> Option<Self> {
        let end = memchr::memchr(b'?', target).unwrap_or(target.len());
        let (path, query) = target.split_at_checked(end)?;
        let is_plain = |byte: &u8| PLAIN.get(usize::from(*byte)) == Some(&true);
        if path.len() > MAX_PATH_BYTES || !path.iter().all(is_plain) {
            return None;
        }
        if !query.is_empty() && (query.contains(&b'#') || !is_visible_ascii(query)) {
            return None;
        }
        let mut segments = Segments::new();
        let mut rest = Some(std::str::from_utf8(path).ok()?.strip_prefix('/')?);
        while let Some(unread) = rest {
            let end = unread.bytes().position(|byte| byte == b'/');
            rest = end.and_then(|end| unread.get(end..)?.get(1..));
            let text = end.and_then(|end| unread.get(..end)).unwrap_or(unread);
            if text.is_empty() && rest.is_some() {
                return None;
            }
            segments.push(PathSegment { text: Cow::Borrowed(text), is_well_spelled: true });
        }
        Some(Self { path, segments })
    }

    fn strictly(target: &'a [u8], settings: PathSettings) -> Result<Self, Rejection> {
        // RFC 3986 section 3.4 has no other bytes in a query either, and servers read them in different ways.
        if target.first() != Some(&b'/') || target.contains(&b'#') || !is_visible_ascii(target) {
            return Err(Rejection::RequestMalformed);
        }
        let path = target.split(|byte| *byte == b'?').next().unwrap_or(target);
        if path.len() > MAX_PATH_BYTES {
            return Err(Rejection::RequestMalformed);
        }
        check_bytes(path, settings)?;
        let text = std::str::from_utf8(path).map_err(|_| Rejection::RequestMalformed)?;
        let mut segments = Segments::new();
        let mut rest = text.get(1..);
        while let Some(unread) = rest {
            let end = unread.bytes().position(|byte| byte == b'/');
            rest = end.and_then(|end| unread.get(end..)?.get(1..));
            let encoded = end.and_then(|end| unread.get(..end)).unwrap_or(unread);
            let segment = PathSegment::parse(encoded).ok_or(Rejection::PathAmbiguous)?;
            if encoded.is_empty() && rest.is_some() {
                return Err(Rejection::PathAmbiguous);
            }
            segments.push(segment);
        }
        Ok(Self { path, segments })
    }

    /// The segments between the slashes, still encoded. The last one is empty where the path ends in a slash.
    pub fn segments(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        segments_of(self.path)
    }

    /// The same, decoded.
    pub(crate) fn decoded(&self) -> &[PathSegment<'a>] {
        &self.segments
    }
}

/// What a plain path is made of (RFC 3986 section 2.3).
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "below 256, and before anything runs"
        )]
        {
            table[byte] =
                (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'~' | b'/');
        }
        byte += 1;
    }
    table
};

fn segments_of(path: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    path.split(|byte| *byte == b'/').skip(1)
}

impl<'a> PathSegment<'a> {
    fn parse(encoded: &'a str) -> Option<Self> {
        let bytes = encoded.as_bytes();
        let text = if bytes.contains(&b'%') {
            Cow::Owned(String::from_utf8(decoded(bytes).collect()).ok()?)
        } else {
            Cow::Borrowed(encoded)
        };
        (!hides_a_step(&text)).then(|| Self { text, is_well_spelled: is_well_spelled(bytes) })
    }
}

/// Whether some server steps upwards in this segment, or takes it for none: dot segments, also before `;`, also between
/// encoded slashes.
pub(crate) fn hides_a_step(segment: &str) -> bool {
    !segment.is_empty()
        && segment.as_bytes().split(|byte| *byte == b'/').any(|part| {
            // Also where a server drops dots and spaces at the end: nothing, or a step, is left of what stands before `;`.
            part.iter().find(|byte| !matches!(byte, b'.' | b' ')).is_none_or(|byte| *byte == b';')
        })
}

/// Whether there is nothing but visible ASCII, eight bytes at a time: a query may be long.
fn is_visible_ascii(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    // The highest bit of a byte is set if the byte is beyond ASCII, less than `!`, or DEL. Below the first that is one of
    // these none borrows or carries.
    let is_visible = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let (less, more) = (word.wrapping_sub(EACH * 0x21), word.wrapping_add(EACH));
        (word | less | more) & (EACH * 0x80) == 0
    };
    words.iter().all(is_visible) && rest.iter().all(u8::is_ascii_graphic)
}

/// Refuses bytes that servers decode in different ways.
pub(crate) fn check_bytes(path: &[u8], settings: PathSettings) -> Result<(), Rejection> {
    if !path.iter().any(|byte| matches!(byte, b'\\' | b';' | b'%')) {
        return Ok(());
    }
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => return Err(Rejection::PathAmbiguous),
            b';' if !settings.keep_parameters => return Err(Rejection::PathAmbiguous),
            b'%' => {
                let (decoded, after) = encoded_byte(after).ok_or(Rejection::PathAmbiguous)?;
                let double = decoded == b'%' && encoded_byte(after).is_some();
                if double
                    || is_unreserved(decoded)
                    || decoded.is_ascii_control()
                    || matches!(decoded, b'\\' | b'?' | b'#')
                    || (decoded == b';' && settings.keep_parameters)
                    || (decoded == b'/' && !settings.keep_encoded_slash)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            "/a.b/..c/d...",
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
            "/a%3Fb",
            "/a%23b",
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
        for target in [
            "",
            "*",
            "a",
            "http://h/a",
            "h:443",
            "/a#b",
            "/a?b#c",
            "/a b",
            "/a\tb",
            "/\u{e9}",
            "/\u{7f}",
            "/a?\u{a0}",
            "/a?b c",
            "/a?\u{7f}",
        ] {
            assert_eq!(parse(target), Err(Rejection::RequestMalformed), "{target:?}");
        }
        assert_eq!(parse(&"/a".repeat(MAX_PATH_BYTES)), Err(Rejection::RequestMalformed));
    }

    #[test]
    fn visible_ascii_is_told_from_every_other_byte_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..17 {
                for filler in [b'!', b'a', b'~'] {
                    let mut bytes = [filler; 17];
                    bytes[place] = byte;
                    assert_eq!(is_visible_ascii(&bytes), byte.is_ascii_graphic(), "{byte} at {place}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_plain_path_is_what_the_strict_reader_takes_it_for(
            target in "(/{0,2}([aZ0_~.%;-]|%2e|%41|\u{e9}){0,3}){0,4}([?]([a/#?& ]|%){0,3}){0,1}",
            keep_encoded_slash: bool,
            keep_parameters: bool,
        ) {
            let settings = PathSettings { keep_encoded_slash, keep_parameters, ..PathSettings::default() };
            if let Some(plain) = CanonicalPath::plain(target.as_bytes()) {
                prop_assert_eq!(Ok(plain), CanonicalPath::strictly(target.as_bytes(), settings));
            }
        }
    }

    #[test]
    fn of_every_byte_in_a_path_that_is_plain_the_strict_reader_says_the_same() {
        for byte in 0..=u8::MAX {
            for target in [[b'/', b'a', byte, b'b'], [b'/', byte, b'/', b'b'], [b'/', b'?', byte, b'b']] {
                if let Some(plain) = CanonicalPath::plain(&target) {
                    let strict = CanonicalPath::strictly(&target, PathSettings::default());
                    assert_eq!(Ok(plain), strict, "{}", target.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn the_usual_paths_are_plain() {
        for target in ["/", "/a", "/a/", "/api/orders/7f3c-2_x~/?a=%20;../", "/A/9?"] {
            assert!(CanonicalPath::plain(target.as_bytes()).is_some(), "{target}");
        }
        for target in
            ["", "a", "//", "/a//b", "/.", "/a.b", "/a%20", "/a;b", "/a b", "/a#", "/a?#", "/a?\u{e9}"]
        {
            assert!(CanonicalPath::plain(target.as_bytes()).is_none(), "{target}");
        }
        assert!(CanonicalPath::plain("/a".repeat(MAX_PATH_BYTES).as_bytes()).is_none());
    }

    #[test]
    fn segments_are_what_stands_between_the_slashes() {
        let segments = |target: &'static str| {
            let path = CanonicalPath::parse(target.as_bytes()).unwrap();
            path.decoded().iter().map(|segment| segment.text.clone().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(segments("/"), [""]);
        assert_eq!(segments("/a"), ["a"]);
        assert_eq!(segments("/a/?b/c"), ["a", ""]);
        assert_eq!(segments("/a%20b/c%25"), ["a b", "c%"]);
    }
}
