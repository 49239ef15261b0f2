//! `revocations`: the feed of what an issuer has ended early.

use std::fmt;

use bearward_protocol::revocations::{FEED_KEYS_PATH, FEED_PATH, MAX_WAIT_SECONDS};
use sha2::{Digest as _, Sha256};

use super::keys::{read_jwks, read_secret, read_uri};
use crate::base64url;
use crate::issuer::Issuer;
use crate::keys::KeySet;
use crate::policy::Secrets;
use crate::policy::fields;
use crate::policy::read::Node;
use crate::revocations::answer::FEED_ALGORITHMS;

/// How long a request waits for news.
pub(in crate::policy) const MIN_WAIT_SECONDS: u64 = 1;
pub(in crate::policy) const DEFAULT_WAIT_SECONDS: u64 = MAX_WAIT_SECONDS;
/// How old what is known may be.
pub(in crate::policy) const MIN_STALE_AFTER_SECONDS: u64 = 4;
pub(in crate::policy) const MAX_STALE_AFTER_SECONDS: u64 = 86_400;
pub(in crate::policy) const DEFAULT_STALE_AFTER_SECONDS: u64 = 30;
/// An answer may say what was read two seconds before, and takes its time on the way.
const SLACK_SECONDS: u64 = 3;
/// What an answer may take beyond the time that it waits, in milliseconds.
pub const ANSWER_MS: u64 = 2_000;
/// The length of a credential, in bytes: what cannot be guessed, and what every server takes as a header.
const MIN_CREDENTIAL_BYTES: usize = 16;
const MAX_CREDENTIAL_BYTES: usize = 1024;

pub(in crate::policy) const WHEN_STALE: [(&str, WhenStale); 2] =
    [("reject", WhenStale::Reject), ("allow", WhenStale::Allow)];

/// A feed to follow.
#[derive(Clone, Debug)]
pub struct RevocationFeed {
    /// The Envoy cluster that serves it.
    pub cluster: String,
    /// `http` or `https`, for `:scheme`; whether TLS is spoken is the cluster's affair.
    pub scheme: String,
    /// `:authority`
    pub authority: String,
    /// `:path`, without query.
    pub path: String,
    /// What the issuer is shown.
    pub credential: Credential,
    /// The feed's keys, where they stand in the policy. Else they are fetched from [`RevocationFeed::keys_path`].
    pub keys: Option<KeySet>,
    /// These keys as the policy has them.
    pinned: Option<String>,
    /// How long a request waits for news, in seconds.
    pub wait_seconds: u64,
    /// How old what is known may be, in seconds.
    pub stale_after_seconds: u64,
    /// What then becomes of tokens, where a rule does not say.
    pub when_stale: WhenStale,
}

/// What becomes of tokens while what is known of revocations is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenStale {
    /// They are refused with 503.
    Reject,
    /// They are judged by what is known.
    Allow,
}

/// What the issuer is shown. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// The value of `Authorization` (RFC 6750 section 2.1).
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential")
    }
}

impl RevocationFeed {
    /// What the keys of its objects in shared data begin with: a hash of all that says whose feed it is, where it comes from and
    /// which keys prove it, so that two configurations never take each other's.
    #[must_use]
    pub fn shared_prefix(&self, issuer: &Issuer) -> String {
        let mut hash = Sha256::new();
        let iss = issuer.iss.as_deref().unwrap_or_default();
        let pinned = self.pinned.as_deref().unwrap_or_default();
        for part in [iss, &self.cluster, &self.scheme, &self.authority, &self.path, pinned] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        format!("bearward.feed.v2.{}", base64url::encode(&hash.finalize()))
    }

    /// The path of its JWK Set.
    #[must_use]
    pub fn keys_path(&self) -> String {
        format!("{}{}", self.path, FEED_KEYS_PATH.strip_prefix(FEED_PATH).unwrap_or_default())
    }

    /// How long a call may take that waits so many seconds for news, in milliseconds: that and an answer.
    #[must_use]
    pub fn timeout_ms(&self, wait_seconds: u64) -> u32 {
        u32::try_from(wait_seconds.saturating_mul(1_000).saturating_add(ANSWER_MS)).unwrap_or(u32::MAX)
    }
}

pub(super) fn read(
    node: &Node<'_>,
    accepts_missing_iss: bool,
    secrets: &Secrets<'_>,
) -> Option<RevocationFeed> {
    let fields::Revocations {
        cluster,
        uri,
        credential_env,
        keys,
        wait_seconds,
        stale_after_seconds,
        when_stale,
    } = node.fields()?;
    if accepts_missing_iss {
        node.problem("an issuer with a feed has tokens with `iss`: the feed is the issuer's of this name");
    }
    let cluster = cluster.and_then(|node| node.text());
    let uri = uri.and_then(|node| {
        let (scheme, authority, path) = read_uri(&node)?;
        if path.contains('?') {
            node.problem("must have no query: the filter writes its own");
            return None;
        }
        Some((scheme, authority, path))
    });
    let credential = credential_env.and_then(|node| read_credential(&node, secrets));
    let pinned = keys.as_ref().map(|node| node.value.to_string());
    let keys = keys.map(|node| {
        let fields::RevocationKeys { jwks } = node.fields()?;
        jwks.and_then(|node| read_jwks(&node, Some(FEED_ALGORITHMS)))
    });
    let wait = wait_seconds.map(|node| node.whole_number(MIN_WAIT_SECONDS..=MAX_WAIT_SECONDS));
    let wait = wait.unwrap_or(Some(DEFAULT_WAIT_SECONDS));
    let stale_after = stale_after_seconds
        .map(|node| node.whole_number(MIN_STALE_AFTER_SECONDS..=MAX_STALE_AFTER_SECONDS))
        .unwrap_or(Some(DEFAULT_STALE_AFTER_SECONDS));
    if let (Some(wait), Some(stale_after)) = (wait, stale_after)
        && stale_after < wait.saturating_add(SLACK_SECONDS)
    {
        node.problem(format!(
            "`stale_after_seconds` must be `wait_seconds` and {SLACK_SECONDS} s at least: while nothing ends, news come as \
             rarely as that"
        ));
    }
    let when_stale = when_stale.and_then(|node| node.word(&WHEN_STALE));
    let (scheme, authority, path) = uri?;
    Some(RevocationFeed {
        cluster: cluster?.to_owned(),
        scheme,
        authority,
        path,
        credential: credential?,
        keys: keys.map_or(Some(None), |keys| keys.map(Some))?,
        pinned,
        wait_seconds: wait?,
        stale_after_seconds: stale_after?,
        when_stale: when_stale?,
    })
}

pub(super) fn read_credential(node: &Node<'_>, secrets: &Secrets<'_>) -> Option<Credential> {
    let secret = read_secret(node, secrets)?;
    // A file often ends in a line feed, and so does what was made of it.
    let secret = secret.trim_ascii_end();
    let is_fine = (MIN_CREDENTIAL_BYTES..=MAX_CREDENTIAL_BYTES).contains(&secret.len())
        && secret.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(secret).ok().filter(|_| is_fine);
    if text.is_none() {
        node.problem(format!(
            "the credential must be {MIN_CREDENTIAL_BYTES} to {MAX_CREDENTIAL_BYTES} characters of visible ASCII"
        ));
    }
    text.map(|text| Credential(text.to_owned()))
}
