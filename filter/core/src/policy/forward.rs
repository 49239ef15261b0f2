//! `forward`: what the upstream is told of the caller, in headers that only we may set.

use std::sync::Arc;

use super::fields::{Forward, IdentityHeader};
use super::issuers::{TrustedIssuer, claim_path};
use super::read::Node;
use crate::folded::FoldedNames;
use crate::identity::{HOST_OVERRIDES, METHOD_PARAMETER, OVERRIDES};

/// The most identity headers.
pub(super) const MAX_HEADERS: usize = 16;
/// The longest name of an identity header, in bytes.
pub(super) const MAX_HEADER_NAME_BYTES: usize = 64;
/// What may become of the token: whether it is removed.
pub(super) const KEEP_OR_REMOVE: [(&str, bool); 2] = [("keep", false), ("remove", true)];
/// What a header may come from that is no claim.
pub(super) const FROM: [(&str, From); 3] =
    [("subject", From::Subject), ("roles", From::Roles), ("issuer", From::Issuer)];

/// Headers that steer the proxy or the connection, or that hold credentials: never identity headers.
pub(super) const RESERVED: [&str; 35] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "early-data",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "priority",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-real-ip",
    "x-request-id",
];
pub(super) const RESERVED_PREFIXES: [&str; 6] =
    ["access-control-", "grpc-", "proxy-", "sec-", "x-envoy-", "x-forwarded-"];

/// The identity headers, by name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    pub(crate) headers: Vec<(Arc<str>, Source)>,
    /// Whether the token is taken out of the request, on public rules, too.
    pub(crate) remove_token: bool,
    /// Those of [`OVERRIDES`] and [`HOST_OVERRIDES`], and [`METHOD_PARAMETER`], that the client may send.
    pub(crate) kept: Vec<String>,
    /// What the client may not send: identity headers, ours and the usual ones, and what is left of [`OVERRIDES`].
    pub(crate) removed: FoldedNames,
}

/// All that `keep` may name.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which has no iterators there")]
pub(super) const KEEPABLE: [&str; OVERRIDES.len() + HOST_OVERRIDES.len() + 1] = {
    let mut all = [METHOD_PARAMETER; OVERRIDES.len() + HOST_OVERRIDES.len() + 1];
    let mut index = 0;
    while index + 1 < all.len() {
        all[index] = match index.checked_sub(OVERRIDES.len()) {
            Some(index) => HOST_OVERRIDES[index],
            None => OVERRIDES[index],
        };
        index += 1;
    }
    all
};

/// The names under which upstreams look for an identity where a policy says nothing: the client never writes them, also
/// where the policy sends others.
const USUAL: [&str; 3] = ["x-user-id", "x-user-issuer", "x-user-roles"];

/// Where the value of an identity header comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The subject.
    Subject,
    /// The roles, joined by commas.
    Roles,
    /// The name of the issuer in the policy.
    Issuer,
    /// A claim, by the names of the members that lead to it; no header where the token lacks it.
    Claim(Vec<String>),
}

impl Default for Forwarding {
    fn default() -> Self {
        let sources = [Source::Subject, Source::Issuer, Source::Roles];
        let headers = USUAL.into_iter().map(Arc::from).zip(sources).collect();
        Self::new(headers, false, Vec::new())
    }
}

impl Forwarding {
    fn new(headers: Vec<(Arc<str>, Source)>, remove_token: bool, kept: Vec<String>) -> Self {
        let own = headers.iter().map(|(name, _)| &**name);
        let overrides = OVERRIDES.into_iter().filter(|name| !kept.iter().any(|kept| kept == name));
        let removed = FoldedNames::of(own.chain(USUAL).chain(overrides).map(str::to_owned));
        Self { headers, remove_token, kept, removed }
    }

    /// Where policies are told apart by host, the client tells upstreams of no other host.
    pub(super) fn remove_hosts(&mut self) {
        let removed = HOST_OVERRIDES.into_iter().filter(|name| !self.keeps(name)).map(str::to_owned);
        self.removed = self.removed.and(removed);
    }
}

