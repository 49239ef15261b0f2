//! Patterns of paths: literal segments, `*`, `{name}`, and `**` at the end.

use crate::path::{CanonicalPath, PathSegment, PathSettings, check_bytes, hides_a_step};
use crate::percent::decoded;
use crate::reading::{self, Foldings, Readings};

/// A compiled pattern. Literals are compared after percent-decoding, as every server behind will compare them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    /// `**`: whatever follows, nothing included.
    rest: bool,
    /// The names of parameters, each with the position of its segment.
    parameters: Vec<(String, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
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
            segments.push(Segment::parse(part, index, &mut names)?);
        }
        let parameters = names.into_iter().map(|(name, at)| (name.to_owned(), at)).collect();
        Ok(Self { segments, rest, parameters })
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

    /// In which readings of the path the pattern matches it.
    #[must_use]
    pub fn readings(&self, path: &CanonicalPath<'_>) -> Readings {
        self.foldings(path).map_or(Readings::NONE, Readings::folding)
    }

    /// The least that has to be folded; `None` where the pattern does not match at all.
    #[must_use]
    pub fn foldings(&self, path: &CanonicalPath<'_>) -> Option<Foldings> {
        let segments = path.decoded();
        // Most patterns differ in length by more than the slash at the end: no more work for those.
        let may_go_on = self.rest && self.segments.len() < segments.len();
        if self.segments.len().abs_diff(segments.len()) > 1 && !may_go_on {
            return None;
        }
        let own_slash = self.segments.last() == Some(&Segment::EMPTY);
        let path_slash = segments.last().is_some_and(|last| last.text.is_empty());
        let takes_nothing = path_slash
            && self.segments.last() == Some(&Segment::One)
            && self.segments.len() == segments.len();
        // `**` takes a slash at the end like anything else.
        let folds_slash = !self.rest && own_slash != path_slash && !takes_nothing;
        let own_count = self.segments.len() - usize::from(folds_slash && own_slash);
        let path_count = segments.len() - usize::from(folds_slash && path_slash);
        if own_count > path_count || (own_count < path_count && !self.rest) {
            return None;
        }
        let start = if folds_slash { Foldings::SLASH } else { Foldings::NONE };
        let mut pairs = self.segments.iter().take(own_count).zip(segments);
        pairs.try_fold(start, |foldings, (own, segment)| Some(foldings.and(own.foldings(segment)?)))
    }

    /// Whether every path that `other` matches is matched by this pattern, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let length_fits = if self.rest {
            other.segments.len() >= self.segments.len()
        } else {
            !other.rest && other.segments.len() == self.segments.len()
        };
        length_fits && self.segments.iter().zip(&other.segments).all(|(own, other)| own.covers(other))
    }

    /// The pattern that stands for all that are the same to a server which folds this.
    pub(crate) fn folded(&self, foldings: Foldings) -> Self {
        let mut folded = self.clone();
        if foldings.include(Foldings::SLASH) && folded.segments.len() > 1 {
            folded.segments.pop_if(|last| *last == Segment::EMPTY);
        }
        if foldings.include(Foldings::LETTERS) {
            for segment in &mut folded.segments {
                if let Segment::Literal(literal) = segment {
                    *literal = reading::without_case(literal);
                }
            }
        }
        folded
    }

    /// Whether some server takes one literal path for the other.
    pub(crate) fn may_be(&self, other: &Self) -> bool {
        let is_one = |(own, other): (&Segment, &Segment)| match (own, other) {
            (Segment::Literal(own), Segment::Literal(other)) => {
                reading::between(own, other).is_some() || reading::between(other, own).is_some()
            }
            _ => own == other,
        };
        self.segments.len() == other.segments.len() && self.segments.iter().zip(&other.segments).all(is_one)
    }

    /// Whether every path that this pattern matches lies below `prefix`.
    pub(crate) fn lies_below(&self, prefix: &Self) -> bool {
        self.segments.len() >= prefix.segments.len()
            && self.segments.iter().zip(&prefix.segments).all(|(own, other)| own == other)
    }

    /// Whether the pattern has the parameter `{name}`.
    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|(own, _)| own == name)
    }

    /// What stands in the path in the place of `{name}`, decoded.
    pub(crate) fn parameter<'p>(&self, name: &str, path: &'p CanonicalPath<'_>) -> Option<&'p str> {
        let (_, at) = self.parameters.iter().find(|(own, _)| own == name)?;
        path.decoded().get(*at).map(|segment| segment.text.as_ref())
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the pattern ends in `**`.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest
    }

    /// How many segments the pattern names.
    pub(crate) fn depth(&self) -> usize {
        self.segments.len()
    }
}

