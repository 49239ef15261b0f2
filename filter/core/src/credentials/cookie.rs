//! A token in a cookie (RFC 6265 section 5.4), and the rule that keeps other sites from using it.

use super::checked;
use crate::edit::Edit;
use crate::rejection::Rejection;
use crate::request::Request;

const COOKIE: &[u8] = b"cookie";
/// The most that is looked at of all cookies of a request, in bytes: more than any browser keeps for a site and sends.
const MAX_COOKIE_BYTES: usize = 64 * 1024;

/// The value of the cookie; `None` where it is not there or empty.
pub(super) fn read<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, Rejection> {
    let size: usize = request.values(COOKIE).map(<[u8]>::len).sum();
    if size > MAX_COOKIE_BYTES {
        return Err(Rejection::RequestMalformed);
    }
    let mut found = request.values(COOKIE).flat_map(pairs).filter(|pair| is_named(pair, name));
    let Some(pair) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    let value = pair.split_once_at(b'=').map_or(&[] as &[u8], |(_, value)| value.trim_ascii());
    if value.is_empty() { Ok(None) } else { checked(value).map(Some) }
}

/// The cookies that are left without these; nothing where none of these is there.
pub(super) fn remove(request: &Request<'_>, names: &[&str]) -> Option<Edit> {
    let named = |pair: &&[u8]| names.iter().any(|name| is_named(pair, name));
    let all = || request.values(COOKIE).flat_map(pairs);
    all().any(|pair| named(&pair)).then(|| {
        let left: Vec<_> = all().filter(|pair| !named(pair)).collect();
        if left.is_empty() { Edit::remove(COOKIE) } else { Edit::set("cookie", left.join(&b"; "[..])) }
    })
}

/// Whether the request may use a cookie: one that changes nothing may, any other only from these origins.
///
/// An upgrade counts as one that changes something: browsers let every site open a WebSocket. Without `Origin` only a
/// browser that says `Sec-Fetch-Site: same-origin` is believed.
pub(super) fn is_same_site(request: &Request<'_>, origins: &[String]) -> bool {
    let is_safe = matches!(request.value(b":method"), Some(b"GET" | b"HEAD" | b"OPTIONS"));
    if is_safe && request.values(b"upgrade").next().is_none() {
        return true;
    }
    let mut sent = request.values(b"origin");
    match (sent.next(), sent.next()) {
        (Some(origin), None) => origins.iter().any(|own| own.as_bytes() == origin),
        (None, _) => request.value(b"sec-fetch-site") == Some(b"same-origin"),
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is an origin as browsers write it (RFC 6454 section 6.2): scheme, host in lower case, port.
pub(crate) fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
            })
    })
}

/// `name=value`, without the white space around it.
fn pairs(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

fn is_named(pair: &[u8], name: &str) -> bool {
    pair.split_once_at(b'=').is_some_and(|(own, _)| own.trim_ascii() == name.as_bytes())
}

trait SplitOnce {
    fn split_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])>;
}

impl SplitOnce for [u8] {
    fn split_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])> {
        let at = self.iter().position(|own| *own == byte)?;
        let (before, after) = self.split_at_checked(at)?;
        Some((before, after.get(1..)?))
    }
}
