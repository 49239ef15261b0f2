//! `revocations`: the feed of what has ended early.

use std::fmt;

use sha2::{Digest, Sha256};

use super::keys::{is_variable_name, read_uri};
use crate::base64url;
use crate::issuer::Issuer;
use crate::keys::KeySet;
use crate::policy::Secrets;
use crate::policy::fields;
use crate::policy::read::Node;
use crate::revocations::answer;

/// How old what is known may be, in seconds.
pub(in crate::policy) const MIN_STALE_SECONDS: u64 = 5;
pub(in crate::policy) const MAX_STALE_SECONDS: u64 = 86_400;
pub(in crate::policy) const DEFAULT_STALE_SECONDS: u64 = 30;
/// A credential that is shorter is no random one, and one that is longer no header.
const MIN_CREDENTIAL_BYTES: usize = 32;
const MAX_CREDENTIAL_BYTES: usize = 1024;

/// What `when_stale` may say.
pub(in crate::policy) const WHEN_STALE: [(&str, WhenStale); 2] =
    [("reject", WhenStale::Reject), ("allow", WhenStale::Allow)];

/// What becomes of tokens while what is known of revocations is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenStale {
    /// 503.
    Reject,
    /// They are judged by what is known.
    Allow,
}

/// A feed to follow.
#[derive(Clone, Debug)]
pub struct RevocationFeed {
    /// The Envoy cluster that serves it.
    pub cluster: String,
    /// `http` or `https`, for `:scheme`; whether TLS is spoken is the cluster's affair.
    pub scheme: String,
    /// `:authority`
    pub authority: String,
    /// `:path`, without a query; that of its keys ends in `/keys` besides.
    pub path: String,
    /// What it is asked with.
    pub credential: FeedCredential,
    /// The keys that sign it, where the policy names them. Else they are fetched.
    pub keys: Option<KeySet>,
    /// How old what is known may be, in seconds.
    pub stale_after_seconds: u64,
    /// What becomes of tokens when it is older, where the rule does not say.
    pub when_stale: WhenStale,
}

/// A Bearer token (RFC 6750 section 2.1) that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedCredential(String);

impl FeedCredential {
    /// The value of the `authorization` header.
    #[must_use]
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for FeedCredential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FeedCredential")
    }
}

impl RevocationFeed {
    /// What the keys of its objects in shared data begin with: a format version, and a hash of all that says whose feed it is
    /// and where it comes from, so that two configurations never take each other's.
    #[must_use]
    pub fn shared_prefix(&self, issuer: &Issuer) -> String {
        let mut hash = Sha256::new();
        let iss = issuer.iss.as_deref().unwrap_or_default();
        for part in [iss, &self.cluster, &self.scheme, &self.authority, &self.path] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        format!("bearward.revocations.v1.{}", base64url::encode(&hash.finalize()))
    }
}

pub(super) fn read(node: &Node<'_>, secrets: &Secrets<'_>) -> Option<RevocationFeed> {
    let fields::Revocations { cluster, uri, credential_env, jwks, stale_after_seconds, when_stale } =
        node.fields()?;
    let cluster = cluster.and_then(|node| node.text());
    let uri = uri.and_then(|node| {
        let parts = read_uri(&node)?;
        if parts.2.contains('?') {
            node.problem("must have no query: what is asked is put there");
            return None;
        }
        Some(parts)
    });
    let credential = credential_env.and_then(|node| read_credential(&node, secrets));
    let keys = jwks.map(|node| read_keys(&node));
    let stale = stale_after_seconds.map(|node| node.whole_number(MIN_STALE_SECONDS..=MAX_STALE_SECONDS));
    let when_stale = when_stale.and_then(|node| node.word(&WHEN_STALE));
    let (scheme, authority, path) = uri?;
    Some(RevocationFeed {
        cluster: cluster?.to_owned(),
        scheme,
        authority,
        path,
        credential: credential?,
        keys: keys.map_or(Some(None), |keys| keys.map(Some))?,
        stale_after_seconds: stale.unwrap_or(Some(DEFAULT_STALE_SECONDS))?,
        when_stale: when_stale?,
    })
}

fn read_keys(node: &Node<'_>) -> Option<KeySet> {
    let Some(members) = node.value.as_object() else {
        node.problem("must be a JWK Set: an object with the member `keys`");
        return None;
    };
    let set = KeySet::from_members(members, answer::FEED_ALGORITHMS).map_err(|problems| {
        problems.iter().for_each(|problem| match problem.path() {
            Some(path) => node.problem_below(&path, &problem.text),
            None => node.problem(&problem.text),
        });
    });
    let set = set.ok()?;
    if set.is_empty() {
        node.problem("holds no key for EdDSA, which signs the feed");
        return None;
    }
    Some(set)
}

fn read_credential(node: &Node<'_>, secrets: &Secrets<'_>) -> Option<FeedCredential> {
    let name = node.text()?;
    if !is_variable_name(name) {
        // Not shown: perhaps it is the credential itself.
        node.problem(
            "must be the name of an environment variable, such as BEARWARD_FEED_TOKEN, never the credential itself",
        );
        return None;
    }
    let Some(credential) = secrets(name) else {
        node.problem(format!(
            "the environment variable `{name}` is not set in the filter's VM: \
             pass it on in the plugin's `vm_config.environment_variables`"
        ));
        return None;
    };
    let text = String::from_utf8(credential).ok().map(|text| text.trim_end_matches('\n').to_owned());
    let is_fine = |text: &String| {
        (MIN_CREDENTIAL_BYTES..=MAX_CREDENTIAL_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let credential = text.filter(is_fine);
    if credential.is_none() {
        node.problem(format!(
            "the credential in `{name}` must be {MIN_CREDENTIAL_BYTES} to {MAX_CREDENTIAL_BYTES} visible characters of ASCII"
        ));
    }
    credential.map(FeedCredential)
}
