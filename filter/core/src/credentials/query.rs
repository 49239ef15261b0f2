//! A token in the query (RFC 6750 section 2.3).

use super::checked;
use super::name::may_be;
use crate::edit::Edit;
use crate::percent::decoded;
use crate::rejection::Rejection;
use crate::request::Request;

/// The longest query that is looked at, in bytes.
const MAX_QUERY_BYTES: usize = 64 * 1024;

/// A part of the query, with the separator before it: `&`, or `;`, at which some servers part it, too.
#[derive(Clone, Copy)]
struct Part<'a> {
    separator: Option<u8>,
    text: &'a [u8],
    /// Whether `;` follows.
    goes_on: bool,
}

/// The value of the parameter; `None` where it is not there or empty. Another parameter that some server takes for it
/// makes two. A value that goes on behind `;` for servers which do not part there is no token to them.
pub(super) fn read<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, Rejection> {
    let Some((_, query)) = target(request) else { return Ok(None) };
    if query.len() > MAX_QUERY_BYTES {
        return Err(Rejection::RequestMalformed);
    }
    let mut found = parts(query).filter(|part| may_be(part.name(), name));
    let Some(part) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    let is_ours = part.separator != Some(b';') && decoded(part.name()).eq(name.bytes());
    match part.text.splitn(2, |byte| *byte == b'=').nth(1) {
        Some(_) if is_ours && part.goes_on => Err(Rejection::TokenMalformed),
        Some(value) if is_ours && !value.is_empty() => checked(value).map(Some),
        _ => Ok(None),
    }
}

/// The request target without these parameters; nothing where none of these is there.
///
/// A query that is longer than is looked at is taken out whole.
pub(super) fn remove(request: &Request<'_>, unread: &[&str], kept: Option<&str>) -> Option<Edit> {
    if unread.is_empty() {
        return None;
    }
    let (path, query) = target(request)?;
    if query.len() > MAX_QUERY_BYTES {
        return Some(Edit::set(":path", path));
    }
    let is_unread = |part: &Part<'_>| {
        let is_kept = kept.is_some_and(|kept| may_be(part.name(), kept));
        !is_kept && unread.iter().any(|name| may_be(part.name(), name))
    };
    parts(query).any(|part| is_unread(&part)).then(|| {
        let mut changed = path.to_vec();
        let mut separator = b'?';
        // What follows `;` is, to servers that do not part there, the end of what is taken out: it must not become the end
        // of what stands before.
        let mut is_within_unread = false;
        for part in parts(query) {
            let is_continued = part.separator == Some(b';');
            is_within_unread = is_continued && is_within_unread || !is_continued && is_unread(&part);
            if !is_within_unread && !is_unread(&part) {
                changed.push(if separator == b'?' { separator } else { part.separator.unwrap_or(b'&') });
                changed.extend_from_slice(part.text);
                separator = b'&';
            }
        }
        Edit::set(":path", changed)
    })
}

/// Whether some server finds a parameter of this name in the query.
///
/// # Errors
/// [`Rejection::RequestMalformed`] for a query that is longer than is looked at.
pub(crate) fn holds(request: &Request<'_>, name: &str) -> Result<bool, Rejection> {
    let Some((_, query)) = target(request) else { return Ok(false) };
    if query.len() > MAX_QUERY_BYTES {
        return Err(Rejection::RequestMalformed);
    }
    Ok(parts(query).any(|part| may_be(part.name(), name)))
}

impl<'a> Part<'a> {
    fn name(self) -> &'a [u8] {
        self.text.split(|byte| *byte == b'=').next().unwrap_or_default()
    }
}

/// The path and the query of the request target.
fn target<'a>(request: &Request<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let target = request.value(b":path")?;
    let at = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = target.split_at_checked(at)?;
    Some((path, query.get(1..)?))
}

fn parts(query: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut separator = None;
    query.split_inclusive(|byte| matches!(byte, b'&' | b';')).map(move |text| {
        let before = separator;
        let (text, after) = match text.split_last() {
            Some((last @ (b'&' | b';'), rest)) => (rest, Some(*last)),
            _ => (text, None),
        };
        separator = after;
        Part { separator: before, text, goes_on: after == Some(b';') }
    })
}
