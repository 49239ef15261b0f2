//! `deny_list`: a file that says what has ended early, for an issuer that has no feed.

use sha2::{Digest as _, Sha256};

use super::keys::{DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS, read_jwks, read_uri};
use super::revocations::{
    Credential, MAX_STALE_AFTER_SECONDS, MIN_STALE_AFTER_SECONDS, WHEN_STALE, WhenStale, read_credential,
};
use crate::base64url;
use crate::issuer::Issuer;
use crate::keys::KeySet;
use crate::policy::Secrets;
use crate::policy::fields;
use crate::policy::read::Node;
use crate::revocations::deny_list::LIST_ALGORITHMS;

/// From an answer to the next fetch.
pub(in crate::policy) const MIN_LIST_REFRESH_SECONDS: u64 = 1;
pub(in crate::policy) const MAX_LIST_REFRESH_SECONDS: u64 = 3_600;
pub(in crate::policy) const DEFAULT_LIST_REFRESH_SECONDS: u64 = 5;
/// Whoever writes the file each minute may fail four times.
pub(in crate::policy) const DEFAULT_LIST_STALE_AFTER_SECONDS: u64 = 300;
/// A list takes its time on the way.
const SLACK_SECONDS: u64 = 3;

/// A deny list to fetch.
#[derive(Clone, Debug)]
pub struct DenyListSource {
    /// The Envoy cluster that serves it.
    pub cluster: String,
    /// `http` or `https`, for `:scheme`; whether TLS is spoken is the cluster's affair.
    pub scheme: String,
    /// `:authority`
    pub authority: String,
    /// `:path`
    pub path: String,
    /// What the server is shown, where it wants to be shown something.
    pub credential: Option<Credential>,
    /// The keys that must prove it. Without them it is plain.
    pub keys: Option<KeySet>,
    /// These keys as the policy has them.
    pinned: Option<String>,
    /// Seconds from an answer to the next fetch.
    pub refresh_seconds: u64,
    /// Milliseconds that an answer may take.
    pub timeout_ms: u32,
    /// How old what is known may be, in seconds.
    pub stale_after_seconds: u64,
    /// What then becomes of tokens, where a rule does not say.
    pub when_stale: WhenStale,
}

impl DenyListSource {
    /// What the keys of its objects in shared data begin with: a hash of all that says whose list it is, where it comes from and
    /// what proves it, so that two configurations never take each other's.
    #[must_use]
    pub fn shared_prefix(&self, issuer: &Issuer) -> String {
        let mut hash = Sha256::new();
        let iss = issuer.iss.as_deref().unwrap_or_default();
        let pinned = self.pinned.as_deref().unwrap_or_default();
        for part in [iss, &self.cluster, &self.scheme, &self.authority, &self.path, pinned] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        format!("bearward.deny_list.v1.{}", base64url::encode(&hash.finalize()))
    }
}

pub(super) fn read(node: &Node<'_>, has_iss: bool, secrets: &Secrets<'_>) -> Option<DenyListSource> {
    let fields::DenyList {
        cluster,
        uri,
        credential_env,
        keys,
        refresh_seconds,
        timeout_ms,
        stale_after_seconds,
        when_stale,
    } = node.fields()?;
    if !has_iss {
        node.problem("an issuer with a deny list needs `iss`: the list says whose tokens it is about");
    }
    let cluster = cluster.and_then(|node| node.text());
    let uri = uri.and_then(|node| read_uri(&node));
    let credential = credential_env.map(|node| read_credential(&node, secrets));
    let pinned = keys.as_ref().map(|node| node.value.to_string());
    let keys = keys.map(|node| {
        let fields::DenyListKeys { jwks } = node.fields()?;
        let jwks = jwks?;
        let keys = read_jwks(&jwks, Some(LIST_ALGORITHMS))?;
        if keys.is_empty() {
            jwks.problem("holds no key, so no list would ever be taken");
        }
        Some(keys)
    });
    let refresh = refresh_seconds
        .map(|node| node.whole_number(MIN_LIST_REFRESH_SECONDS..=MAX_LIST_REFRESH_SECONDS))
        .unwrap_or(Some(DEFAULT_LIST_REFRESH_SECONDS));
    let timeout = timeout_ms
        .map(|node| node.whole_number(MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS))
        .unwrap_or(Some(DEFAULT_TIMEOUT_MS));
    let stale_after = stale_after_seconds
        .map(|node| node.whole_number(MIN_STALE_AFTER_SECONDS..=MAX_STALE_AFTER_SECONDS))
        .unwrap_or(Some(DEFAULT_LIST_STALE_AFTER_SECONDS));
    if let (Some(refresh), Some(stale_after)) = (refresh, stale_after)
        && stale_after < refresh.saturating_add(SLACK_SECONDS)
    {
        node.problem(format!(
            "`stale_after_seconds` must be `refresh_seconds` and {SLACK_SECONDS} s at least: news come as rarely as that"
        ));
    }
    let when_stale = when_stale.and_then(|node| node.word(&WHEN_STALE));
    let (scheme, authority, path) = uri?;
    Some(DenyListSource {
        cluster: cluster?.to_owned(),
        scheme,
        authority,
        path,
        credential: credential.map_or(Some(None), |credential| credential.map(Some))?,
        keys: keys.map_or(Some(None), |keys| keys.map(Some))?,
        pinned,
        refresh_seconds: refresh?,
        timeout_ms: u32::try_from(timeout?).ok()?,
        stale_after_seconds: stale_after?,
        when_stale: when_stale?,
    })
}
