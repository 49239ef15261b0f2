//! What is kept in PostgreSQL. Every statement is checked against the schema when this is compiled.

mod administration;
mod audit;
pub(crate) mod connect;
mod endings;
mod error;
mod refresh;
mod revocations;
mod server_keys;
mod sessions;
mod signing_keys;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod throttle;
mod users;

use sqlx::PgPool;

pub(crate) use endings::Why;
pub(crate) use error::StoreError;
pub(crate) use refresh::{Presented, Refreshed};
pub(crate) use sessions::{Client, Grant, ListedSession, Lives, Opening, Verified};
pub(crate) use signing_keys::{Change, Clock, KeyRow, PrivateForm, StoredKey, StoredKeys};
pub(crate) use throttle::{Counted, Decision, Refusal};
pub(crate) use users::{Credentials, NewUser, Profile, Standing, TokenIdentity};

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: PgPool,
    /// One connection for [`Store::ping`]: it must not queue behind the requests that it judges.
    probe: PgPool,
}

impl Store {
    /// Whether PostgreSQL answers at the moment and takes writes, which a primary does that was not demoted.
    pub(crate) async fn is_writable(&self) -> Result<bool, StoreError> {
        Ok(connect::is_writable(&self.probe).await?)
    }
}
