//! Deleting what is over. Nothing that is deleted here counts any more, by the database's clock; so it does not matter
//! when, nor that several replicas do it.

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;

use super::{Store, StoreError};

/// How much longer than the leeway of every verifier a session's row outlives its tokens, in seconds.
const MARGIN_SECONDS: f64 = 60.0;
/// How long the name of a retired key is kept, in days: for whoever finds it in an old token or log.
const RETIRED_KEY_DAYS: i32 = 400;

/// What has a life, in the order in which it is purged: tokens before their sessions, so that no row takes an unbounded
/// number of others with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purged {
    /// Of sessions that are over, as the next says.
    RefreshTokens,
    /// Ended or expired, and nobody accepts a token of it any more.
    Sessions,
    /// Of which every token is expired for every verifier.
    Revocations,
    /// Expired: used ones are deleted when they are used.
    PasswordLinks,
    /// Counters that have run out. Whoever counts at this moment has locked his row, which then does not end.
    Throttle,
    /// Retired so long ago.
    SigningKeys,
    /// The same.
    FeedKeys,
    /// Older than so many days.
    AuditEvents { days: u32 },
}

impl Purged {
    /// The table.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::RefreshTokens => "refresh_tokens",
            Self::Sessions => "sessions",
            Self::Revocations => "revocations",
            Self::PasswordLinks => "password_links",
            Self::Throttle => "throttle",
            Self::SigningKeys => "signing_keys",
            Self::FeedKeys => "feed_keys",
            Self::AuditEvents { .. } => "audit_events",
        }
    }
}

impl Store {
    /// Deletes rows that are over, at most `limit`, and says how many. Rows that somebody works with are left for the
    /// next time.
    pub(crate) async fn purge(&self, purged: Purged, limit: u32) -> Result<u64, StoreError> {
        let limit = i64::from(limit);
        let query = match purged {
            Purged::RefreshTokens => sqlx::query!(
                "DELETE FROM refresh_tokens WHERE token_hash IN (
                   SELECT token_hash FROM sessions JOIN refresh_tokens ON session_id = sessions.id
                   WHERE (ended_at IS NOT NULL OR expires_at <= now())
                         AND COALESCE(to_timestamp(greatest_exp), expires_at) < now() - make_interval(secs => $2)
                   LIMIT $1
                   FOR UPDATE OF refresh_tokens SKIP LOCKED)",
                limit,
                margin(),
            ),
            Purged::Sessions => sqlx::query!(
                "DELETE FROM sessions WHERE id IN (
                   SELECT id FROM sessions
                   WHERE (ended_at IS NOT NULL OR expires_at <= now())
                         AND COALESCE(to_timestamp(greatest_exp), expires_at) < now() - make_interval(secs => $2)
                         AND NOT EXISTS (SELECT FROM refresh_tokens WHERE session_id = sessions.id)
                   LIMIT $1
                   FOR UPDATE SKIP LOCKED)",
                limit,
                margin(),
            ),
            Purged::Revocations => sqlx::query!(
                "DELETE FROM revocations WHERE sequence IN (
                   SELECT sequence FROM revocations WHERE ends_at < extract(epoch FROM now())
                   ORDER BY ends_at LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
            ),
            Purged::PasswordLinks => sqlx::query!(
                "DELETE FROM password_links WHERE token_hash IN (
                   SELECT token_hash FROM password_links WHERE expires_at <= now()
                   LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
            ),
            Purged::Throttle => sqlx::query!(
                "DELETE FROM throttle WHERE key IN (
                   SELECT key FROM throttle WHERE ends_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
            ),
            Purged::SigningKeys => sqlx::query!(
                "DELETE FROM signing_keys WHERE kid IN (
                   SELECT kid FROM signing_keys WHERE retired_at < now() - make_interval(days => $2)
                   LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
                RETIRED_KEY_DAYS,
            ),
            Purged::FeedKeys => sqlx::query!(
                "DELETE FROM feed_keys WHERE kid IN (
                   SELECT kid FROM feed_keys WHERE retired_at < now() - make_interval(days => $2)
                   LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
                RETIRED_KEY_DAYS,
            ),
            Purged::AuditEvents { days } => sqlx::query!(
                "DELETE FROM audit_events WHERE id IN (
                   SELECT id FROM audit_events WHERE at < now() - make_interval(days => $2)
                   ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED)",
                limit,
                i32::try_from(days).unwrap_or(i32::MAX),
            ),
        };
        Ok(query.execute(&self.pool).await?.rows_affected())
    }
}

fn margin() -> f64 {
    let leeway = u32::try_from(MAX_LEEWAY_SECONDS).unwrap_or(u32::MAX);
    f64::from(leeway) + MARGIN_SECONDS
}
