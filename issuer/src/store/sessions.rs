//! Sessions, and what a token of one may say.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{NewUser, Profile, Store, StoreError};
use crate::audit::{By, Event, Kind};
use crate::hashing::PasswordHash;
use crate::refresh::RefreshHash;
use crate::settings::SessionSettings;

/// The most live sessions of one user. The login that goes beyond ends the one that was used least recently: so every
/// session can be listed and ended, and what ends all of them has a bound.
pub(super) const MAX_SESSIONS: i64 = 100;

/// What was verified before a session may be opened.
pub(crate) struct Verified<'a> {
    pub(crate) user_id: Uuid,
    pub(crate) password_hash: &'a PasswordHash,
    pub(crate) user_version: i64,
}

/// A session to be.
pub(crate) struct Opening<'a> {
    pub(crate) session_id: Uuid,
    /// Of its first refresh token.
    pub(crate) refresh_hash: RefreshHash,
    pub(crate) lives: Lives,
    /// What opens it, for the trail.
    pub(crate) kind: Kind,
    pub(crate) client: &'a Client,
}

impl Opening<'_> {
    /// What its statement writes down.
    pub(super) fn event(&self, grant: &Grant) -> Event<'_> {
        let user_id = grant.user.id;
        By::user(user_id, self.client).did(self.kind).about(user_id).in_session(grant.session_id)
    }
}

/// How long lives what a session is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    pub(crate) access_seconds: u32,
    pub(crate) session: SessionSettings,
}

/// Who uses a session, as far as it says itself: shown to its user, and no decision rests on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
    /// The identifier of its request, for the trail.
    pub(crate) request_id: Option<String>,
}

/// All that a token says: read by the statement that opened or refreshed the session, by the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) user: Profile,
    pub(crate) session_id: Uuid,
    pub(crate) user_version: u64,
    pub(crate) epoch: u64,
    /// Seconds since the epoch.
    pub(crate) issued_at: u64,
    /// The token's `exp`, as it was written down for the session's revocation record. Seconds since the epoch.
    pub(crate) expires_at: u64,
    /// How long the refresh token may be used, in seconds.
    pub(crate) refresh_seconds: u64,
    /// How many signing keys had been retired by then: whoever signs must have heard of all of them.
    pub(crate) retired_keys: i64,
}

/// A session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedSession {
    pub(crate) id: Uuid,
    /// In the form of RFC 3339.
    pub(crate) created_at: String,
    /// The same.
    pub(crate) last_used_at: String,
    pub(crate) client: Client,
}

// Both statements fail, and undo what they did, where `issuer_state` has lost its row: the new session would have no
// epoch and no end, which its columns forbid. Otherwise a user would be created whose signup finds nothing to return.

impl Store {
    /// Opens a session for a user whose password was verified, if nothing has changed since.
    pub(crate) async fn open_session(
        &self,
        verified: &Verified<'_>,
        opening: &Opening<'_>,
    ) -> Result<Option<Grant>, StoreError> {
        let Some(Opened { grant, others }) = open(&self.pool, verified, opening).await? else {
            return Ok(None);
        };
        self.tell(&opening.event(&grant));
        if others >= MAX_SESSIONS
            && let Err(cause) = self.end_least_used_sessions(verified.user_id).await
        {
            // This login has succeeded; the next one ends one more.
            tracing::warn!(user_id = %verified.user_id, %cause, "a user has more sessions than may be");
        }
        Ok(Some(grant))
    }

    /// Creates a user and opens the first session. `None`: somebody has this e-mail already.
    pub(crate) async fn sign_up(
        &self,
        user: &NewUser<'_>,
        opening: &Opening<'_>,
    ) -> Result<Option<Grant>, StoreError> {
        let row = sqlx::query_as!(
            GrantRow,
            r#"WITH created AS (
                 INSERT INTO users (id, name, email, password_hash, roles) VALUES ($1, $2, $3, $4, ARRAY[$5::text])
                 ON CONFLICT (email) DO NOTHING
                 RETURNING id, name, email, roles, user_version
               ), opened AS (
                 INSERT INTO sessions (id, user_id, epoch, expires_at, greatest_exp, refresh_hash, address, user_agent)
                 SELECT $6, created.id, epoch, CASE WHEN epoch IS NOT NULL THEN now() + make_interval(secs => $7) END,
                        floor(extract(epoch FROM now()))::bigint + LEAST($7, $8)::bigint, $10, $11, $12
                 FROM created LEFT JOIN issuer_state ON true
                 RETURNING id, user_id, greatest_exp
               ), first_token AS (
                 INSERT INTO refresh_tokens (token_hash, session_id) SELECT $10, opened.id FROM opened
               ), audited AS (
                 INSERT INTO audit_events
                   (event, outcome, actor, actor_id, user_id, session_id, address, user_agent, request_id)
                 SELECT $13, 'success', 'user', user_id, user_id, opened.id, $11, $12, $14 FROM opened
               )
               SELECT created.id AS user_id, name, email, roles, user_version, opened.id AS session_id, epoch,
                      floor(extract(epoch FROM now()))::bigint AS "issued_at!", greatest_exp AS "expires_at!",
                      LEAST($7, $9)::bigint AS "refresh_seconds!",
                      (SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL) AS "retired_keys!"
               FROM created JOIN opened ON opened.user_id = created.id CROSS JOIN issuer_state"#,
            user.id,
            user.name.as_str(),
            user.email.as_str(),
            user.password_hash.as_str(),
            user.role,
            opening.session_id,
            f64::from(opening.lives.session.seconds),
            f64::from(opening.lives.access_seconds),
            f64::from(opening.lives.session.idle_seconds),
            opening.refresh_hash.as_bytes(),
            opening.client.address,
            opening.client.user_agent,
            opening.kind.as_str(),
            opening.client.request_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        let grant = row.map(Grant::try_from).transpose()?;
        if let Some(grant) = &grant {
            self.tell(&opening.event(grant));
        }
        Ok(grant)
    }