/// As a policy would have it.
#[cfg(any(test, feature = "explain"))]
impl std::fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            let parameter = self.parameters.iter().find(|(_, at)| *at == index);
            match (segment, parameter) {
                (Segment::Literal(literal), _) => write!(formatter, "/{literal}")?,
                (Segment::One, Some((name, _))) => write!(formatter, "/{{{name}}}")?,
                (Segment::One, None) => formatter.write_str("/*")?,
            }
        }
        if self.rest { formatter.write_str("/**") } else { Ok(()) }
    }
}

impl Segment {
    /// What follows a slash at the end.
    const EMPTY: Self = Self::Literal(String::new());

    fn parse<'a>(part: &'a str, index: usize, names: &mut Vec<(&'a str, usize)>) -> Result<Self, String> {
        if part == "*" {
            return Ok(Self::One);
        }
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(format!(
                    "has a parameter `{{{name}}}` whose name is not made of letters, digits and `_`"
                ));
            }
            if names.iter().any(|(own, _)| *own == name) {
                return Err(format!("has two parameters `{{{name}}}`"));
            }
            names.push((name, index));
            return Ok(Self::One);
        }
        if part.contains(['*', '{', '}']) {
            return Err(format!(
                "has `{part}`: `*` and `{{..}}` stand for a whole segment, `**` only at the end"
            ));
        }
        if part.starts_with(':') || part.contains(['<', '>', '[', ']', '^', '|', '"', '`']) {
            return Err(format!(
                "has `{part}`, which looks like another tool's pattern: write `*` or `{{name}}` for one segment, or \
                 percent-encode the character where it is meant as itself"
            ));
        }
        let is_fit = !part.contains(['?', '#'])
            && !part.chars().any(char::is_control)
            && check_bytes(part.as_bytes(), PathSettings::default()).is_ok();
        let literal = String::from_utf8(decoded(part.as_bytes()).collect()).ok();
        let literal = literal.filter(|literal| is_fit && !hides_a_step(literal)).ok_or_else(|| {
            format!("has `{}`, which no request that is let through can have", part.escape_debug())
        })?;
        Ok(Self::Literal(literal))
    }

    fn covers(&self, other: &Self) -> bool {
        match self {
            Self::One => *other != Self::EMPTY,
            Self::Literal(_) => self == other,
        }
    }

    fn foldings(&self, segment: &PathSegment<'_>) -> Option<Foldings> {
        match self {
            Self::One => Some(if segment.text.is_empty() { Foldings::EMPTY } else { Foldings::NONE }),
            Self::Literal(literal) => {
                let foldings = reading::between(&segment.text, literal)?;
                Some(if segment.is_well_spelled { foldings } else { foldings.and(Foldings::DECODED) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(pattern: &str, target: &str) -> Readings {
        let path = CanonicalPath::parse(target.as_bytes()).unwrap();
        Pattern::parse(pattern).unwrap().readings(&path)
    }

    fn matches(pattern: &str, target: &str) -> bool {
        readings(pattern, target).hold(PathSettings::default().home())
    }

    #[test]
    fn a_lenient_server_matches_more() {
        let letters_and_slash = Foldings::LETTERS.and(Foldings::SLASH);
        for (pattern, target, foldings) in [
            ("/a/b", "/A/b", Foldings::LETTERS),
            ("/a/b", "/a/b/", Foldings::SLASH),
            ("/a/b/", "/a/b", Foldings::SLASH),
            ("/a/b/", "/A/b/", Foldings::LETTERS),
            ("/a/*", "/a/b/", Foldings::SLASH),
            ("/a/{id}/c", "/a/b/C/", letters_and_slash),
            ("/a/b", "/a%20/b", Foldings::ENDS),
            ("/a/b", "/a./b", Foldings::ENDS),
            ("/A/**", "/a/", Foldings::LETTERS),
            ("/A/**", "/A/", Foldings::NONE),
            ("/a/caf\u{e9}", "/A/CAF%C3%89", Foldings::LETTERS.and(Foldings::SCRIPTS)),
            ("/a,b", "/a%2Cb", Foldings::DECODED),
            ("/a%2Cb", "/a%2Cb", Foldings::DECODED),
            ("/caf\u{e9}", "/caf%c3%a9", Foldings::DECODED),
            ("/a%7Cb", "/a|b", Foldings::DECODED),
            ("/a%20b/c,d", "/a%20b/c,d", Foldings::NONE),
            ("/a/*", "/a/b%2cc", Foldings::NONE),
            ("/a/*", "/a/", Foldings::EMPTY),
            ("/a/*/**", "/a/", Foldings::EMPTY),
        ] {
            assert_eq!(readings(pattern, target), Readings::folding(foldings), "{pattern} {target}");
        }
        for (pattern, target) in
            [("/a", "/ab"), ("/a/*", "/a"), ("/a/*/c", "/a/"), ("/a/b", "/a/b/c"), ("/a", "/")]
        {
            assert!(readings(pattern, target).is_empty(), "{pattern} {target}");
        }
    }

    #[test]
    fn a_pattern_covers_another_if_it_matches_all_that_the_other_matches() {
        let covers =
            |one: &str, other: &str| Pattern::parse(one).unwrap().covers(&Pattern::parse(other).unwrap());
        for (one, other) in [
            ("/a", "/a"),
            ("/**", "/a/*"),
            ("/a/**", "/a"),
            ("/a/**", "/a/b/**"),
            ("/*", "/{x}"),
            ("/*/b", "/a/b"),
        ] {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in
            [("/a", "/*"), ("/a/*", "/a/**"), ("/a/*", "/a/"), ("/a/b/**", "/a/**"), ("/a", "/a/")]
        {
            assert!(!covers(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_pattern_matches_whole_segments() {
        for (pattern, yes, no) in [
            ("/", &["/"][..], &["/a"][..]),
            ("/a", &["/a", "/a?b"], &["/", "/a/", "/A", "/ab", "/a/b"]),
            ("/a/", &["/a/"], &["/a", "/a/b"]),
            ("/a/*", &["/a/b", "/a/%20b"], &["/a", "/a/", "/a/b/", "/a/b/c"]),
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
            "/a#", "/a;b", "/..", "/a%2fb", "/%ff", "/:id", "/<id>", "/^x$", "/[0-9]+", "/(a|b)", "/%2541",
            "/%00", "/%zz", "/%61", "/...", "/%20", "/a/. ./b",
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
            assert_eq!(
                api.readings(&CanonicalPath::parse(target.as_bytes()).unwrap()).hold(Foldings::NONE),
                expected,
                "{target}"
            );
        }
        assert!(
            Pattern::parse_prefix("/")
                .unwrap()
                .readings(&CanonicalPath::parse(b"/a/b").unwrap())
                .hold(Foldings::NONE)
        );
        assert!(Pattern::parse("/api/a/**").unwrap().lies_below(&api));
        assert!(!Pattern::parse("/*/a").unwrap().lies_below(&api));
        for text in ["/api/", "/api/**", "/*", "/{a}", "api"] {
            assert!(Pattern::parse_prefix(text).is_err(), "{text}");
        }
    }
}
