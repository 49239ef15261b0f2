//! Where the token stands in a request: only where the policy says, and there only once.
//!
//! Each source in its own file. The first that holds a token wins; what the others hold is taken out of the request
//! unread, so that nobody behind takes for verified what was not.

mod cookie;
mod header;
mod query;

use bearward_protocol::bounds::MAX_TOKEN_BYTES;

use crate::edit::Edit;
use crate::rejection::Rejection;
use crate::request::Request;

pub(crate) use cookie::is_origin;

/// The name of the header of RFC 6750 section 2.1, in lower case.
pub const AUTHORIZATION: &str = "authorization";
/// The scheme of RFC 6750.
const BEARER: &str = "Bearer";

/// A place where a token may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A header, after a scheme (compared without case, RFC 9110 section 11.1) or as the whole value.
    Header { name: String, scheme: Option<String> },
    /// A cookie. Browsers send it along with requests that other sites cause, so it counts only for these origins.
    Cookie { name: String, origins: Vec<String> },
    /// A parameter of the query (RFC 6750 section 2.3): it ends up in logs.
    Query { name: String },
}

/// A token and where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) token: &'a [u8],
    /// The position of its source.
    pub(crate) source: usize,
}

impl Source {
    /// `Authorization: Bearer`, where the policy says nothing.
    pub(crate) fn bearer() -> Self {
        Self::Header { name: AUTHORIZATION.to_owned(), scheme: Some(BEARER.to_owned()) }
    }

    fn read<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Rejection> {
        match self {
            Self::Header { name, scheme } => header::read(request.values(name.as_bytes()), scheme.as_deref()),
            Self::Cookie { name, .. } => cookie::read(request, name),
            Self::Query { name } => query::read(request, name),
        }
    }
}

/// The token of the first source that holds one.
///
/// # Errors
/// [`Rejection::TokenMissing`]; [`Rejection::CredentialsAmbiguous`] for two tokens of one source;
/// [`Rejection::TokenTooLarge`]; [`Rejection::TokenMalformed`]; [`Rejection::CsrfRejected`].
pub(crate) fn find<'a>(sources: &[Source], request: &Request<'a>) -> Result<Found<'a>, Rejection> {
    for (position, source) in sources.iter().enumerate() {
        let Some(token) = source.read(request)? else { continue };
        if let Source::Cookie { origins, .. } = source
            && !cookie::is_same_site(request, origins)
        {
            return Err(Rejection::CsrfRejected);
        }
        return Ok(Found { token, source: position });
    }
    Err(Rejection::TokenMissing)
}

/// The token in the values of all `Authorization` headers of a request (RFC 6750 section 2.1).
///
/// # Errors
/// [`Rejection::TokenMissing`], [`Rejection::CredentialsAmbiguous`], [`Rejection::TokenTooLarge`],
/// [`Rejection::TokenMalformed`].
pub fn bearer<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], Rejection> {
    header::read(values, Some(BEARER))?.ok_or(Rejection::TokenMissing)
}

/// What takes the tokens out of a request, but for that of the source that is kept.
pub(crate) fn removal(sources: &[Source], kept: Option<usize>, request: &Request<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (position, source) in sources.iter().enumerate() {
        let kept = kept == Some(position);
        match source {
            Source::Header { name, scheme } => {
                header::remove(request, name, scheme.as_deref(), kept, &mut edits);
            }
            Source::Cookie { .. } | Source::Query { .. } => {}
        }
    }
    let kept = kept.and_then(|kept| sources.get(kept));
    let others = || sources.iter().filter(|source| Some(*source) != kept);
    let cookies: Vec<_> = others()
        .filter_map(
            |source| if let Source::Cookie { name, .. } = source { Some(name.as_str()) } else { None },
        )
        .collect();
    let parameters: Vec<_> = others()
        .filter_map(|source| if let Source::Query { name } = source { Some(name.as_str()) } else { None })
        .collect();
    edits.extend(cookie::remove(request, &cookies));
    edits.extend(query::remove(request, &parameters));
    edits
}

/// One b64token of a size that is looked at (RFC 6750 section 2.1).
fn checked(token: &[u8]) -> Result<&[u8], Rejection> {
    // Before anything looks at every byte: proxies let in headers of any size that they are told to.
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Rejection::TokenTooLarge);
    }
    if is_b64token(token) { Ok(token) } else { Err(Rejection::TokenMalformed) }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_b64token(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = token.split_at(token.len().saturating_sub(padding));
    !body.is_empty()
        && body.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

#[cfg(test)]
mod tests;
