//! Patterns of paths: literal segments, `*`, `{name}`, and `**` at the end.

use crate::path::{CanonicalPath, decoded};

/// A compiled pattern. Literals are compared after percent-decoding, as every server behind will compare them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    /// `**`: whatever follows, nothing included.
    rest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Vec<u8>),
    /// `*` or `{name}`: one segment that is not empty.
    One,
}

impl Pattern {
    /// Reads a pattern such as `/api/orders/{id}/status` or `/api/auth/**`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix('/') else {
            return Err("must begin with `/`".to_owned());
        };
        let mut parts: Vec<&str> = path.split('/').collect();
        let rest = parts.last() == Some(&"**");
        if rest {
            parts.pop();
        }
        let count = parts.len();
        let mut names = Vec::new();
        let mut segments = Vec::with_capacity(count);
        for (index, part) in parts.into_iter().enumerate() {
            if part.is_empty() && (rest || index + 1 < count) {
                return Err("has an empty segment (`//`), which no request can have".to_owned());
            }
            segments.push(Segment::parse(part, &mut names)?);
        }
        Ok(Self { segments, rest })
    }

    /// Reads a literal prefix such as `/api` or `/`.
    ///
    /// # Errors
    /// As [`Pattern::parse`].
    pub fn parse_prefix(text: &str) -> Result<Self, String> {
        let pattern = Self::parse(if text == "/" { "/**" } else { text })?;
        if text != "/" && (pattern.rest || text.ends_with('/')) {
            return Err("must be a plain path without `**` and without a slash at its end".to_owned());
        }
        if pattern.segments.contains(&Segment::One) {
            return Err("must be a plain path without `*` and `{..}`".to_owned());
        }
        Ok(Self { rest: true, ..pattern })
    }

    /// Whether the pattern matches the path.
    #[must_use]
    pub fn matches(&self, path: CanonicalPath<'_>) -> bool {
        let mut segments = path.segments();
        let all = self.segments.iter().all(|own| segments.next().is_some_and(|segment| own.matches(segment)));
        all && (self.rest || segments.next().is_none())
    }

    /// Whether every path that this pattern matches lies below `prefix`.
    pub(crate) fn lies_below(&self, prefix: &Self) -> bool {
        self.segments.len() >= prefix.segments.len()
            && self.segments.iter().zip(&prefix.segments).all(|(own, other)| own == other)
    }

    /// How many segments the pattern names.
    pub(crate) fn depth(&self) -> usize {
        self.segments.len()
    }
}

impl Segment {
    fn parse<'a>(part: &'a str, names: &mut Vec<&'a str>) -> Result<Self, String> {
        if part == "*" {
            return Ok(Self::One);
        }
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(format!(
                    "has a parameter `{{{name}}}` whose name is not made of letters, digits and `_`"
                ));
            }
            if names.contains(&name) {
                return Err(format!("has two parameters `{{{name}}}`"));
            }
            names.push(name);
            return Ok(Self::One);
        }
        if part.contains(['*', '{', '}']) {
            return Err(format!(
                "has `{part}`: `*` and `{{..}}` stand for a whole segment, `**` only at the end"
            ));
        }
        if part.contains(['?', '#', ';', '\\'])
            || part == "."
            || part == ".."
            || part.chars().any(char::is_control)
        {
            return Err(format!(
                "has `{}`, which no request that is let through can have",
                part.escape_debug()
            ));
        }
        let literal: Vec<u8> = decoded(part.as_bytes()).collect();
        if literal.contains(&b'/') || literal.contains(&b'\\') || std::str::from_utf8(&literal).is_err() {
            return Err(format!("has `{part}`, which no request that is let through can have"));
        }
        Ok(Self::Literal(literal))
    }

    fn matches(&self, segment: &[u8]) -> bool {
        match self {
            Self::One => !segment.is_empty(),
            Self::Literal(literal) => decoded(segment).eq(literal.iter().copied()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, target: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(CanonicalPath::parse(target.as_bytes()).unwrap())
    }

    #[test]
    fn a_pattern_matches_whole_segments() {
        for (pattern, yes, no) in [
            ("/", &["/"][..], &["/a"][..]),
            ("/a", &["/a", "/a?b"], &["/", "/a/", "/A", "/ab", "/a/b"]),
            ("/a/", &["/a/"], &["/a", "/a/b"]),
            ("/a/*", &["/a/b", "/a/%20"], &["/a", "/a/", "/a/b/", "/a/b/c"]),
            ("/a/{id}/c", &["/a/b/c"], &["/a/b", "/a/b/d"]),
            ("/a/**", &["/a", "/a/", "/a/b", "/a/b/c/"], &["/", "/ab"]),
            ("/**", &["/", "/a", "/a/b/"], &[]),
            ("/caf\u{e9}", &["/caf%C3%A9", "/caf%c3%a9"], &["/cafe"]),
            ("/a,b", &["/a,b", "/a%2Cb"], &["/a"]),
            ("/a%2Cb", &["/a,b", "/a%2cb"], &["/a"]),
        ] {
            for target in yes {
                assert!(matches(pattern, target), "{pattern} {target}");
            }
            for target in no {
                assert!(!matches(pattern, target), "{pattern} {target}");
            }
        }
    }

    #[test]
    fn a_pattern_that_cannot_match_is_an_error() {
        for text in [
            "", "a", "//", "/a//b", "/a//**", "/**/a", "/a*", "/{a", "/{a}b", "/{}", "/{a}/{a}", "/a?b",
            "/a#", "/a;b", "/..", "/a%2fb", "/%ff",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_literal_and_holds_whole_segments() {
        let api = Pattern::parse_prefix("/api").unwrap();
        for (target, expected) in
            [("/api", true), ("/api/", true), ("/api/a", true), ("/apis", false), ("/", false)]
        {
            assert_eq!(api.matches(CanonicalPath::parse(target.as_bytes()).unwrap()), expected, "{target}");
        }
        assert!(Pattern::parse_prefix("/").unwrap().matches(CanonicalPath::parse(b"/a/b").unwrap()));
        assert!(Pattern::parse("/api/a/**").unwrap().lies_below(&api));
        assert!(!Pattern::parse("/*/a").unwrap().lies_below(&api));
        for text in ["/api/", "/api/**", "/*", "/{a}", "api"] {
            assert!(Pattern::parse_prefix(text).is_err(), "{text}");
        }
    }
}
