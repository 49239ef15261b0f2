//! `issuers`: whom to trust, and for what. Where the keys come from is read in [`keys`].

pub(super) mod deny_list;
pub(super) mod keys;
pub(super) mod revocations;

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;

use super::Secrets;
use super::fields;
use super::read::Node;
use crate::algorithm::AlgorithmName;
use crate::claims::is_role;
use crate::issuer::{ClaimMapping, DEFAULT_LEEWAY_SECONDS, Grants, Issuer, Separator, normalized_type};
use deny_list::DenyListSource;
use keys::KeySource;
use revocations::RevocationFeed;

/// The most issuers that one policy may trust.
pub(super) const MAX_ISSUERS: usize = 32;
/// The most words in a list, roles among them.
pub(super) const MAX_WORDS: usize = 256;
/// The deepest path to a claim.
pub(super) const MAX_CLAIM_PATH: usize = 8;
/// The longest name of an issuer.
const MAX_NAME: usize = 32;

/// The claims that `accept_missing` may name.
pub(super) const MISSING: [(&str, Missing); 2] = [("iss", Missing::Iss), ("aud", Missing::Aud)];

/// What may stand between the roles of one string.
pub(super) const SEPARATORS: [(&str, Separator); 2] =
    [("none", Separator::None), ("space", Separator::Space)];

/// The names that `algorithms` may list.
pub(super) const ALGORITHMS: [(&str, AlgorithmName); AlgorithmName::ALL.len() + 1] = algorithms();

/// An issuer of the document.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// The name in the document, in logs and metrics: `[a-z0-9_-]{1,32}`.
    pub name: String,
    /// What its tokens must be.
    pub issuer: Issuer,
    /// Where its keys come from.
    pub keys: KeySource,
    /// Where it says what has ended early, where it does.
    pub revocations: Option<RevocationFeed>,
    /// The list of what has ended early, where it has no such feed and somebody else says it.
    pub deny_list: Option<DenyListSource>,
}

pub(super) fn read(node: &Node<'_>, secrets: &Secrets<'_>) -> Option<Vec<TrustedIssuer>> {
    let entries = node.entries()?;
    if entries.is_empty() || entries.len() > MAX_ISSUERS {
        node.problem(format!("must name 1 to {MAX_ISSUERS} issuers"));
        return None;
    }
    let count = entries.len();
    let issuers: Vec<_> =
        entries.iter().map(|(name, entry)| read_one(name, entry, count > 1, secrets)).collect();
    let issuers: Vec<_> = issuers.into_iter().collect::<Option<_>>()?;
    check_together(node, &issuers);
    Some(issuers)
}

/// Which issuer a token is judged by must never be a matter of order.
fn check_together(node: &Node<'_>, issuers: &[TrustedIssuer]) {
    for (index, one) in issuers.iter().enumerate() {
        for earlier in issuers.iter().take(index) {
            if one.issuer.iss.is_some() && one.issuer.iss == earlier.issuer.iss {
                node.problem(format!(
                    "`{}` and `{}` have the same `iss`: a token must have one issuer",
                    earlier.name, one.name
                ));
            }
            if let Some(role) = both_grant(&one.issuer, &earlier.issuer) {
                node.problem(format!(
                    "`{}` and `{}` could both grant `{role}`: no `role_prefix` may begin with another, nor a granted role \
                     with another issuer's prefix",
                    earlier.name, one.name
                ));
            }
            if one.issuer.accept_missing_iss && earlier.issuer.accept_missing_iss {
                node.problem(format!(
                    "`{}` and `{}` both accept tokens without `iss`: at most one issuer may",
                    earlier.name, one.name
                ));
            }
        }
    }
}

/// A role, or the beginning of one, that both issuers could grant by way of a prefix.
fn both_grant<'a>(one: &'a Issuer, other: &'a Issuer) -> Option<&'a str> {
    match (&one.claims.grants, &other.claims.grants) {
        (Grants::Prefixed(one), Grants::Prefixed(other)) if one.starts_with(other.as_str()) => Some(one),
        (Grants::Prefixed(one), Grants::Prefixed(other)) if other.starts_with(one.as_str()) => Some(other),
        (Grants::Prefixed(prefix), Grants::Listed(roles))
        | (Grants::Listed(roles), Grants::Prefixed(prefix)) => {
            roles.iter().map(String::as_str).find(|role| role.starts_with(prefix.as_str()))
        }
        _ => None,
    }
}