    /// The sessions of a user of which anything is still good, the one that was used last first.
    pub(crate) async fn list_sessions(
        &self,
        user_id: Uuid,
        lives: Lives,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id, address, user_agent,
                      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "created_at!",
                      to_char(last_used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "last_used_at!"
               FROM sessions CROSS JOIN issuer_state
               WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now()
                     AND sessions.epoch >= sessions_from_epoch
                     AND (last_used_at + make_interval(secs => $2) > now()
                          OR greatest_exp > extract(epoch FROM now()))
               ORDER BY sessions.last_used_at DESC, sessions.id
               LIMIT $3"#,
            user_id,
            f64::from(lives.session.idle_seconds),
            MAX_SESSIONS,
        )
        .fetch_all(&self.pool)
        .await?;
        let listed = rows.into_iter().map(|row| ListedSession {
            id: row.id,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            client: Client { address: row.address, user_agent: row.user_agent, request_id: None },
        });
        Ok(listed.collect())
    }
}

/// Hashing takes long enough for a password change, a logout everywhere or a disabling to happen meanwhile. So one
/// statement locks the user's row, demands the hash and the version that were verified, and reads what the token will
/// say: a change is either seen here, or it waits for this and ends the new session with the others. The line of the log is
/// left to whoever commits.
pub(super) async fn open(
    executor: impl PgExecutor<'_>,
    verified: &Verified<'_>,
    opening: &Opening<'_>,
) -> Result<Option<Opened>, StoreError> {
    let row = sqlx::query!(
        r#"WITH verified AS (
             SELECT id, name, email, roles, user_version FROM users
             WHERE id = $1 AND password_hash = $2 AND user_version = $3 AND disabled_at IS NULL
             FOR SHARE
           ), opened AS (
             INSERT INTO sessions (id, user_id, epoch, expires_at, greatest_exp, refresh_hash, address, user_agent)
             SELECT $4, verified.id, epoch, CASE WHEN epoch IS NOT NULL THEN now() + make_interval(secs => $5) END,
                    floor(extract(epoch FROM now()))::bigint + LEAST($5, $6)::bigint, $8, $9, $10
             FROM verified LEFT JOIN issuer_state ON true
             RETURNING id, user_id, greatest_exp
           ), first_token AS (
             INSERT INTO refresh_tokens (token_hash, session_id) SELECT $8, opened.id FROM opened
           ), audited AS (
             INSERT INTO audit_events
               (event, outcome, actor, actor_id, user_id, session_id, address, user_agent, request_id)
             SELECT $11, 'success', 'user', user_id, user_id, opened.id, $9, $10, $12 FROM opened
           )
           SELECT verified.id AS user_id, name, email, roles, user_version, opened.id AS session_id, epoch,
                  floor(extract(epoch FROM now()))::bigint AS "issued_at!", greatest_exp AS "expires_at!",
                  LEAST($5, $7)::bigint AS "refresh_seconds!",
                  (SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL) AS "retired_keys!",
                  (SELECT count(*) FROM sessions AS others
                   WHERE others.user_id = verified.id AND ended_at IS NULL AND expires_at > now()) AS "others!"
           FROM verified JOIN opened ON opened.user_id = verified.id CROSS JOIN issuer_state"#,
        verified.user_id,
        verified.password_hash.as_str(),
        verified.user_version,
        opening.session_id,
        f64::from(opening.lives.session.seconds),
        f64::from(opening.lives.access_seconds),
        f64::from(opening.lives.session.idle_seconds),
        opening.refresh_hash.as_bytes(),
        opening.client.address,
        opening.client.user_agent,
        opening.kind.as_str(),
        opening.client.request_id,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        let granted = GrantRow {
            user_id: row.user_id,
            name: row.name,
            email: row.email,
            roles: row.roles,
            user_version: row.user_version,
            session_id: row.session_id,
            epoch: row.epoch,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            refresh_seconds: row.refresh_seconds,
            retired_keys: row.retired_keys,
        };
        Ok(Opened { grant: Grant::try_from(granted)?, others: row.others })
    })
    .transpose()
}

/// A session that was opened.
pub(super) struct Opened {
    pub(super) grant: Grant,
    /// How many live sessions its user had before.
    others: i64,
}

/// What these statements return.
pub(super) struct GrantRow {
    pub(super) user_id: Uuid,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) roles: Vec<String>,
    pub(super) user_version: i64,
    pub(super) session_id: Uuid,
    pub(super) epoch: i64,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
    pub(super) refresh_seconds: i64,
    pub(super) retired_keys: i64,
}

impl TryFrom<GrantRow> for Grant {
    type Error = StoreError;

    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        let unsigned = |number: i64| u64::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()));
        Ok(Self {
            user: Profile { id: row.user_id, name: row.name, email: row.email, roles: row.roles },
            session_id: row.session_id,
            user_version: unsigned(row.user_version)?,
            epoch: unsigned(row.epoch)?,
            issued_at: unsigned(row.issued_at)?,
            expires_at: unsigned(row.expires_at)?,
            refresh_seconds: unsigned(row.refresh_seconds)?,
            retired_keys: row.retired_keys,
        })
    }
}
