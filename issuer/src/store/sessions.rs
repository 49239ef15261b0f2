//! Sessions, and what a token of one may say.

use uuid::Uuid;

use super::{NewUser, Profile, Store, StoreError};
use crate::hashing::PasswordHash;

/// What was verified before a session may be opened.
pub(crate) struct Verified<'a> {
    pub(crate) user_id: Uuid,
    pub(crate) password_hash: &'a PasswordHash,
    pub(crate) user_version: i64,
}

/// All that a token says: read by the statement that opened the session, by the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) user: Profile,
    pub(crate) session_id: Uuid,
    pub(crate) user_version: u64,
    pub(crate) epoch: u64,
    /// Seconds since the epoch.
    pub(crate) issued_at: u64,
}

// Both statements fail, and undo what they did, where `issuer_state` has lost its row: the new session would have no
// end, which its column forbids. Otherwise a user would be created whose signup finds nothing to return.

impl Store {
    /// Opens a session for a user whose password was verified, if nothing has changed since.
    ///
    /// Hashing takes long enough for a password change, a logout everywhere or a disabling to happen meanwhile. So
    /// one statement locks the user's row, demands the hash and the version that were verified, and reads what the
    /// token will say: a change is either seen here, or it waits for this and ends the new session with the others.
    pub(crate) async fn open_session(
        &self,
        verified: &Verified<'_>,
        session_id: Uuid,
        life_seconds: u32,
    ) -> Result<Option<Grant>, StoreError> {
        let row = sqlx::query_as!(
            GrantRow,
            r#"WITH verified AS (
                 SELECT id, name, email, roles, user_version FROM users
                 WHERE id = $1 AND password_hash = $2 AND user_version = $3 AND disabled_at IS NULL
                 FOR SHARE
               ), opened AS (
                 INSERT INTO sessions (id, user_id, expires_at)
                 SELECT $4, verified.id, CASE WHEN epoch IS NOT NULL THEN now() + make_interval(secs => $5) END
                 FROM verified LEFT JOIN issuer_state ON true
                 RETURNING id, user_id
               )
               SELECT verified.id AS user_id, name, email, roles, user_version, opened.id AS session_id, epoch,
                      floor(extract(epoch FROM now()))::bigint AS "issued_at!"
               FROM verified JOIN opened ON opened.user_id = verified.id CROSS JOIN issuer_state"#,
            verified.user_id,
            verified.password_hash.as_str(),
            verified.user_version,
            session_id,
            f64::from(life_seconds),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Grant::try_from).transpose()
    }

    /// Creates a user and opens the first session. `None`: somebody has this e-mail already.
    pub(crate) async fn sign_up(
        &self,
        user: &NewUser<'_>,
        session_id: Uuid,
        life_seconds: u32,
    ) -> Result<Option<Grant>, StoreError> {
        let row = sqlx::query_as!(
            GrantRow,
            r#"WITH created AS (
                 INSERT INTO users (id, name, email, password_hash, roles) VALUES ($1, $2, $3, $4, ARRAY[$5::text])
                 ON CONFLICT (email) DO NOTHING
                 RETURNING id, name, email, roles, user_version
               ), opened AS (
                 INSERT INTO sessions (id, user_id, expires_at)
                 SELECT $6, created.id, CASE WHEN epoch IS NOT NULL THEN now() + make_interval(secs => $7) END
                 FROM created LEFT JOIN issuer_state ON true
                 RETURNING id, user_id
               )
               SELECT created.id AS user_id, name, email, roles, user_version, opened.id AS session_id, epoch,
                      floor(extract(epoch FROM now()))::bigint AS "issued_at!"
               FROM created JOIN opened ON opened.user_id = created.id CROSS JOIN issuer_state"#,
            user.id,
            user.name.as_str(),
            user.email.as_str(),
            user.password_hash.as_str(),
            user.role,
            session_id,
            f64::from(life_seconds),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Grant::try_from).transpose()
    }
}

/// What both statements return.
struct GrantRow {
    user_id: Uuid,
    name: String,
    email: String,
    roles: Vec<String>,
    user_version: i64,
    session_id: Uuid,
    epoch: i64,
    issued_at: i64,
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
        })
    }
}