fn read_one(name: &str, node: &Node<'_>, several: bool, secrets: &Secrets<'_>) -> Option<TrustedIssuer> {
    check_name(name, MAX_NAME, node);
    let fields::Issuer {
        iss,
        audiences,
        algorithms,
        token_types,
        leeway_seconds: leeway,
        keys,
        claims,
        revocations,
        deny_list,
        accept_missing,
    } = node.fields()?;
    let accept = accept_missing.and_then(|node| words(&node, &MISSING)).unwrap_or_default();
    let (accept_missing_iss, accept_missing_aud) =
        (accept.contains(&Missing::Iss), accept.contains(&Missing::Aud));
    if !accept_missing_iss {
        node.demand::<fields::Issuer<'_>>("iss");
    }
    if !accept_missing_aud {
        node.demand::<fields::Issuer<'_>>("audiences");
    }
    let iss = iss.and_then(|node| node.text().map(str::to_owned));
    let audiences = audiences.and_then(|node| texts(&node));
    let algorithms = algorithms.and_then(|node| words(&node, &ALGORITHMS));
    let token_types = token_types.and_then(|node| texts(&node));
    let leeway = leeway.map(|node| node.whole_number(0..=MAX_LEEWAY_SECONDS));
    let keys = keys.and_then(|node| keys::read(&node, algorithms.as_deref(), accept_missing_iss, secrets));
    let (has_feed, has_deny_list) = (revocations.is_some(), deny_list.is_some());
    if has_feed && has_deny_list {
        node.problem(
            "`revocations` and `deny_list` exclude each other: there is one truth about what has ended",
        );
    }
    let deny_list = deny_list.map(|node| deny_list::read(&node, iss.is_some(), secrets));
    let revocations = revocations.map(|node| revocations::read(&node, accept_missing_iss, secrets));
    let claims = match claims {
        Some(node) => read_claims(&node),
        None => Some(ClaimMapping::default()),
    };
    if several && claims.as_ref().is_some_and(|claims| claims.grants == Grants::Any) {
        node.problem(
            "with several issuers each needs `claims.role_prefix` or `claims.granted_roles`: \
             else one issuer's `admin` is every issuer's",
        );
    }
    let issuer = Issuer {
        iss,
        accept_missing_iss,
        accept_missing_aud,
        audiences: audiences.unwrap_or_default(),
        algorithms: algorithms?,
        token_types: token_types?.iter().map(|typ| normalized_type(typ)).collect(),
        leeway_seconds: leeway.unwrap_or(Some(DEFAULT_LEEWAY_SECONDS))?,
        claims: claims?,
        has_feed,
        has_deny_list,
    };
    let revocations = revocations.map_or(Some(None), |feed| feed.map(Some))?;
    let deny_list = deny_list.map_or(Some(None), |list| list.map(Some))?;
    Some(TrustedIssuer { name: name.to_owned(), issuer, keys: keys?, revocations, deny_list })
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Iss,
    Aud,
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which has no iterators there")]
const fn algorithms() -> [(&'static str, AlgorithmName); AlgorithmName::ALL.len() + 1] {
    let mut words = [(AlgorithmName::ED25519, AlgorithmName::EdDsa); AlgorithmName::ALL.len() + 1];
    let mut index = 0;
    while index < AlgorithmName::ALL.len() {
        let name = AlgorithmName::ALL[index];
        words[index] = (name.as_str(), name);
        index += 1;
    }
    words
}

fn read_claims(node: &Node<'_>) -> Option<ClaimMapping> {
    let fields::Claims { subject, roles, role_separator, role_prefix, granted_roles } = node.fields()?;
    let defaults = ClaimMapping::default();
    let subject = subject.map(|node| claim_path(&node));
    let roles = roles.map(|node| claim_path(&node));
    let separator = role_separator.map(|node| node.word(&SEPARATORS));
    let prefix = role_prefix.map(|node| role(&node));
    let granted = granted_roles.as_ref().map(read_roles);
    let grants = match (prefix, granted) {
        (None, None) => Some(Grants::Any),
        (Some(prefix), None) => prefix.map(Grants::Prefixed),
        (None, Some(granted)) => granted.map(Grants::Listed),
        (Some(_), Some(_)) => {
            node.problem("`role_prefix` and `granted_roles` exclude each other");
            None
        }
    };
    let mapping = ClaimMapping {
        subject: subject.unwrap_or(Some(defaults.subject))?,
        roles: roles.unwrap_or(Some(defaults.roles))?,
        separator: separator.unwrap_or(Some(defaults.separator))?,
        grants: grants?,
    };
    if let (Some(node), Grants::Listed(listed)) = (&granted_roles, &mapping.grants) {
        for role in listed.iter().filter(|role| !mapping.could_hold(role)) {
            node.problem(format!(
                "no token has the role `{role}`: with `role_separator: space` it would be several"
            ));
        }
    }
    Some(mapping)
}

pub(super) fn claim_path(node: &Node<'_>) -> Option<Vec<String>> {
    let steps = node.items()?;
    if steps.is_empty() || steps.len() > MAX_CLAIM_PATH {
        node.problem(format!(
            "must be a list of 1 to {MAX_CLAIM_PATH} member names, such as [realm_access, roles]"
        ));
        return None;
    }
    steps.iter().map(|step| step.text().map(str::to_owned)).collect()
}

pub(super) fn read_roles(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.distinct_items(MAX_WORDS)?;
    let roles: Vec<_> = items.iter().map(role).collect();
    roles.into_iter().collect()
}

fn role(node: &Node<'_>) -> Option<String> {
    let role = node.text()?;
    if !is_role(role) {
        node.problem(
            "a role must be at most 128 bytes, without comma, control character and space at its ends",
        );
        return None;
    }
    Some(role.to_owned())
}

fn texts(node: &Node<'_>) -> Option<Vec<String>> {
    let items: Vec<_> =
        node.distinct_items(MAX_WORDS)?.iter().map(|item| item.text().map(str::to_owned)).collect();
    items.into_iter().collect()
}

fn words<T: Copy>(node: &Node<'_>, words: &[(&str, T)]) -> Option<Vec<T>> {
    let items: Vec<_> = node.distinct_items(MAX_WORDS)?.iter().map(|item| item.word(words)).collect();
    items.into_iter().collect()
}

/// Names stand in metrics and logs.
pub(super) fn check_name(name: &str, longest: usize, node: &Node<'_>) {
    let fine = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    if name.is_empty() || name.len() > longest || !fine {
        node.problem(format!("the name must be 1 to {longest} characters of a-z, 0-9, `_` and `-`"));
    }
}
