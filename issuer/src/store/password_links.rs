//! One-time links by which a user sets a password.
//!
//! A link that an administrator made is good for as long as a token of his from then would be: whoever loses the role, is
//! disabled or deleted, or logs out everywhere leaves no way back in behind. Operators' links stand on their own.

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::audit::insert;
use super::endings::{Why, commit_subject, end_sessions};
use super::revocations::Reason;
use super::{Profile, Store, StoreError};
use crate::audit::{Actor, Event};
use crate::hashing::PasswordHash;
use crate::password_link::LinkHash;

/// A link to be.
#[derive(Clone, Copy)]
pub(crate) struct NewPasswordLink {
    pub(crate) token_hash: LinkHash,
    /// How long it is good, in seconds by the database's clock.
    pub(crate) seconds: u32,
}

impl Store {
    /// Whose link this is. `None`: unknown, used, void or expired. Nothing is decided by it but whether a hash is worth its
    /// cost; [`Store::redeem_password_link`] decides.
    pub(crate) async fn user_of_password_link(&self, link: LinkHash) -> Result<Option<Profile>, StoreError> {
        let profile = sqlx::query_as!(
            Profile,
            "SELECT users.id, name, email, roles FROM password_links JOIN users ON users.id = user_id
             WHERE token_hash = $1 AND expires_at > clock_timestamp() AND disabled_at IS NULL
                   AND (created_by IS NULL
                        OR EXISTS (SELECT FROM users AS maker
                                   WHERE maker.id = created_by AND maker.user_version = created_version
                                         AND 'admin' = ANY (maker.roles) AND maker.disabled_at IS NULL))",
            link.as_bytes(),
        );
        Ok(profile.fetch_optional(&self.pool).await?)
    }

    /// Uses a link: sets the password and ends all sessions. `false`, and nothing is changed: it is not good (any more).
    ///
    /// The rows of the user and of the link's maker are locked first, in the order of their identifiers: two who made links
    /// for each other do not wait for each other. Then one statement, which sees what they are by now, takes the link away:
    /// of two who come with it at once the second finds none, and nobody's administration ends between the two.
    pub(crate) async fn redeem_password_link(
        &self,
        link: LinkHash,
        password_hash: &PasswordHash,
        event: &Event<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "SELECT id FROM users
             WHERE id IN (SELECT unnest(ARRAY[user_id, created_by]) FROM password_links WHERE token_hash = $1)
             ORDER BY id FOR NO KEY UPDATE",
            link.as_bytes(),
        )
        .fetch_all(&mut *transaction)
        .await?;
        let used = sqlx::query_scalar!(
            "DELETE FROM password_links USING users
             WHERE token_hash = $1 AND users.id = user_id AND expires_at > clock_timestamp() AND disabled_at IS NULL
                   AND (created_by IS NULL
                        OR EXISTS (SELECT FROM users AS maker
                                   WHERE maker.id = created_by AND maker.user_version = created_version
                                         AND 'admin' = ANY (maker.roles) AND maker.disabled_at IS NULL))
             RETURNING user_id",
            link.as_bytes(),
        );
        let Some(user_id) = used.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        let minimum = sqlx::query_scalar!(
            "UPDATE users SET password_hash = $2, user_version = user_version + 1 WHERE id = $1 RETURNING user_version",
            user_id,
            password_hash.as_str(),
        );
        let minimum = minimum.fetch_one(&mut *transaction).await?;
        end_sessions(&mut transaction, user_id, None, Why::PasswordChanged).await?;
        insert(&mut *transaction, event).await?;
        commit_subject(transaction, user_id, minimum, Reason::Changed).await?;
        self.tell(event);
        Ok(true)
    }
}

/// Gives a user, whose row this transaction has locked or made, a link in place of the one before. Its maker may
/// administer, as this transaction has seen.
pub(super) async fn put_password_link(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
    link: &NewPasswordLink,
    maker: Actor,
) -> Result<(), sqlx::Error> {
    // A maker who is gone by now has no version, and the constraint refuses the row.
    sqlx::query!(
        "INSERT INTO password_links (token_hash, user_id, created_at, expires_at, created_by, created_version)
         VALUES ($1, $2, now(), clock_timestamp() + make_interval(secs => $3), $4,
                 (SELECT user_version FROM users WHERE id = $4))
         ON CONFLICT (user_id) DO UPDATE
         SET token_hash = EXCLUDED.token_hash, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at,
             created_by = EXCLUDED.created_by, created_version = EXCLUDED.created_version",
        link.token_hash.as_bytes(),
        user_id,
        f64::from(link.seconds),
        maker.id(),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Makes the link of a user void, whose row this transaction has locked.
pub(super) async fn void_password_links(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM password_links WHERE user_id = $1", user_id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
