//! Accounts that administrators and operators make, and how their users get in.

use uuid::Uuid;

use super::{AdministrationError, Refused, has_admin, locked};
use crate::account::{ADMIN, Email, Name, Role};
use crate::audit::Event;
use crate::hashing::{NO_PASSWORD, PasswordHash};
use crate::store::audit::insert;
use crate::store::endings::{Why, commit_subject, end_sessions};
use crate::store::password_links::{NewPasswordLink, put_password_link, void_password_links};
use crate::store::revocations::Reason;
use crate::store::{Account, Store};

/// A user to be, as administrators make them.
pub(crate) struct NewAccount<'a> {
    pub(crate) id: Uuid,
    pub(crate) name: &'a Name,
    pub(crate) email: &'a Email,
    pub(crate) roles: &'a [String],
    /// Of no password, where the user is to choose one by a link.
    pub(crate) password_hash: &'a PasswordHash,
    pub(crate) link: Option<NewPasswordLink>,
}

/// What an account that is there gets with the role `admin`.
pub(crate) struct Promotion<'a> {
    /// Another name than the one that its user chose.
    pub(crate) name: Option<&'a Name>,
    /// In place of the one that it had, whoever knows that.
    pub(crate) password_hash: &'a PasswordHash,
    pub(crate) link: Option<NewPasswordLink>,
}

impl Store {
    /// Creates a user, and says what he is: a link in the same answer must not be lost by a look-up after it.
    ///
    /// # Errors
    /// [`Refused::EmailTaken`] by the constraint, no look-up before it.
    pub(crate) async fn create_account(
        &self,
        account: &NewAccount<'_>,
        event: &Event<'_>,
    ) -> Result<Account, AdministrationError> {
        self.noting(&event.about_nobody(), async {
            let mut transaction = self.administer(event.by.actor).await?;
            let created = sqlx::query_as!(
                Account,
                r#"INSERT INTO users (id, name, email, password_hash, roles) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (email) DO NOTHING
                   RETURNING id, name, email, roles, password_hash <> $6 AS "has_password!",
                             to_char(disabled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS disabled_at,
                             to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "created_at!",
                             (extract(epoch FROM created_at) * 1000000)::bigint AS "created_micros!""#,
                account.id,
                account.name.as_str(),
                account.email.as_str(),
                account.password_hash.as_str(),
                account.roles,
                NO_PASSWORD,
            );
            let created = created.fetch_optional(&mut *transaction).await?.ok_or(Refused::EmailTaken)?;
            if let Some(link) = &account.link {
                put_password_link(&mut transaction, account.id, link, event.by.actor).await?;
            }
            let event = if has_admin(account.roles) { event.because(ADMIN) } else { *event };
            insert(&mut *transaction, &event).await?;
            transaction.commit().await?;
            self.tell(&event);
            Ok(created)
        })
        .await
    }

    /// Makes an administrator of an account that is there. Whoever had it loses it: its sessions end, and neither its
    /// password nor a link from before is good. So nobody gains by signing up with an administrator's address beforehand.
    pub(crate) async fn promote(
        &self,
        user_id: Uuid,
        promotion: &Promotion<'_>,
        event: &Event<'_>,
    ) -> Result<(), AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            let target = locked(&mut transaction, user_id).await?;
            if target.is_disabled {
                return Err(Refused::Disabled.into());
            }
            let others = target.roles.into_iter().filter(|role| role != ADMIN);
            let roles: Vec<String> = [ADMIN.to_owned()].into_iter().chain(others).collect();
            if Role::are_too_many(&roles) {
                return Err(Refused::TooManyRoles.into());
            }
            let minimum = sqlx::query_scalar!(
                "UPDATE users SET name = COALESCE($2, name), password_hash = $3, user_version = user_version + 1,
                        roles = $4
                 WHERE id = $1 RETURNING user_version",
                user_id,
                promotion.name.map(Name::as_str),
                promotion.password_hash.as_str(),
                &roles,
            );
            let minimum = minimum.fetch_one(&mut *transaction).await?;
            void_password_links(&mut transaction, user_id).await?;
            if let Some(link) = &promotion.link {
                put_password_link(&mut transaction, user_id, link, event.by.actor).await?;
            }
            end_sessions(&mut transaction, user_id, None, Why::Promoted).await?;
            insert(&mut *transaction, event).await?;
            commit_subject(transaction, user_id, minimum, Reason::Changed).await?;
            self.tell(event);
            Ok(())
        })
        .await
    }

    /// Gives a user a one-time link, and makes the one before void. The password that the user has stays until then.
    pub(crate) async fn create_password_link(
        &self,
        user_id: Uuid,
        link: &NewPasswordLink,
        event: &Event<'_>,
    ) -> Result<(), AdministrationError> {
        self.noting(event, async {
            let mut transaction = self.administer(event.by.actor).await?;
            if locked(&mut transaction, user_id).await?.is_disabled {
                return Err(Refused::Disabled.into());
            }
            put_password_link(&mut transaction, user_id, link, event.by.actor).await?;
            insert(&mut *transaction, event).await?;
            transaction.commit().await?;
            self.tell(event);
            Ok(())
        })
        .await
    }
}
