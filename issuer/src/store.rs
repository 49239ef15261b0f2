//! What is kept in PostgreSQL. Every statement is checked against the schema when this is compiled.

pub(crate) mod connect;
mod error;
mod sessions;
mod signing_keys;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod users;

use sqlx::PgPool;

pub(crate) use error::StoreError;
pub(crate) use sessions::{Grant, Verified};
pub(crate) use signing_keys::StoredKey;
pub(crate) use users::{Credentials, NewUser, Profile};

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: PgPool,
}

impl Store {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether a statement gets through at the moment.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(&self.pool).await?;
        Ok(())
    }
}
