//! Where the token stands in a request: only where the policy says, and there only once.
//!
//! Each source in its own file. The first that holds a token wins; what the others hold is taken out of the request
//! unread, so that nobody behind takes for verified what was not.

mod cookie;
mod header;
mod name;
mod query;

use bearward_protocol::bounds::MAX_TOKEN_BYTES;

use crate::edit::Edit;
use crate::folded::folds_to;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::wide::are_b64;

pub(crate) use cookie::is_origin;
pub(crate) use query::holds as query_holds;

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
pub(crate) struct Found<'r, 's> {
    pub(crate) token: &'r [u8],
    pub(crate) source: &'s Source,
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
pub(crate) fn find<'r, 's>(sources: &'s [Source], request: &Request<'r>) -> Result<Found<'r, 's>, Rejection> {
    for source in sources {
        let Some(token) = source.read(request)? else { continue };
        if let Source::Cookie { origins, .. } = source
            && !cookie::is_same_site(request, origins)
        {
            return Err(Rejection::CsrfRejected);
        }
        return Ok(Found { token, source });
    }
    Err(Rejection::TokenMissing)
}

/// Whether a header of this name, as some server folds it, is one where a token may stand. Cookies are, in any case.
pub(crate) fn may_stand_in(sources: &[Source], name: &[u8]) -> bool {
    let is_this = |source: &Source| match source {
        Source::Header { name: own, .. } => folds_to(name, own),
        Source::Cookie { .. } | Source::Query { .. } => false,
    };
    name.eq_ignore_ascii_case(cookie::COOKIE) || sources.iter().any(is_this)
}

/// The token in the values of all `Authorization` headers of a request (RFC 6750 section 2.1).
///
/// # Errors
/// [`Rejection::TokenMissing`], [`Rejection::CredentialsAmbiguous`], [`Rejection::TokenTooLarge`],
/// [`Rejection::TokenMalformed`].
pub fn bearer<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], Rejection> {
    header::read(values, Some(BEARER))?.ok_or(Rejection::TokenMissing)
}

/// How much is taken out of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What stands where a token may stand, whatever it is: somebody behind may read it otherwise.
    Places,
    /// Only what looks like a token there. Where none is looked at, `Authorization: Basic` is the upstream's affair.
    Tokens,
}

/// What takes out of a request all that stands in these places, but for the one that is kept.
pub(crate) fn removal(
    sources: &[Source],
    kept: Option<&Source>,
    extent: Extent,
    request: &Request<'_>,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut cookies, mut parameters) = (Vec::new(), Vec::new());
    let (mut kept_header, mut kept_cookie, mut kept_parameter) = (None, None, None);
    match kept {
        Some(Source::Header { name, .. }) => kept_header = Some(name.as_str()),
        Some(Source::Cookie { name, .. }) => kept_cookie = Some(name.as_str()),
        Some(Source::Query { name }) => kept_parameter = Some(name.as_str()),
        None => {}
    }
    for source in sources {
        match source {
            Source::Header { name, scheme } => {
                let scheme = scheme.as_deref().filter(|_| extent == Extent::Tokens);
                header::remove(request, name, scheme, kept_header, &mut edits);
            }
            Source::Cookie { name, .. } => cookies.push(name.as_str()),
            Source::Query { name } => parameters.push(name.as_str()),
        }
    }
    edits.extend(cookie::remove(request, &cookies, kept_cookie));
    edits.extend(query::remove(request, &parameters, kept_parameter));
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
    !body.is_empty() && are_b64(body)
}

#[cfg(test)]
mod tests;
