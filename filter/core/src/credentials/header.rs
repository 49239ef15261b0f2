//! A token in a header: `Authorization: Bearer` (RFC 6750 section 2.1, RFC 9110 section 11), or one of the user's own.

use super::checked;
use crate::edit::Edit;
use crate::folded::folds_to;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::wide::is_same_but_for_case;

/// The token in the values of the header; `None` where it is not there, is empty, or has another scheme.
pub(super) fn read<'a>(
    mut values: impl Iterator<Item = &'a [u8]>,
    scheme: Option<&str>,
) -> Result<Option<&'a [u8]>, Rejection> {
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::CredentialsAmbiguous);
    }
    let value = value.trim_ascii();
    let token = match scheme {
        None => value,
        Some(scheme) => match after_scheme(value, scheme) {
            Some(token) => token,
            None if value.split(|byte| *byte == b',').skip(1).any(|part| begins_with(part, scheme)) => {
                return Err(Rejection::CredentialsAmbiguous);
            }
            None => return Ok(None),
        },
    };
    if token.is_empty() {
        return Ok(None);
    }
    match checked(token) {
        // Envoy joins two headers of this name with a comma, which no token holds.
        Err(_) if token.contains(&b',') => Err(Rejection::CredentialsAmbiguous),
        checked => checked.map(Some),
    }
}

/// Removes the header in every spelling that a server may fold into it, but for the spelling that is kept. With a
/// scheme only where some server may find that scheme in it.
pub(super) fn remove(
    request: &Request<'_>,
    name: &str,
    scheme: Option<&str>,
    kept: Option<&str>,
    edits: &mut Vec<Edit>,
) {
    let holds_token = |value: &[u8]| scheme.is_none_or(|scheme| names(value, scheme));
    for (own, value) in request.headers().filter(|(own, _)| own.len() == name.len()) {
        let is_kept = || kept.is_some_and(|kept| is_same_but_for_case(own, kept.as_bytes()));
        if folds_to(own, name) && !is_kept() && holds_token(value) {
            let edit = Edit::remove(own);
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
}

/// What follows the scheme and its white space; `None` for another scheme.
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let end = value.iter().position(|byte| is_space(*byte)).unwrap_or(value.len());
    let (own, rest) = value.split_at_checked(end)?;
    is_same_but_for_case(own, scheme.as_bytes()).then(|| rest.trim_ascii())
}

/// Whether a part of a joined header begins with the scheme.
fn begins_with(part: &[u8], scheme: &str) -> bool {
    after_scheme(part.trim_ascii(), scheme).is_some_and(|token| !token.is_empty())
}

/// Whether the scheme stands anywhere in the value, as a word or at the beginning or the end of one, without case: some
/// servers look for it with an expression that is not anchored, some take all that follows its letters.
fn names(value: &[u8], scheme: &str) -> bool {
    let is_part_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut before = None;
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        if let Some((own, following)) = rest.split_at_checked(scheme.len())
            && own.eq_ignore_ascii_case(scheme.as_bytes())
            && !(is_part_of_word(before) && is_part_of_word(following.first()))
        {
            return true;
        }
        before = Some(first);
        rest = after;
    }
    false
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
