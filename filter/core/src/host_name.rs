//! Hosts: compared in lower case and without port.

use std::borrow::Cow;

use crate::wide::is_same;

/// The longest name of a host, in bytes (RFC 1035 section 2.3.4, without the dot of the root).
const MAX_HOST_BYTES: usize = 253;
/// The longest authority that is looked at, in bytes: a name, a colon, a port.
pub const MAX_AUTHORITY_BYTES: usize = MAX_HOST_BYTES + 6;

/// What a policy's `hosts` may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: every host, also none.
    Any,
    /// `*.example.com`: at least one label before it. Holds `.example.com`.
    Below(String),
    /// Exactly this host.
    Exactly(String),
}

/// How closely a pattern names a host. Greater is closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness(usize);

impl HostPattern {
    /// Reads `*`, `*.example.com` or `api.example.com`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        let fine = name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
        });
        if name.is_empty() || name.starts_with('.') || name.contains("..") || !fine {
            return Err("must be `*`, `*.example.com` or a host name (in its ASCII form)".to_owned());
        }
        if name.len() > MAX_HOST_BYTES {
            return Err(format!("must have at most {MAX_HOST_BYTES} bytes"));
        }
        if normalized(name.as_bytes()).as_deref() != Some(&name.as_bytes().to_ascii_lowercase()) {
            return Err("must have no port and no dot at its end: hosts are compared without them".to_owned());
        }
        let name = name.to_ascii_lowercase();
        Ok(if text.starts_with("*.") { Self::Below(format!(".{name}")) } else { Self::Exactly(name) })
    }

    /// How closely the pattern names `host` (in the form of [`normalized`]); `None` where it does not.
    #[must_use]
    pub fn closeness(&self, host: &[u8]) -> Option<Closeness> {
        match self {
            Self::Any => Some(Closeness(0)),
            Self::Below(suffix) => (host.len() > suffix.len() && host.ends_with(suffix.as_bytes()))
                .then_some(Closeness(suffix.len())),
            Self::Exactly(name) => is_same(host, name.as_bytes()).then_some(Closeness(usize::MAX)),
        }
    }
}

/// The host of an authority (RFC 3986 section 3.2): lower case, without port. `None` for user information, a port that
/// is no number, and a dot at the end: Envoy's virtual hosts would read these in another way. Also for one that is longer
/// than [`MAX_AUTHORITY_BYTES`].
#[must_use]
pub fn normalized(authority: &[u8]) -> Option<Cow<'_, [u8]>> {
    if authority.len() > MAX_AUTHORITY_BYTES {
        return None;
    }
    // Most have nothing to be changed or looked at closely.
    let is_plain =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    if authority.iter().all(is_plain) && !authority.ends_with(b".") {
        return Some(Cow::Borrowed(authority));
    }
    if authority.contains(&b'@') {
        return None;
    }
    let bracket = authority.iter().rposition(|byte| *byte == b']');
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let host = match colon {
        Some(colon) if bracket.is_none_or(|bracket| colon > bracket) => {
            let (host, port) = authority.split_at(colon);
            let digits = port.get(1..).unwrap_or_default();
            let fine = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
            if !fine || (bracket.is_none() && host.contains(&b':')) {
                return None;
            }
            host
        }
        _ => authority,
    };
    if host.ends_with(b".") {
        return None;
    }
    let is_lower = !host.iter().any(u8::is_ascii_uppercase);
    Some(if is_lower { Cow::Borrowed(host) } else { Cow::Owned(host.to_ascii_lowercase()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_case_and_port() {
        for authority in ["api.example.com", "API.Example.COM", "api.example.com:8080"] {
            assert_eq!(&*normalized(authority.as_bytes()).unwrap(), b"api.example.com", "{authority}");
        }
        assert_eq!(&*normalized(b"[::1]:8080").unwrap(), b"[::1]");
        assert_eq!(&*normalized(b"[::1]").unwrap(), b"[::1]");
        let longest = "a".repeat(MAX_HOST_BYTES);
        assert_eq!(normalized(format!("{longest}:65535").as_bytes()), Some(longest.into_bytes().into()));
        assert_eq!(normalized("a".repeat(MAX_AUTHORITY_BYTES + 1).as_bytes()), None);
        for authority in ["user@host", "host:80a", "a:b:80", "host.", "host.:80", "host:", "host:999999"] {
            assert_eq!(normalized(authority.as_bytes()), None, "{authority}");
        }
    }

    #[test]
    fn the_closest_pattern_is_the_longest() {
        let closeness =
            |pattern: &str, host: &str| HostPattern::parse(pattern).unwrap().closeness(host.as_bytes());
        assert!(closeness("a.b.c", "a.b.c") > closeness("*.b.c", "a.b.c"));
        assert!(closeness("*.b.c", "a.b.c") > closeness("*.c", "a.b.c"));
        assert!(closeness("*.c", "a.b.c") > closeness("*", "a.b.c"));
        assert_eq!(closeness("*.b.c", "b.c"), None);
        assert_eq!(closeness("*.b.c", ".b.c"), None);
        assert_eq!(closeness("*.b.c", "xb.c"), None);
        assert_eq!(closeness("A.b", "a.b"), closeness("a.B", "a.b"));
    }

    #[test]
    fn a_pattern_that_no_host_can_match_is_an_error() {
        assert!(HostPattern::parse(&"a".repeat(MAX_HOST_BYTES + 1)).is_err());
        for text in ["", "*.", "a*", "*.*.a", "a.b:80", "a.b.", "a..b", ".a", "a b", "caf\u{e9}.com"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
