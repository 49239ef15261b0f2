//! Names of cookies and parameters, as the widest of servers reads them.

use std::borrow::Cow;

use crate::percent::{encoded_byte, encoded_number};

/// Whether some server takes one name for the other.
///
/// ASP.NET reads names without case. PHP reads spaces, dots and a bracket that nothing closes as `_`, and cuts at `[` and
/// at a zero byte. Rack and qs (Express) read what stands between the first brackets. Java's servers drop quotes.
pub(super) fn may_be(own: &[u8], name: &str) -> bool {
    if own.len() < name.len() {
        return false;
    }
    let Some(plain) = plain(own) else { return true };
    let whole = trimmed(plain.split(|byte| *byte == 0).next().unwrap_or_default());
    is_folded(whole, name) || is_folded(between_brackets(whole), name)
}

/// The name decoded as in a form; `None` for an encoding that servers decode in different ways: some drop the percent
/// sign, some reckon with letters that are no digits, some take the nearest letter of ASCII for a wide one.
fn plain(own: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !own.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(own));
    }
    let mut plain = Vec::with_capacity(own.len());
    let mut rest = own;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (decoded, after) = encoded_byte(after).or_else(|| wide(after))?;
                rest = after;
                decoded
            }
            other => *other,
        });
    }
    Some(Cow::Owned(plain))
}

/// `%u0061`, as ASP.NET decodes it, for a letter of ASCII.
fn wide(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (number, rest) = encoded_number::<4>(digits.strip_prefix(b"u")?)?;
    Some((u8::try_from(number).ok().filter(u8::is_ascii)?, rest))
}

fn between_brackets(whole: &[u8]) -> &[u8] {
    let is_bracket = |byte: &u8| matches!(byte, b'[' | b']');
    let inner = whole.split(is_bracket).find(|part| !part.is_empty());
    trimmed(inner.unwrap_or_default())
}

fn trimmed(mut name: &[u8]) -> &[u8] {
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'"';
    while let Some((first, rest)) = name.split_first()
        && is_around(first)
    {
        name = rest;
    }
    while let Some((last, rest)) = name.split_last()
        && is_around(last)
    {
        name = rest;
    }
    name
}

fn is_folded(own: &[u8], name: &str) -> bool {
    own.len() == name.len() && own.iter().copied().map(folded).eq(name.bytes().map(folded))
}

fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}
