//! Where the token stands in a request: the `Authorization` header (RFC 6750 section 2.1, RFC 9110 section 11).

use bearward_protocol::bounds::MAX_TOKEN_BYTES;

use crate::rejection::Rejection;

/// The name of the header, in lower case.
pub const AUTHORIZATION: &[u8] = b"authorization";

/// Takes the token from the values of all `Authorization` headers of a request.
///
/// The scheme is compared without case (RFC 9110 section 11.1); another scheme, or `Bearer` with nothing after it, is
/// no token. What follows `Bearer` must be one b64token.
///
/// # Errors
/// [`Rejection::TokenMissing`]; [`Rejection::CredentialsAmbiguous`] for several headers, or several credentials that a
/// proxy joined with a comma; [`Rejection::TokenTooLarge`]; [`Rejection::TokenMalformed`].
pub fn bearer<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], Rejection> {
    let value = values.next().ok_or(Rejection::TokenMissing)?;
    if values.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    let value = value.trim_ascii();
    let (scheme, credentials) = match value.iter().position(|byte| *byte == b' ' || *byte == b'\t') {
        Some(end) => value.split_at(end),
        None => (value, &[] as &[u8]),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        let joined = value.split(|byte| *byte == b',').skip(1).any(begins_with_bearer);
        return Err(if joined { Rejection::CredentialsAmbiguous } else { Rejection::TokenMissing });
    }
    let token = credentials.trim_ascii();
    if token.is_empty() {
        return Err(Rejection::TokenMissing);
    }
    if token.contains(&b',') {
        return Err(Rejection::CredentialsAmbiguous);
    }
    // Before anything looks at every byte: proxies let in headers of any size that they are told to.
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Rejection::TokenTooLarge);
    }
    if !is_b64token(token) {
        return Err(Rejection::TokenMalformed);
    }
    Ok(token)
}

/// Envoy joins two `Authorization` headers with a comma: `Basic x,Bearer y`.
fn begins_with_bearer(part: &[u8]) -> bool {
    let scheme = part.trim_ascii().split_first_chunk::<7>().map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
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
mod tests {
    use super::*;

    fn one(value: &[u8]) -> Result<&[u8], Rejection> {
        bearer([value].into_iter())
    }

    #[test]
    fn the_scheme_is_compared_without_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c  ", "bEaReR\ta.b.c"] {
            assert_eq!(one(value.as_bytes()), Ok(&b"a.b.c"[..]), "{value:?}");
        }
    }

    #[test]
    fn a_token_that_is_too_large_is_not_looked_at() {
        let token = |size| format!("Bearer {}", "!".repeat(size));
        assert_eq!(one(token(MAX_TOKEN_BYTES).as_bytes()), Err(Rejection::TokenMalformed));
        assert_eq!(one(token(MAX_TOKEN_BYTES + 1).as_bytes()), Err(Rejection::TokenTooLarge));
    }

    #[test]
    fn another_scheme_or_nothing_after_bearer_is_no_token() {
        for value in [
            "",
            " ",
            "Basic x",
            "Bearer",
            "Bearer ",
            "Bearer \t ",
            "Bearerx",
            "a.b.c",
            "Digest a=\"b\", c=\"d\"",
        ] {
            assert_eq!(one(value.as_bytes()), Err(Rejection::TokenMissing), "{value:?}");
        }
        assert_eq!(bearer(std::iter::empty()), Err(Rejection::TokenMissing));
    }

    #[test]
    fn two_sets_of_credentials_are_ambiguous() {
        assert_eq!(bearer([&b"Bearer a"[..], b"Bearer a"].into_iter()), Err(Rejection::CredentialsAmbiguous));
        assert_eq!(bearer([&b"Basic x"[..], b"Bearer a"].into_iter()), Err(Rejection::CredentialsAmbiguous));
        assert_eq!(one(b"Bearer a,Bearer b"), Err(Rejection::CredentialsAmbiguous));
        assert_eq!(one(b"Bearer a, Bearer b"), Err(Rejection::CredentialsAmbiguous));
        assert_eq!(one(b"Basic x,Bearer a"), Err(Rejection::CredentialsAmbiguous));
        assert_eq!(one(b"Basic x, bearer a"), Err(Rejection::CredentialsAmbiguous));
    }

    #[test]
    fn what_is_no_b64token_is_malformed() {
        for value in [
            &b"Bearer a b"[..],
            b"Bearer \xff\xfe",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer \"a\"",
            b"Bearer a\0",
        ] {
            assert_eq!(one(value), Err(Rejection::TokenMalformed), "{value:?}");
        }
        assert_eq!(one(b"Bearer a=="), Ok(&b"a=="[..]));
    }
}
