//! What an administrator or an operator does to users, each in one transaction with its event, and with the records that
//! end the tokens of before.
//!
//! All of it takes one lock, before any row, so that one is decided after the other: whether the last administrator would
//! go, and whether who asks is still an administrator ([`authority`]). `endings` has the order of the locks that follow.

mod accounts;
mod authority;
mod refused;
mod revoking;

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::Store;
use super::audit::insert;
use super::endings::{Why, commit_subject, end_sessions, greatest_exp, raise_user_version, subject};
use super::password_links::void_password_links;
use super::revocations::{Reason, commit_with};
use crate::account::ADMIN;
use crate::audit::{By, Event, Kind};
use crate::hashing::NO_PASSWORD;

pub(crate) use accounts::{NewAccount, Promotion};
pub(crate) use refused::{AdministrationError, Refused};

impl Store {
    /// Gives a user these roles. The sessions stay: each refreshes to tokens with the new roles. A link of before is void
    /// where the user becomes an administrator. `false`: nothing to do.
    pub(crate) async fn set_roles(
        &self,
        user_id: Uuid,
        roles: &[String],
        event: &Event<'_>,
    ) -> Result<bool, AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            let target = locked(&mut transaction, user_id).await?;
            if target.roles == roles {
                return Ok(false);
            }
            let [had_admin, has_admin] = [&target.roles[..], roles].map(has_admin);
            if !has_admin {
                refuse_last(&mut transaction, user_id, &target).await?;
            }
            let minimum = sqlx::query_scalar!(
                "UPDATE users SET roles = $2, user_version = user_version + 1 WHERE id = $1 RETURNING user_version",
                user_id,
                roles,
            );
            let minimum = minimum.fetch_one(&mut *transaction).await?;
            // Whoever holds a link to a user's account must not get an administrator's by it.
            if has_admin && !had_admin {
                void_password_links(&mut transaction, user_id).await?;
            }
            let event = match (had_admin, has_admin) {
                (false, true) => event.because("admin_given"),
                (true, false) => event.because("admin_taken"),
                _ => *event,
            };
            insert(&mut *transaction, &event).await?;
            commit_subject(transaction, user_id, minimum, Reason::Changed).await?;
            self.tell(&event);
            Ok(true)
        })
        .await
    }

    /// Disables a user, ends all sessions and makes the password link void. `false`: disabled already.
    pub(crate) async fn disable(
        &self,
        user_id: Uuid,
        event: &Event<'_>,
    ) -> Result<bool, AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            let target = locked(&mut transaction, user_id).await?;
            if target.is_disabled {
                return Ok(false);
            }
            refuse_last(&mut transaction, user_id, &target).await?;
            let minimum = sqlx::query_scalar!(
                "UPDATE users SET disabled_at = clock_timestamp(), user_version = user_version + 1
                 WHERE id = $1 RETURNING user_version",
                user_id,
            );
            let minimum = minimum.fetch_one(&mut *transaction).await?;
            void_password_links(&mut transaction, user_id).await?;
            end_sessions(&mut transaction, user_id, None, Why::Disabled).await?;
            insert(&mut *transaction, event).await?;
            commit_subject(transaction, user_id, minimum, Reason::Gone).await?;
            self.tell(event);
            Ok(true)
        })
        .await
    }

    /// Lets a disabled user log in again. What was ended stays so: the version that new tokens carry is greater than
    /// all that went before. `false`: not disabled.
    pub(crate) async fn enable(&self, user_id: Uuid, event: &Event<'_>) -> Result<bool, AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            if !locked(&mut transaction, user_id).await?.is_disabled {
                return Ok(false);
            }
            sqlx::query!("UPDATE users SET disabled_at = NULL WHERE id = $1", user_id)
                .execute(&mut *transaction)
                .await?;
            insert(&mut *transaction, event).await?;
            transaction.commit().await?;
            self.tell(event);
            Ok(true)
        })
        .await
    }

    /// Deletes a user with all sessions. The record stays: it names nothing but a random identifier.
    pub(crate) async fn delete_user(
        &self,
        user_id: Uuid,
        event: &Event<'_>,
    ) -> Result<(), AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            // Locked first: no session is opened or refreshed from here on, so the greatest `exp` is the last.
            let target = locked(&mut transaction, user_id).await?;
            refuse_last(&mut transaction, user_id, &target).await?;
            let raised = raise_user_version(&mut transaction, user_id).await?;
            let minimum = raised.ok_or(Refused::NoSuchUser)?;
            let greatest_exp = greatest_exp(&mut transaction, user_id).await?;
            sqlx::query!("DELETE FROM users WHERE id = $1", user_id).execute(&mut *transaction).await?;
            insert(&mut *transaction, event).await?;
            let record = subject(user_id, minimum, Reason::Gone, greatest_exp);
            commit_with(transaction, record.as_slice()).await?;
            self.tell(event);
            Ok(())
        })
        .await
    }

    /// Ends all sessions of a user, and all tokens.
    pub(crate) async fn log_out_user(&self, user_id: Uuid, by: By<'_>) -> Result<(), AdministrationError> {
        self.noting(&by.did(Kind::Logout).about(user_id), async {
            let transaction = self.administer(by.actor).await?;
            let is_known = self.log_out_everywhere_in(transaction, user_id, by).await?;
            if is_known { Ok(()) } else { Err(Refused::NoSuchUser.into()) }
        })
        .await
    }

    /// Ends one session of a user. `false`: there is none that could be ended.
    pub(crate) async fn end_session_of_user(
        &self,
        user_id: Uuid,
        session_id: Uuid,
        by: By<'_>,
    ) -> Result<bool, AdministrationError> {
        self.noting(&by.did(Kind::SessionEnd).about(user_id).in_session(session_id), async {
            let transaction = self.administer(by.actor).await?;
            let why = Why::EndedByAdministrator;
            Ok(self.end_session_in(transaction, user_id, session_id, why, by).await?)
        })
        .await
    }
}

/// A user whose row is locked.
struct Target {
    roles: Vec<String>,
    is_disabled: bool,
    has_password: bool,
}

async fn locked(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
) -> Result<Target, AdministrationError> {
    let target = sqlx::query_as!(
        Target,
        r#"SELECT roles, disabled_at IS NOT NULL AS "is_disabled!", password_hash <> $2 AS "has_password!"
           FROM users WHERE id = $1 FOR NO KEY UPDATE"#,
        user_id,
        NO_PASSWORD,
    );
    let target = target.fetch_optional(&mut **transaction).await?;
    target.ok_or(AdministrationError::Refused(Refused::NoSuchUser))
}

fn has_admin(roles: &[String]) -> bool {
    roles.iter().any(|role| role == ADMIN)
}

/// The last administrator stays. Who could not log in anyway, disabled or without a password, neither stays nor is held.
async fn refuse_last(
    transaction: &mut Transaction<'_, Postgres>,
    user_id: Uuid,
    target: &Target,
) -> Result<(), AdministrationError> {
    let counts = has_admin(&target.roles) && !target.is_disabled && target.has_password;
    if !counts {
        return Ok(());
    }
    let another = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM users WHERE 'admin' = ANY (roles) AND id <> $1
                                              AND disabled_at IS NULL AND password_hash <> $2) AS "another!""#,
        user_id,
        NO_PASSWORD,
    );
    if another.fetch_one(&mut **transaction).await? { Ok(()) } else { Err(Refused::LastAdministrator.into()) }
}
