//! `issuers`: whom to trust, for what, with which keys.

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::Secrets;
use super::fields;
use super::read::Node;
use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::claims::is_role;
use crate::issuer::{ClaimMapping, DEFAULT_LEEWAY_SECONDS, Grants, Issuer, Separator, normalized_type};
use crate::keys::{KeySet, Secret, SecretError, UNDECIDED};

/// The most issuers that one policy may trust.
pub(super) const MAX_ISSUERS: usize = 32;
/// The most secrets that an issuer may have: each costs a hash where a token names none.
pub(super) const MAX_SECRETS: usize = 4;
/// Fewer different bytes than this are no random secret.
const MIN_DISTINCT_BYTES: usize = 8;
/// The most words in a list, roles among them.
pub(super) const MAX_WORDS: usize = 256;
/// The deepest path to a claim.
pub(super) const MAX_CLAIM_PATH: usize = 8;
/// The longest name of an issuer.
const MAX_NAME: usize = 32;
/// The longest name of an environment variable.
pub(super) const MAX_VARIABLE_NAME_BYTES: usize = 128;

/// From a good answer to the next fetch of a JWK Set, and how long an answer may take.
pub(super) const MIN_REFRESH_SECONDS: u64 = 10;
pub(super) const MAX_REFRESH_SECONDS: u64 = 86_400;
pub(super) const DEFAULT_REFRESH_SECONDS: u64 = 300;
pub(super) const MIN_TIMEOUT_MS: u64 = 100;
pub(super) const MAX_TIMEOUT_MS: u64 = 10_000;
pub(super) const DEFAULT_TIMEOUT_MS: u64 = 2000;
pub(super) const MAX_WAIT_MS: u64 = 10_000;
pub(super) const DEFAULT_WAIT_MS: u64 = 2000;

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
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// They stand in the document or the environment.
    Fixed(KeySet),
    /// They are fetched.
    Remote(RemoteKeys),
}

/// A JWK Set to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteKeys {
    /// The Envoy cluster that serves it.
    pub cluster: String,
    /// `http` or `https`, for `:scheme`; whether TLS is spoken is the cluster's affair.
    pub scheme: String,
    /// `:authority`
    pub authority: String,
    /// `:path`
    pub path: String,
    /// Seconds from a good answer to the next fetch.
    pub refresh_seconds: u64,
    /// Milliseconds that an answer may take.
    pub timeout_ms: u32,
    /// Milliseconds that a request waits at most for a key that is not in the set.
    pub wait_ms: u64,
}

impl RemoteKeys {
    /// Under which key the set stands in data that several VMs share: a format version, and a hash of all that says
    /// whose set it is and where it comes from, so that two configurations never take each other's keys.
    #[must_use]
    pub fn shared_key(&self, issuer: &Issuer) -> String {
        let mut hash = Sha256::new();
        for part in [
            issuer.iss.as_deref().unwrap_or_default(),
            &self.cluster,
            &self.scheme,
            &self.authority,
            &self.path,
        ] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        format!("bearward.jwks.v1.{}", base64url::encode(&hash.finalize()))
    }
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
    let keys = keys.and_then(|node| read_keys(&node, algorithms.as_deref(), accept_missing_iss, secrets));
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
    };
    Some(TrustedIssuer { name: name.to_owned(), issuer, keys: keys? })
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Iss,
    Aud,
}

fn read_keys(
    node: &Node<'_>,
    algorithms: Option<&[AlgorithmName]>,
    accepts_missing_iss: bool,
    secrets: &Secrets<'_>,
) -> Option<KeySource> {
    let fields::Keys { remote, jwks, secrets_env } = node.fields()?;
    let symmetric = secrets_env.is_some();
    if algorithms.is_some_and(|listed| listed.iter().any(|algorithm| algorithm.is_symmetric() != symmetric)) {
        node.problem(
            "HS256, HS384 and HS512 go with `secrets_env`, all other algorithms with `remote` or `jwks`; \
             one issuer has keys of one kind only",
        );
    }
    match (remote, jwks, secrets_env) {
        (Some(remote), None, None) => {
            if accepts_missing_iss {
                remote.problem("an issuer that accepts tokens without `iss` needs `jwks` or `secrets_env`: keys that no network brings");
            }
            read_remote(&remote).map(KeySource::Remote)
        }
        (None, Some(jwks), None) => read_jwks(&jwks, algorithms).map(KeySource::Fixed),
        (None, None, Some(names)) => read_secrets(&names, algorithms, secrets).map(KeySource::Fixed),
        _ => {
            node.problem("must hold exactly one of `remote`, `jwks`, `secrets_env`");
            None
        }
    }
}

