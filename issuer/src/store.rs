//! What is kept in PostgreSQL. Every statement is checked against the schema when this is compiled.

mod administration;
mod audit;
pub(crate) mod connect;
mod directory;
mod endings;
mod error;
mod password_links;
mod purge;
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
mod trail;
mod users;

use sqlx::PgPool;

use crate::audit::Event;
use crate::metrics::Metrics;

pub(crate) use administration::{AdministrationError, NewAccount, Promotion, Refused};
pub(crate) use directory::{Account, AccountsPage, Place};
pub(crate) use endings::Why;
pub(crate) use error::StoreError;
pub(crate) use password_links::NewPasswordLink;
pub(crate) use purge::Purged;
pub(crate) use refresh::{Presented, Refreshed, Whose};
pub(crate) use sessions::{Client, Grant, ListedSession, Lives, Opening, Verified};
pub(crate) use signing_keys::{Change, Clock, KeyRow, PrivateForm, StoredKey, StoredKeys};
pub(crate) use throttle::{Counted, Decision, Refusal};
pub(crate) use trail::{TrailFilter, TrailRow};
pub(crate) use users::{Credentials, NewUser, Profile, Standing, TokenIdentity};

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: PgPool,
    /// One connection for [`Store::ping`]: it must not queue behind the requests that it judges.
    probe: PgPool,
    metrics: Metrics,
}

/// The connections of the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    pub(crate) idle: u32,
    pub(crate) used: u32,
    pub(crate) max: u32,
}

impl Store {
    /// What is counted of what is done here.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many connections there are at the moment.
    pub(crate) fn connections(&self) -> Connections {
        let (all, idle) = (self.pool.size(), u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX));
        Connections { idle, used: all.saturating_sub(idle), max: self.pool.options().get_max_connections() }
    }

    /// Logs and counts an event that is written down for good, or that the trail has no room for.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        event.log();
        self.metrics.count(event);
    }

    /// Whether PostgreSQL answers at the moment and takes writes, which a primary does that was not demoted.
    pub(crate) async fn is_writable(&self) -> Result<bool, StoreError> {
        Ok(connect::is_writable(&self.probe).await?)
    }
}
