//! A token in a cookie (RFC 6265 section 5.4), and the rule that keeps other sites from using it.

use super::checked;
use super::name::may_be;
use crate::edit::Edit;
use crate::identity::names_another_method;
use crate::rejection::Rejection;
use crate::request::Request;

pub(super) const COOKIE: &[u8] = b"cookie";
/// The most that is looked at of all cookies of a request, in bytes: more than any browser keeps for a site and sends.
const MAX_COOKIE_BYTES: usize = 64 * 1024;

/// The value of the cookie; `None` where it is not there or empty. Another cookie that some server takes for it makes two.
pub(super) fn read<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, Rejection> {
    if !is_looked_at(request) {
        return Err(Rejection::RequestMalformed);
    }
    let mut found = request.values(COOKIE).flat_map(pairs).flat_map(|pair| {
        let named = names(pair).filter(|own| may_be(own, name)).count();
        std::iter::repeat_n(pair, named)
    });
    let Some(pair) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    match pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.split_at_checked(at)) {
        Some((own, value)) if own.trim_ascii() == name.as_bytes() => {
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if value.is_empty() { Ok(None) } else { checked(value).map(Some) }
        }
        _ => Ok(None),
    }
}

/// The cookies that are left without these; nothing where none of these is there.
///
/// More than is looked at is taken out whole.
pub(super) fn remove(request: &Request<'_>, unread: &[&str], kept: Option<&str>) -> Option<Edit> {
    if unread.is_empty() {
        return None;
    }
    if !is_looked_at(request) {
        return Some(Edit::remove(COOKIE));
    }
    let is_unread = |pair: &&[u8]| {
        let is_kept = |own: &[u8]| kept.is_some_and(|kept| may_be(own, kept));
        names(pair).any(|own| !is_kept(own) && unread.iter().any(|name| may_be(own, name)))
    };
    let all = || request.values(COOKIE).flat_map(pairs);
    all().any(|pair| is_unread(&pair)).then(|| {
        let left: Vec<_> = all().filter(|pair| !is_unread(pair)).collect();
        if left.is_empty() { Edit::remove(COOKIE) } else { Edit::set("cookie", left.join(&b"; "[..])) }
    })
}

/// Whether the request may use a cookie: one that changes nothing may, any other only from these origins.
///
/// An upgrade counts as one that changes something: browsers let every site open a WebSocket. So does a request that
/// asks for another method. Without `Origin` only a browser that says `Sec-Fetch-Site: same-origin` is believed.
pub(super) fn is_same_site(request: &Request<'_>, origins: &[String]) -> bool {
    let is_safe = matches!(request.value(b":method"), Some(b"GET" | b"HEAD" | b"OPTIONS"));
    let asks_for_more = request
        .headers()
        .any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade") || names_another_method(name));
    if is_safe && !asks_for_more {
        return true;
    }
    let mut sent = request.values(b"origin");
    match (sent.next(), sent.next()) {
        (Some(origin), None) => origins.iter().any(|own| own.as_bytes() == origin),
        (None, _) => request.value(b"sec-fetch-site") == Some(b"same-origin"),
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is an origin as browsers write it (RFC 6454 section 6.2): scheme, host in lower case, port unless it is
/// that of the scheme.
pub(crate) fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let fine = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
    };
    !host.is_empty() && !host.starts_with(':') && !host.ends_with(usual) && host.bytes().all(fine)
}

fn is_looked_at(request: &Request<'_>) -> bool {
    let size = request.values(COOKIE).fold(0, |size: usize, value| size.saturating_add(value.len()));
    size <= MAX_COOKIE_BYTES
}

/// `name=value`, without the white space around it.
fn pairs(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

/// The names that some server reads in a pair. Servers of the old kind also part cookies at commas or at white space, and
/// some pass over `=` before the name.
fn names(mut pair: &[u8]) -> impl Iterator<Item = &[u8]> {
    while let Some(rest) = pair.strip_prefix(b"=") {
        pair = rest.trim_ascii_start();
    }
    let first = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    let whole = (first.len() < pair.len()).then_some(first);
    let inner = pair.split(|byte| *byte == b'=');
    // What stands before the last `=` is a name, what follows it none.
    let count = inner.clone().count().saturating_sub(1);
    let words = inner.take(count).filter_map(|before| {
        let word = before.trim_ascii().rsplit(|byte| *byte == b',' || byte.is_ascii_whitespace()).next()?;
        (word.len() < before.trim_ascii().len()).then_some(word)
    });
    whole.into_iter().chain(words)
}
