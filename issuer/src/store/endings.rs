//! Everything that ends sessions or tokens before their time, each in one transaction with its revocation records.
//!
//! Locks are taken in one order: the user's row (and that of who made his password link, in the order of identifiers), the
//! user's password link, rows of sessions, the head of the records. Whatever opens or refreshes a session takes them in the
//! same order. So it either comes before, and is seen and ended here, or waits and sees what was done.

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::password_links::void_password_links;
use super::revocations::{Reason, Record, commit_with};
use super::sessions::{MAX_SESSIONS, Opened, open};
use super::{Grant, Opening, Store, StoreError, Verified, audit};
use crate::audit::{By, Event, Kind};
use crate::hashing::PasswordHash;

/// Why a session ended, as its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Logout,
    /// By its user, from the list of sessions or as one of the others.
    Ended,
    LogoutEverywhere,
    PasswordChanged,
    RefreshTokenReused,
    Disabled,
    /// Its user has opened more than may be.
    TooMany,
    /// By an administrator or an operator, one by one.
    EndedByAdministrator,
    /// The account became an administrator's.
    Promoted,
}

impl Why {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Ended => "ended",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::PasswordChanged => "password_changed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::Disabled => "disabled",
            Self::TooMany => "too_many",
            Self::EndedByAdministrator => "ended_by_administrator",
            Self::Promoted => "promoted",
        }
    }

    /// The event that ends sessions for this reason, where it is only that.
    fn kind(self) -> Kind {
        match self {
            Self::Logout | Self::LogoutEverywhere => Kind::Logout,
            _ => Kind::SessionEnd,
        }
    }
}

/// A session that was ended.
pub(super) struct Ended {
    id: Uuid,
    greatest_exp: i64,
}

impl Store {
    /// Ends one session of this user. `false`: there is none that could be ended.
    pub(crate) async fn end_session(
        &self,
        user_id: Uuid,
        session_id: Uuid,
        why: Why,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        self.end_session_in(self.pool.begin().await?, user_id, session_id, why, by).await
    }

    /// The same, where this transaction has seen that it may be done.
    pub(super) async fn end_session_in(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        user_id: Uuid,
        session_id: Uuid,
        why: Why,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let ended = sqlx::query_as!(
            Ended,
            r#"UPDATE sessions SET ended_at = clock_timestamp(), ended_why = $3
               WHERE id = $2 AND user_id = $1 AND ended_at IS NULL AND expires_at > now()
               RETURNING id, COALESCE(greatest_exp, ceil(extract(epoch FROM expires_at))::bigint) AS "greatest_exp!""#,
            user_id,
            session_id,
            why.as_str(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(ended) = ended else { return Ok(false) };
        let event = by.did(why.kind()).because(why.as_str()).about(user_id).in_session(session_id);
        audit::insert(&mut *transaction, &event).await?;
        commit_with(transaction, &[record_of(&ended)]).await?;
        self.tell(&event);
        Ok(true)
    }

    /// Ends all sessions of a user but this one, and says how many.
    pub(crate) async fn end_other_sessions(
        &self,
        user_id: Uuid,
        kept: Uuid,
        why: Why,
        by: By<'_>,
    ) -> Result<usize, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
            .fetch_optional(&mut *transaction)
            .await?;
        let ended = end_sessions(&mut transaction, user_id, Some(kept), why).await?;
        self.commit_ended(transaction, &ended, by.did(why.kind()).because(why.as_str()).about(user_id))
            .await?;
        Ok(ended.len())
    }

    /// Commits with a record and an event for each of these sessions, so that the trail of each says how it ended.
    async fn commit_ended(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        ended: &[Ended],
        event: Event<'_>,
    ) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = ended.iter().map(|ended| ended.id).collect();
        audit::insert_for_each(&mut *transaction, &event, &ids).await?;
        let records: Vec<Record<'_>> = ended.iter().map(record_of).collect();
        commit_with(transaction, &records).await?;
        ids.into_iter().for_each(|id| self.tell(&event.in_session(id)));
        Ok(())
    }

