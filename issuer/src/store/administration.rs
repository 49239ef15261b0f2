//! What an administrator does to a user, with the records that end the tokens of before.
#![cfg_attr(not(test), expect(dead_code, reason = "for the admin interface, which is to come"))]

use uuid::Uuid;

use super::endings::{Why, commit_subject, end_sessions, greatest_exp, raise_user_version, subject};
use super::revocations::{Reason, commit_with};
use super::{Store, StoreError};

impl Store {
    /// Gives a user these roles. The sessions stay: each refreshes to tokens with the new roles. `false`: no such user.
    pub(crate) async fn set_roles(&self, user_id: Uuid, roles: &[String]) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let raised = sqlx::query_scalar!(
            "UPDATE users SET roles = $2, user_version = user_version + 1 WHERE id = $1 RETURNING user_version",
            user_id,
            roles,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(minimum) = raised else { return Ok(false) };
        commit_subject(transaction, user_id, minimum, Reason::Changed).await?;
        Ok(true)
    }

    /// Disables a user and ends all sessions. `false`: no such user, or disabled already.
    pub(crate) async fn disable(&self, user_id: Uuid) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let raised = sqlx::query_scalar!(
            "UPDATE users SET disabled_at = clock_timestamp(), user_version = user_version + 1
             WHERE id = $1 AND disabled_at IS NULL RETURNING user_version",
            user_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(minimum) = raised else { return Ok(false) };
        end_sessions(&mut transaction, user_id, None, Why::Disabled).await?;
        commit_subject(transaction, user_id, minimum, Reason::Gone).await?;
        Ok(true)
    }

    /// Lets a disabled user log in again. What was ended stays so: the version that new tokens carry is greater than
    /// all that went before. `false`: no such user, or not disabled.
    pub(crate) async fn enable(&self, user_id: Uuid) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
            user_id
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes a user with all sessions. The record stays: it names nothing but a random identifier. `false`: no such
    /// user.
    pub(crate) async fn delete_user(&self, user_id: Uuid) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Locked first: no session is opened or refreshed from here on, so the greatest `exp` is the last.
        let raised = raise_user_version(&mut transaction, user_id).await?;
        let Some(minimum) = raised else { return Ok(false) };
        let greatest_exp = greatest_exp(&mut transaction, user_id).await?;
        sqlx::query!("DELETE FROM users WHERE id = $1", user_id).execute(&mut *transaction).await?;
        commit_with(transaction, subject(user_id, minimum, Reason::Gone, greatest_exp).as_slice()).await?;
        Ok(true)
    }
}
