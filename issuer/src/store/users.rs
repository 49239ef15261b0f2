//! Users.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::account::{Email, Name};
use crate::hashing::{Cost, PasswordHash};

/// The most kinds of stored hashes that are told; an import brings one or two.
const MAX_HASH_KINDS: i64 = 64;

/// What others may know of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<String>,
}

/// What a password is verified against, and the version of the user that it was read at.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user_id: Uuid,
    pub(crate) password_hash: PasswordHash,
    pub(crate) user_version: i64,
}

/// A user to be.
pub(crate) struct NewUser<'a> {
    pub(crate) id: Uuid,
    pub(crate) name: &'a Name,
    pub(crate) email: &'a Email,
    pub(crate) password_hash: &'a PasswordHash,
    pub(crate) role: &'a str,
}

impl Store {
    /// Creates a user. `false`: somebody has this e-mail already; the constraint says so, no look-up before it.
    pub(crate) async fn create_user(&self, user: &NewUser<'_>) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "INSERT INTO users (id, name, email, password_hash, roles) VALUES ($1, $2, $3, $4, ARRAY[$5::text])
             ON CONFLICT (email) DO NOTHING",
            user.id,
            user.name.as_str(),
            user.email.as_str(),
            user.password_hash.as_str(),
            user.role,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// What to verify a password against. Also of disabled users: that they are is decided when the session is
    /// opened, so that their logins take the same time.
    pub(crate) async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let row = sqlx::query!("SELECT id, password_hash, user_version FROM users WHERE email = $1", email)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| Credentials {
            user_id: row.id,
            password_hash: PasswordHash::stored(row.password_hash),
            user_version: row.user_version,
        }))
    }

    /// What the stored hashes cost: one of each kind, at most so many kinds. Reads all of the table.
    pub(crate) async fn hash_costs(&self) -> Result<Vec<Cost>, StoreError> {
        let heads = sqlx::query_scalar!(
            r#"SELECT DISTINCT substring(password_hash from '^(?:\$2[aby]\$\d\d|\$argon2id\$v=19\$[^$]{1,64})\$') AS "head!"
               FROM users WHERE password_hash ~ '^(?:\$2[aby]\$\d\d|\$argon2id\$v=19\$[^$]{1,64})\$' LIMIT $1"#,
            MAX_HASH_KINDS,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(heads.iter().filter_map(|head| PasswordHash::of_head(head).cost().ok()).collect())
    }

    /// Replaces a hash by a new one of the same password. `false`: it is another by now, of another login that did the
    /// same or of another password, and stays.
    pub(crate) async fn renew_hash(
        &self,
        user_id: Uuid,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            user_id,
            old.as_str(),
            new.as_str(),
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// A user who exists and is enabled.
    pub(crate) async fn profile(&self, id: Uuid) -> Result<Option<Profile>, StoreError> {
        let profile = sqlx::query_as!(
            Profile,
            "SELECT id, name, email, roles FROM users WHERE id = $1 AND disabled_at IS NULL",
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(profile)
    }
}
