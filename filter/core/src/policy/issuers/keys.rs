//! `keys`: where the keys of an issuer come from.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::issuer::Issuer;
use crate::keys::{KeySet, Secret, SecretError, UNDECIDED};
use crate::policy::Secrets;
use crate::policy::fields;
use crate::policy::read::Node;

/// The most secrets that an issuer may have: each costs a hash where a token names none.
pub(in crate::policy) const MAX_SECRETS: usize = 4;
/// Fewer different bytes than this are no random secret.
const MIN_DISTINCT_BYTES: usize = 8;
/// The longest name of an environment variable.
pub(in crate::policy) const MAX_VARIABLE_NAME_BYTES: usize = 128;

/// From a good answer to the next fetch of a JWK Set, and how long an answer may take.
pub(in crate::policy) const MIN_REFRESH_SECONDS: u64 = 10;
pub(in crate::policy) const MAX_REFRESH_SECONDS: u64 = 86_400;
pub(in crate::policy) const DEFAULT_REFRESH_SECONDS: u64 = 300;
pub(in crate::policy) const MIN_TIMEOUT_MS: u64 = 100;
pub(in crate::policy) const MAX_TIMEOUT_MS: u64 = 10_000;
pub(in crate::policy) const DEFAULT_TIMEOUT_MS: u64 = 2000;
pub(in crate::policy) const MAX_WAIT_MS: u64 = 10_000;
pub(in crate::policy) const DEFAULT_WAIT_MS: u64 = 2000;

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

pub(super) fn read(
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

pub(super) fn read_uri(node: &Node<'_>) -> Option<(String, String, String)> {
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

pub(super) fn read_jwks(node: &Node<'_>, algorithms: Option<&[AlgorithmName]>) -> Option<KeySet> {
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
        let secret = read_secret(node, secrets)?;
        let name = node.text()?;
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

/// What the variable holds whose name stands here.
pub(super) fn read_secret(node: &Node<'_>, secrets: &Secrets<'_>) -> Option<Vec<u8>> {
    let name = node.text()?;
    if !is_variable_name(name) {
        // Not shown: perhaps it is the secret itself.
        node.problem(
            "must be the name of an environment variable, such as JWT_SECRET, never the secret itself",
        );
        return None;
    }
    let secret = secrets(name);
    if secret.is_none() {
        node.problem(format!(
            "the environment variable `{name}` is not set in the filter's VM: \
             pass it on in the plugin's `vm_config.environment_variables`"
        ));
    }
    secret
}

fn is_variable_name(name: &str) -> bool {
    name.len() <= MAX_VARIABLE_NAME_BYTES
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