fn read_remote(node: &Node<'_>) -> Option<RemoteKeys> {
    let fields::Remote { cluster, uri, refresh_seconds, timeout_ms, wait_ms } = node.fields()?;
    let cluster = cluster.and_then(|node| node.text());
    let uri = uri.and_then(|node| read_uri(&node));
    let refresh = refresh_seconds.map(|node| node.whole_number(MIN_REFRESH_SECONDS..=MAX_REFRESH_SECONDS));
    let timeout = timeout_ms.map(|node| node.whole_number(MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS));
    let wait = wait_ms.map(|node| node.whole_number(0..=MAX_WAIT_MS));
    let (scheme, authority, path) = uri?;
    Some(RemoteKeys {
        cluster: cluster?.to_owned(),
        scheme,
        authority,
        path,
        refresh_seconds: refresh.unwrap_or(Some(DEFAULT_REFRESH_SECONDS))?,
        timeout_ms: u32::try_from(timeout.unwrap_or(Some(DEFAULT_TIMEOUT_MS))?).ok()?,
        wait_ms: wait.unwrap_or(Some(DEFAULT_WAIT_MS))?,
    })
}

fn read_uri(node: &Node<'_>) -> Option<(String, String, String)> {
    let uri = node.text()?;
    let parts = uri.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let fine = matches!(scheme, "http" | "https")
            && !authority.is_empty()
            && !authority.contains('@')
            && uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        fine.then(|| (scheme.to_owned(), authority.to_owned(), path))
    });
    if parts.is_none() {
        node.problem("must be an absolute http or https URI without user and fragment");
    }
    parts
}

fn read_jwks(node: &Node<'_>, algorithms: Option<&[AlgorithmName]>) -> Option<KeySet> {
    let Some(members) = node.value.as_object() else {
        node.problem("must be a JWK Set: an object with the member `keys`");
        return None;
    };
    // Where `algorithms` itself is wrong, keys of every kind are looked at all the same.
    let set = KeySet::from_members(members, algorithms.unwrap_or(AlgorithmName::ALL))
        .map_err(|problems| {
            problems.iter().for_each(|problem| match problem.path() {
                Some(path) => node.problem_below(&path, &problem.text),
                None => node.problem(&problem.text),
            });
        })
        .ok()?;
    // What an issuer publishes is skipped; what stands here can be set right.
    if algorithms.is_some() && set.undecided() > 0 {
        node.problem(UNDECIDED);
    }
    Some(set)
}

fn read_secrets(
    node: &Node<'_>,
    algorithms: Option<&[AlgorithmName]>,
    secrets: &Secrets<'_>,
) -> Option<KeySet> {
    let listed = algorithms.unwrap_or_default().iter().copied();
    let mut symmetric = listed.filter(|algorithm| algorithm.is_symmetric());
    // Where there is none, `algorithms` itself is wrong, and the secrets are looked at all the same.
    let algorithm = symmetric.next().unwrap_or(AlgorithmName::Hs256);
    if symmetric.next().is_some() {
        node.problem(
            "a secret is for one algorithm (RFC 8725 section 3.1): list only one of HS256, HS384 and HS512",
        );
    }
    let names = node.distinct_items(MAX_SECRETS)?;
    let read = |node: &Node<'_>| {
        let name = node.text()?;
        if !is_variable_name(name) {
            // Not shown: perhaps it is the secret itself.
            node.problem(
                "must be the name of an environment variable, such as JWT_SECRET, never the secret itself",
            );
            return None;
        }
        let Some(secret) = secrets(name) else {
            node.problem(format!(
                "the environment variable `{name}` is not set in the filter's VM: \
                 pass it on in the plugin's `vm_config.environment_variables`"
            ));
            return None;
        };
        let usable = match Secret::new(algorithm, &secret) {
            Ok(usable) => usable,
            Err(SecretError::TooShort(bound)) => {
                let (min, name_of) = (bound.min_bytes, algorithm.as_str());
                node.problem(format!(
                    "the secret in `{name}` is shorter than {min} bytes, which {name_of} needs"
                ));
                return None;
            }
            Err(SecretError::NotSymmetric) => return None,
        };
        let distinct: BTreeSet<u8> = secret.iter().copied().collect();
        if distinct.len() < MIN_DISTINCT_BYTES {
            node.problem(format!(
                "the secret in `{name}` can be guessed: make it of at least 32 random bytes"
            ));
            return None;
        }
        Some(usable)
    };
    let found: Vec<_> = names.iter().map(read).collect();
    Some(KeySet::from_secrets(found.into_iter().collect::<Option<_>>()?))
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

fn is_variable_name(name: &str) -> bool {
    name.len() <= MAX_VARIABLE_NAME_BYTES
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
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
