//! `credentials`: where a token may stand.

use super::fields::Credential;
use super::forward::{RESERVED, RESERVED_PREFIXES};
use super::read::Node;
use crate::credentials::{AUTHORIZATION, Source, is_origin};
use crate::folded::folds_to;
use crate::identity::OVERRIDES;

/// The most sources, and the most origins of a cookie.
pub(super) const MAX_SOURCES: usize = 8;
pub(super) const MAX_ORIGINS: usize = 64;
/// The longest name of a header, a cookie or a parameter, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 64;

pub(super) fn read(node: &Node<'_>) -> Option<Vec<Source>> {
    let items = node.distinct_items(MAX_SOURCES)?;
    let sources: Vec<_> = items.iter().map(read_one).collect();
    let sources: Vec<_> = sources.into_iter().collect::<Option<_>>()?;
    for (index, (source, item)) in sources.iter().zip(&items).enumerate() {
        if sources.iter().take(index).any(|earlier| is_same_place(earlier, source)) {
            item.problem("names the same place as an earlier one");
        }
    }
    Some(sources)
}

fn read_one(node: &Node<'_>) -> Option<Source> {
    let Credential { header, scheme, cookie, allowed_origins: origins, query } = node.fields()?;
    if scheme.is_some() && header.is_none() {
        node.problem("`scheme` goes with `header`");
    }
    if origins.is_some() && cookie.is_none() {
        node.problem("`allowed_origins` goes with `cookie`");
    }
    if cookie.is_some() && origins.is_none() {
        node.problem(
            "a `cookie` needs `allowed_origins`, such as [https://app.example.com]: browsers send cookies along with \
             requests that other sites cause",
        );
    }
    match (header, cookie, query) {
        (Some(header), None, None) => {
            let scheme = scheme.map(|node| read_scheme(&node));
            let name = read_header(&header)?;
            if name == AUTHORIZATION && scheme.is_none() {
                header.problem("`authorization` needs a `scheme`, such as Bearer");
            }
            Some(Source::Header { name, scheme: scheme.map_or(Some(None), |scheme| scheme.map(Some))? })
        }
        (None, Some(cookie), None) => Some(Source::Cookie {
            name: read_token(&cookie)?.to_owned(),
            origins: origins.and_then(|node| read_origins(&node))?,
        }),
        (None, None, Some(query)) => Some(Source::Query { name: read_token(&query)?.to_owned() }),
        _ => {
            node.problem("must hold exactly one of `header`, `cookie`, `query`");
            None
        }
    }
}

fn read_header(node: &Node<'_>) -> Option<String> {
    let name = read_token(node)?.to_ascii_lowercase();
    let folded = name.replace('_', "-");
    let may_hold = [AUTHORIZATION, "proxy-authorization"].contains(&folded.as_str());
    let reserved = RESERVED.iter().chain(&OVERRIDES).any(|other| folds_to(name.as_bytes(), other));
    if !may_hold && (reserved || RESERVED_PREFIXES.iter().any(|prefix| folded.starts_with(prefix))) {
        node.problem(format!("`{name}` has a meaning of its own and cannot hold a token"));
        return None;
    }
    Some(name)
}

fn read_scheme(node: &Node<'_>) -> Option<String> {
    read_token(node).map(str::to_owned)
}

/// A token of HTTP (RFC 9110 section 5.6.2), of letters, digits, `-` and `_` only.
fn read_token<'v>(node: &Node<'v>) -> Option<&'v str> {
    let name = node.text()?;
    let fine = name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !fine {
        node.problem(format!("must be 1 to {MAX_NAME_BYTES} characters of letters, digits, `-` and `_`"));
        return None;
    }
    Some(name)
}

fn read_origins(node: &Node<'_>) -> Option<Vec<String>> {
    let read = |node: &Node<'_>| {
        let origin = node.text()?;
        if !is_origin(origin) {
            node.problem("must be an origin as browsers send it: https://app.example.com, with a port where it is not the usual one, in lower case, without a slash at its end");
            return None;
        }
        Some(origin.to_owned())
    };
    let origins: Vec<_> = node.distinct_items(MAX_ORIGINS)?.iter().map(read).collect();
    origins.into_iter().collect()
}

fn is_same_place(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Header { name: one, scheme: first }, Source::Header { name: other, scheme: second }) => {
            let same_scheme = match (first, second) {
                (Some(first), Some(second)) => first.eq_ignore_ascii_case(second),
                _ => true,
            };
            folds_to(one.as_bytes(), other) && same_scheme
        }
        (Source::Cookie { name: one, .. }, Source::Cookie { name: other, .. })
        | (Source::Query { name: one }, Source::Query { name: other }) => folds_to(one.as_bytes(), other),
        _ => false,
    }
}
