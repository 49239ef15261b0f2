//! Refresh: one statement that decides and rotates.

use std::time::Duration;

use uuid::Uuid;

use super::sessions::GrantRow;
use super::throttle::Pace;
use super::{Client, Grant, Lives, Store, StoreError};
use crate::audit::{By, Kind};
use crate::refresh::RefreshHash;
use crate::throttle::Limit;

/// How long a client whose answer was lost may ask again, in seconds by the database's clock.
const RETRY_SECONDS: f64 = 10.0;

/// A refresh token that was presented, and the one that would follow it.
pub(crate) struct Presented {
    pub(crate) token: RefreshHash,
    pub(crate) successor: RefreshHash,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The successor is the session's refresh token from now on, or was already and nobody has used it.
    Granted(Grant),
    /// Not to be used: for the log, why. Nobody's is what is unknown.
    Refused { why: RefreshRefusal, whose: Option<Whose> },
    /// It was used before, and more than a lost answer explains: somebody else has it, or had.
    Reused(Whose),
    /// It is good, and stays so: but its session was refreshed too often, and so long it has to wait.
    TooOften { whose: Whose, wait: Duration },
}

/// The session of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Uuid,
}

/// Why a refresh token is refused. For the log alone: clients get one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshRefusal {
    Unknown,
    Disabled,
    Ended,
    Expired,
}

impl RefreshRefusal {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Ended => "ended",
            Self::Expired => "expired",
        }
    }
}

