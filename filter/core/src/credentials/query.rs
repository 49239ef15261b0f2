//! A token in the query (RFC 6750 section 2.3).

use super::checked;
use crate::edit::Edit;
use crate::path::decoded;
use crate::rejection::Rejection;
use crate::request::Request;

/// The longest request target that is looked at, in bytes.
const MAX_TARGET_BYTES: usize = 64 * 1024;

/// The value of the parameter; `None` where it is not there or empty.
pub(super) fn read<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, Rejection> {
    let Some((_, query)) = target(request) else { return Ok(None) };
    if query.len() > MAX_TARGET_BYTES {
        return Err(Rejection::RequestMalformed);
    }
    let mut found = parameters(query).filter(|parameter| is_named(parameter, name));
    let Some(parameter) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    match parameter.splitn(2, |byte| *byte == b'=').nth(1) {
        None | Some([]) => Ok(None),
        Some(value) => checked(value).map(Some),
    }
}

/// The request target without these parameters; nothing where none of these is there.
pub(super) fn remove(request: &Request<'_>, names: &[&str]) -> Option<Edit> {
    let (path, query) = target(request)?;
    let named = |parameter: &&[u8]| names.iter().any(|name| is_named(parameter, name));
    parameters(query).any(|parameter| named(&parameter)).then(|| {
        let left: Vec<_> = parameters(query).filter(|parameter| !named(parameter)).collect();
        let query = if left.is_empty() { Vec::new() } else { [b"?".as_slice(), &left.join(&b'&')].concat() };
        Edit::set(":path", [path, &query].concat())
    })
}

/// The path and the query of the request target.
fn target<'a>(request: &Request<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let target = request.value(b":path")?;
    let at = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = target.split_at_checked(at)?;
    Some((path, query.get(1..)?))
}

fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| *byte == b'&')
}

/// Names are compared decoded, as every server behind compares them.
fn is_named(parameter: &[u8], name: &str) -> bool {
    let own = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
    decoded(own).eq(name.bytes())
}