    /// Ends the sessions of a user beyond those that may be, least recently used first.
    pub(super) async fn end_least_used_sessions(&self, user_id: Uuid) -> Result<(), StoreError> {
        let why = Why::TooMany;
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
            .fetch_optional(&mut *transaction)
            .await?;
        let ended = sqlx::query_as!(
            Ended,
            r#"UPDATE sessions SET ended_at = clock_timestamp(), ended_why = $4
               WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now()
                            ORDER BY last_used_at DESC, created_at DESC, id OFFSET $2 LIMIT $3)
               RETURNING id, COALESCE(greatest_exp, ceil(extract(epoch FROM expires_at))::bigint) AS "greatest_exp!""#,
            user_id,
            MAX_SESSIONS,
            MAX_SESSIONS,
            why.as_str(),
        )
        .fetch_all(&mut *transaction)
        .await?;
        self.commit_ended(
            transaction,
            &ended,
            By::issuer().did(why.kind()).because(why.as_str()).about(user_id),
        )
        .await
    }

    /// Ends all sessions of a user, and all tokens whatever they say of a session. `false`: no such user.
    pub(crate) async fn log_out_everywhere(&self, user_id: Uuid, by: By<'_>) -> Result<bool, StoreError> {
        self.log_out_everywhere_in(self.pool.begin().await?, user_id, by).await
    }

    /// The same, where this transaction has seen that it may be done.
    pub(super) async fn log_out_everywhere_in(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        user_id: Uuid,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let raised = raise_user_version(&mut transaction, user_id).await?;
        let Some(minimum) = raised else { return Ok(false) };
        let why = Why::LogoutEverywhere;
        end_sessions(&mut transaction, user_id, None, why).await?;
        let event = by.did(why.kind()).because(why.as_str()).about(user_id);
        audit::insert(&mut *transaction, &event).await?;
        commit_subject(transaction, user_id, minimum, Reason::Changed).await?;
        self.tell(&event);
        Ok(true)
    }

    /// Changes a password that was verified, ends all sessions, and opens a new one for whoever changed it. `None`, and
    /// nothing is changed, where the user or the session is no longer what it was when the password was verified.
    pub(crate) async fn change_password(
        &self,
        verified: &Verified<'_>,
        session_id: Uuid,
        password_hash: &PasswordHash,
        opening: &Opening<'_>,
    ) -> Result<Option<Grant>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let raised = sqlx::query_scalar!(
            "UPDATE users SET password_hash = $4, user_version = user_version + 1
             WHERE id = $1 AND password_hash = $2 AND user_version = $3 AND disabled_at IS NULL
             RETURNING user_version",
            verified.user_id,
            verified.password_hash.as_str(),
            verified.user_version,
            password_hash.as_str(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(user_version) = raised else { return Ok(None) };
        void_password_links(&mut transaction, verified.user_id).await?;
        let ended = end_sessions(&mut transaction, verified.user_id, None, Why::PasswordChanged).await?;
        // Logged out meanwhile: whoever asks is nobody any more.
        if ended.iter().all(|ended| ended.id != session_id) {
            return Ok(None);
        }
        let now_verified = Verified { user_id: verified.user_id, password_hash, user_version };
        let Some(Opened { grant, .. }) = open(&mut *transaction, &now_verified, opening).await? else {
            return Ok(None);
        };
        commit_subject(transaction, verified.user_id, user_version, Reason::Changed).await?;
        self.tell(&opening.event(&grant));
        Ok(Some(grant))
    }
}

fn record_of(ended: &Ended) -> Record<'static> {
    Record::Session { id: ended.id, greatest_exp: ended.greatest_exp }
}

/// Ends the sessions of a user whose row this transaction has locked.
pub(super) async fn end_sessions(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
    kept: Option<Uuid>,
    why: Why,
) -> Result<Vec<Ended>, sqlx::Error> {
    sqlx::query_as!(
        Ended,
        r#"UPDATE sessions SET ended_at = clock_timestamp(), ended_why = $3
           WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() AND id IS DISTINCT FROM $2
           RETURNING id, COALESCE(greatest_exp, ceil(extract(epoch FROM expires_at))::bigint) AS "greatest_exp!""#,
        user_id,
        kept,
        why.as_str(),
    )
    .fetch_all(&mut **transaction)
    .await
}

/// Commits with the record that ends all tokens of a user before this version. The sessions that ended earlier count,
/// too: their own records end with the tokens that they had.
pub(super) async fn commit_subject(
    mut transaction: Transaction<'_, Postgres>,
    user_id: Uuid,
    minimum: i64,
    reason: Reason,
) -> Result<(), sqlx::Error> {
    let greatest_exp = greatest_exp(&mut transaction, user_id).await?;
    commit_with(transaction, subject(user_id, minimum, reason, greatest_exp).as_slice()).await
}

/// No record where there was never a token.
pub(super) fn subject(
    id: Uuid,
    minimum: i64,
    reason: Reason,
    greatest_exp: Option<i64>,
) -> Option<Record<'static>> {
    greatest_exp.map(|greatest_exp| Record::Subject { id, minimum, reason, greatest_exp })
}

/// The greatest `exp` among all tokens of a user. `None`: there was never one.
pub(super) async fn greatest_exp(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT max(COALESCE(greatest_exp, ceil(extract(epoch FROM expires_at))::bigint)) FROM sessions
         WHERE user_id = $1",
        user_id
    )
    .fetch_one(&mut **transaction)
    .await
}

/// Ends every token of a user that was issued before, and locks the row: `None` where there is no such user.
pub(super) async fn raise_user_version(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
) -> Result<Option<i64>, StoreError> {
    let raised = sqlx::query_scalar!(
        "UPDATE users SET user_version = user_version + 1 WHERE id = $1 RETURNING user_version",
        user_id
    );
    Ok(raised.fetch_optional(&mut **transaction).await?)
}
