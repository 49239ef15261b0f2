//! Users.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::account::{Email, Name};
use crate::audit::{By, Kind};
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

/// What a token says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenIdentity {
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) user_version: i64,
    pub(crate) epoch: i64,
}

/// What a token that verified is worth at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good(Profile),
    /// Its session ended, or something changed that ends older tokens.
    Revoked,
    /// The user is deleted or disabled.
    Gone,
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
    /// Creates a user whose password somebody else has hashed. `false`: somebody has this e-mail already; the constraint
    /// says so, no look-up before it.
    pub(crate) async fn import_user(&self, user: &NewUser<'_>) -> Result<bool, StoreError> {
        let event = By::operator().did(Kind::UserImport).about(user.id);
        let imported = sqlx::query_scalar!(
            r#"WITH created AS (
                 INSERT INTO users (id, name, email, password_hash, roles) VALUES ($1, $2, $3, $4, ARRAY[$5::text])
                 ON CONFLICT (email) DO NOTHING
                 RETURNING id
               ), audited AS (
                 INSERT INTO audit_events (event, outcome, actor, user_id) SELECT $6, $7, $8, id FROM created
               )
               SELECT count(*) = 1 AS "imported!" FROM created"#,
            user.id,
            user.name.as_str(),
            user.email.as_str(),
            user.password_hash.as_str(),
            user.role,
            event.kind.as_str(),
            event.outcome.as_str(),
            event.by.actor.as_str(),
        )
        .fetch_one(&self.pool)
        .await?;
        if imported {
            self.tell(&event);
        }
        Ok(imported)
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

    /// What to verify the password of a user against who shows a token.
    pub(crate) async fn credentials_of(&self, id: Uuid) -> Result<Option<Credentials>, StoreError> {
        let row = sqlx::query!("SELECT id, password_hash, user_version FROM users WHERE id = $1", id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| Credentials {
            user_id: row.id,
            password_hash: PasswordHash::stored(row.password_hash),
            user_version: row.user_version,
        }))
    }

    /// Whether a token is still good whose signature holds: what the filter learns by the feed, read at its source.
    pub(crate) async fn standing(&self, token: &TokenIdentity) -> Result<Standing, StoreError> {
        let row = sqlx::query!(
            r#"SELECT users.id, name, email, roles,
                      COALESCE(ended_at IS NULL AND sessions.id IS NOT NULL
                               AND user_version <= $3 AND issuer_state.epoch <= $4, false) AS "is_good!"
               FROM users
               LEFT JOIN issuer_state ON true
               LEFT JOIN sessions ON sessions.id = $2 AND sessions.user_id = users.id
               WHERE users.id = $1 AND disabled_at IS NULL"#,
            token.user_id,
            token.session_id,
            token.user_version,
            token.epoch,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            None => Standing::Gone,
            Some(row) if !row.is_good => Standing::Revoked,
            Some(row) => {
                Standing::Good(Profile { id: row.id, name: row.name, email: row.email, roles: row.roles })
            }
        })
    }
}