impl Store {
    /// Exchanges a refresh token, and reads what the new access token will say. Only that is written down: what is
    /// refused changes nothing, and is left to whoever counts it first.
    ///
    /// The rows of user and session are locked, in that order, as everything that ends sessions does. What is decided
    /// stands in these two rows, which are read as they are once they are locked; so of any number of requests with one
    /// token the first rotates, and the others see that it did. The clock is asked after the locks.
    ///
    /// Every value that is written comes from the locked rows, too: PostgreSQL computes an update on the row that the
    /// statement saw when it began, holds that against the table's constraints, and only then looks for the newest one.
    ///
    /// Of the exchanges of one session no more take place than `limit` lets, the repeated ones among them.
    pub(crate) async fn refresh(
        &self,
        presented: &Presented,
        lives: Lives,
        limit: Option<Limit>,
        client: &Client,
    ) -> Result<Refreshed, StoreError> {
        let pace = limit.map(Pace::of);
        let row = sqlx::query!(
            r#"WITH presented AS (
                 SELECT users.id AS user_id, name, email, roles, user_version, disabled_at, sessions.id AS session_id,
                        ended_at, expires_at, last_used_at, sessions.epoch AS session_epoch, greatest_exp, refresh_hash, sessions.predecessor_hash,
                        rotated_at, refreshes_until
                 FROM refresh_tokens
                 JOIN sessions ON sessions.id = refresh_tokens.session_id
                 JOIN users ON users.id = sessions.user_id
                 WHERE refresh_tokens.token_hash = $1
                 FOR SHARE OF users FOR NO KEY UPDATE OF sessions
               ), moment AS MATERIALIZED (
                 SELECT *, clock_timestamp() AS moment FROM presented
               ), judged AS MATERIALIZED (
                 SELECT *,
                        floor(extract(epoch FROM moment))::bigint AS issued_at,
                        LEAST(floor(extract(epoch FROM moment)) + $3::float8, floor(extract(epoch FROM expires_at)))::bigint
                          AS exp,
                        LEAST($4::float8, floor(extract(epoch FROM expires_at - moment)))::bigint AS refresh_seconds,
                        CASE
                          WHEN epoch IS NULL THEN 'no epoch'
                          WHEN disabled_at IS NOT NULL THEN 'disabled'
                          WHEN ended_at IS NOT NULL OR session_epoch < sessions_from_epoch THEN 'ended'
                          WHEN expires_at <= moment OR last_used_at + make_interval(secs => $4) <= moment
                            THEN 'expired'
                          WHEN refresh_hash = $1 THEN CASE WHEN over THEN 'too_often' ELSE 'rotate' END
                          WHEN predecessor_hash = $1 AND refresh_hash = $2
                               AND moment < rotated_at + make_interval(secs => $5)
                            THEN CASE WHEN over THEN 'too_often' ELSE 'repeat' END
                          ELSE 'reused'
                        END AS outcome
                 FROM moment
                 CROSS JOIN LATERAL (
                   SELECT LEAST(GREATEST(refreshes_until, moment), moment + $11::bigint * interval '1 microsecond')
                 ) AS until (ahead)
                 CROSS JOIN LATERAL (
                   SELECT ahead > moment + $10::bigint * interval '1 microsecond' IS TRUE
                 ) AS beyond (over)
                 LEFT JOIN issuer_state ON true
               ), session AS (
                 UPDATE sessions
                 SET last_used_at = moment, address = $6, user_agent = $7, greatest_exp = GREATEST(judged.greatest_exp, exp),
                     refresh_hash = $2, predecessor_hash = $1,
                     rotated_at = CASE outcome WHEN 'rotate' THEN moment ELSE judged.rotated_at END,
                     refreshes_until = ahead + $9::bigint * interval '1 microsecond'
                 FROM judged WHERE sessions.id = judged.session_id AND outcome IN ('rotate', 'repeat')
               ), used AS (
                 UPDATE refresh_tokens SET used_at = moment FROM judged WHERE token_hash = $1 AND outcome = 'rotate'
               ), successor AS (
                 INSERT INTO refresh_tokens (token_hash, session_id, predecessor_hash, created_at)
                 SELECT $2, session_id, $1, moment FROM judged WHERE outcome = 'rotate'
               ), audited AS (
                 INSERT INTO audit_events
                   (event, outcome, cause, actor, actor_id, user_id, session_id, address, user_agent, request_id)
                 SELECT 'refresh', 'success', NULLIF(outcome, 'rotate'), 'user', user_id, user_id, session_id, $6, $7, $8
                 FROM judged WHERE outcome IN ('rotate', 'repeat')
               )
               SELECT user_id AS "user_id!", name AS "name!", email AS "email!", roles AS "roles!",
                      user_version AS "user_version!", session_id AS "session_id!", epoch AS "epoch?",
                      issued_at AS "issued_at!", exp AS "expires_at!", refresh_seconds AS "refresh_seconds!",
                      outcome AS "outcome!",
                      (SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL) AS "retired_keys!",
                      (extract(epoch FROM ahead - moment) * 1000000)::bigint AS "ahead_us!"
               FROM judged"#,
            presented.token.as_bytes(),
            presented.successor.as_bytes(),
            f64::from(lives.access_seconds),
            f64::from(lives.session.idle_seconds),
            RETRY_SECONDS,
            client.address,
            client.user_agent,
            client.request_id,
            pace.map(|pace| pace.step_us),
            pace.map(|pace| pace.burst_us),
            pace.map(|pace| pace.window_us),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(Refreshed::Refused { why: RefreshRefusal::Unknown, whose: None });
        };
        let whose = Whose { user_id: row.user_id, session_id: row.session_id };
        let refused = |why| Ok(Refreshed::Refused { why, whose: Some(whose) });
        match row.outcome.as_str() {
            "rotate" | "repeat" => {
                let event = By::user(row.user_id, client).did(Kind::Refresh);
                self.tell(&event.about(row.user_id).in_session(row.session_id));
                Ok(Refreshed::Granted(Grant::try_from(GrantRow {
                    user_id: row.user_id,
                    name: row.name,
                    email: row.email,
                    roles: row.roles,
                    user_version: row.user_version,
                    session_id: row.session_id,
                    epoch: row.epoch.unwrap_or_default(),
                    issued_at: row.issued_at,
                    expires_at: row.expires_at,
                    refresh_seconds: row.refresh_seconds,
                    retired_keys: row.retired_keys,
                })?))
            }
            "too_often" => {
                let wait = pace.map(|pace| pace.wait(row.ahead_us)).unwrap_or_default();
                Ok(Refreshed::TooOften { whose, wait })
            }
            "reused" => Ok(Refreshed::Reused(whose)),
            "disabled" => refused(RefreshRefusal::Disabled),
            "ended" => refused(RefreshRefusal::Ended),
            "expired" => refused(RefreshRefusal::Expired),
            // `issuer_state` has lost its row: a fault of ours, by which nobody is logged out.
            _ => Err(sqlx::Error::RowNotFound.into()),
        }
    }
}