pub(super) fn read(node: &Node<'_>, issuers: &[TrustedIssuer]) -> Option<Forwarding> {
    let Forward { headers, token, keep } = node.fields()?;
    let token = token.map(|node| node.word(&KEEP_OR_REMOVE));
    let kept = keep.map(|node| read_kept(&node));
    let headers = match &headers {
        Some(node) => read_headers(node, issuers),
        None => Some(Forwarding::default().headers),
    };
    Some(Forwarding::new(headers?, token.unwrap_or(Some(false))?, kept.unwrap_or_else(|| Some(Vec::new()))?))
}

fn read_headers(headers_node: &Node<'_>, issuers: &[TrustedIssuer]) -> Option<Vec<(Arc<str>, Source)>> {
    let entries = headers_node.entries()?;
    if entries.len() > MAX_HEADERS {
        headers_node.problem(format!("must name at most {MAX_HEADERS} headers"));
        return None;
    }
    let mut headers: Vec<(Arc<str>, Source)> = Vec::new();
    let mut complete = true;
    for (name, node) in entries {
        let name = read_name(name, &node);
        match (name, read_source(&node)) {
            (Some(name), Some(source)) => {
                if headers.iter().any(|(other, _)| **other == *name) {
                    node.problem("the same header in another spelling is there already");
                }
                headers.push((name.into(), source));
            }
            _ => complete = false,
        }
    }
    let has = |wanted: fn(&Source) -> bool| headers.iter().any(|(_, source)| wanted(source));
    let tells_who = has(|source| matches!(source, Source::Subject | Source::Claim(_)));
    if issuers.len() > 1 && complete && tells_who && !has(|source| *source == Source::Issuer) {
        headers_node.problem(
            "with several issuers the issuer must travel with the subject and with claims: add a header `{ from: issuer }` \
             (two issuers may use the same subject for two people)",
        );
    }
    let granted = |path: &[String]| issuers.iter().any(|trusted| trusted.issuer.claims.hold_granted(path));
    for (name, source) in &headers {
        if let Source::Claim(path) = source
            && granted(path)
        {
            headers_node.problem(format!(
                "`{name}` would hold roles that the issuer may not grant: write `{{ from: roles }}`"
            ));
        }
    }
    complete.then_some(headers)
}

/// What changes the request for some upstreams, and this upstream needs all the same.
fn read_kept(node: &Node<'_>) -> Option<Vec<String>> {
    let words: Vec<_> = KEEPABLE.iter().map(|name| (*name, *name)).collect();
    let names: Vec<_> = node.distinct_items(words.len())?.iter().map(|node| node.word(&words)).collect();
    names.into_iter().map(|name| name.map(str::to_owned)).collect()
}

fn read_name(name: &str, node: &Node<'_>) -> Option<String> {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let fine = !lower.is_empty()
        && lower.len() <= MAX_HEADER_NAME_BYTES
        && lower.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fine {
        node.problem(format!(
            "a header name must be 1 to {MAX_HEADER_NAME_BYTES} characters of a-z, 0-9 and `-`"
        ));
        return None;
    }
    let reserved = RESERVED.iter().chain(&OVERRIDES).any(|name| *name == lower);
    if reserved || RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        node.problem(format!("`{lower}` has a meaning of its own and cannot carry identity"));
        return None;
    }
    Some(lower)
}

fn read_source(node: &Node<'_>) -> Option<Source> {
    let IdentityHeader { from, claim } = node.fields()?;
    let from = from.map(|node| node.word(&FROM));
    let claim = claim.map(|node| claim_path(&node));
    match (from, claim) {
        (Some(from), None) => from.map(|from| match from {
            From::Subject => Source::Subject,
            From::Roles => Source::Roles,
            From::Issuer => Source::Issuer,
        }),
        (None, Some(claim)) => claim.map(Source::Claim),
        _ => {
            node.problem("must hold exactly one of `from` (subject, roles or issuer) and `claim` (a path such as [tenant, id])");
            None
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum From {
    Subject,
    Roles,
    Issuer,
}
