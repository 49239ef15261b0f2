//! What must be in the database before the first request: the schema, and keys. Waited for as long as the settings say,
//! also where the database goes away again in the middle.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::RELOAD;
use crate::command::Failure;
use crate::keys::{Keeper, KeysError, Ring};
use crate::random;
use crate::refresh::SuccessorKey;
use crate::settings::DatabaseSettings;
use crate::store::connect::{self, ConnectError};
use crate::store::{Store, StoreError};
use crate::throttle::ThrottleKey;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// What was found.
pub(super) struct Prepared {
    /// The keys of the database, where there is a keeper of them.
    pub(super) ring: Option<Ring>,
    /// Those of the feed, likewise.
    pub(super) feed_ring: Option<Ring>,
    pub(super) successors: SuccessorKey,
    pub(super) throttle: ThrottleKey,
}

/// What becomes a key of the database where it has none.
struct Candidates {
    successors: SuccessorKey,
    throttle: [u8; 32],
}

/// Prepares the database, and tries again where it was lost.
pub(super) async fn prepare(
    settings: &DatabaseSettings,
    store: &Store,
    keeper: Option<&Keeper>,
    feed_keeper: Option<&Keeper>,
) -> Result<Prepared, Failure> {
    let successors = SuccessorKey::new().map_err(Failure::new)?;
    let candidates = Candidates { successors, throttle: random::bytes().map_err(Failure::new)? };
    let deadline = Instant::now() + settings.wait;
    let mut told = false;
    loop {
        match attempt(settings, store, keeper, feed_keeper, &candidates).await {
            Ok(prepared) => return Ok(prepared),
            Err(missed) if !missed.passes || Instant::now() >= deadline => {
                return Err(Failure::new(missed.text));
            }
            Err(missed) => {
                if !told {
                    warn!(cause = %missed.text, "PostgreSQL does not do what a start needs, trying again");
                    told = true;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn attempt(
    settings: &DatabaseSettings,
    store: &Store,
    keeper: Option<&Keeper>,
    feed_keeper: Option<&Keeper>,
    candidates: &Candidates,
) -> Result<Prepared, Missed> {
    connect::bring_up_to_date(settings).await?;
    let (ring, feed_ring) = (keys(keeper).await?, keys(feed_keeper).await?);
    let successors = answered(store.successor_key(&candidates.successors)).await??;
    let throttle = answered(store.throttle_key(&candidates.throttle)).await??;
    let throttle = ThrottleKey::new(&throttle).map_err(|error| Missed::new(&error, false))?;
    Ok(Prepared { ring, feed_ring, successors, throttle })
}

async fn keys(keeper: Option<&Keeper>) -> Result<Option<Ring>, Missed> {
    let Some(keeper) = keeper else { return Ok(None) };
    Ok(Some(answered(keeper.load(None)).await??))
}

/// A connection that has fallen silent would hold the start up for ever.
async fn answered<T>(question: impl Future<Output = T>) -> Result<T, Missed> {
    timeout(RELOAD, question).await.map_err(|_| Missed::silent())
}

/// Why an attempt failed, and whether the next one may not.
struct Missed {
    text: String,
    passes: bool,
}

impl Missed {
    fn new(error: &impl Display, passes: bool) -> Self {
        Self { text: error.to_string(), passes }
    }

    fn silent() -> Self {
        Self { text: format!("no answer within {} s", RELOAD.as_secs()), passes: true }
    }
}

impl From<ConnectError> for Missed {
    fn from(error: ConnectError) -> Self {
        Self::new(&error, error.passes())
    }
}

impl From<StoreError> for Missed {
    fn from(error: StoreError) -> Self {
        Self::new(&error, error.passes())
    }
}

impl From<KeysError> for Missed {
    fn from(error: KeysError) -> Self {
        Self::new(&error, matches!(&error, KeysError::Store(cause) if cause.passes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestDatabase;

    #[tokio::test]
    async fn a_start_waits_for_the_key_of_counters_as_for_everything_in_the_database() {
        let (database, store) = TestDatabase::migrated().await;
        // Another replica is about to write it, and takes longer than a statement waits for a lock.
        let other = store
            .locked(
                "INSERT INTO server_keys (purpose, key) VALUES ('throttle', decode(repeat('07', 32), 'hex'))",
            )
            .await;
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let commits = async {
            for begins in [true, false] {
                while (store.count(waiting).await > 0) != begins {
                    sleep(Duration::from_millis(10)).await;
                }
            }
            other.commit().await.unwrap();
        };
        let (prepared, committed) =
            tokio::join!(prepare(&database.settings, &store, None, None), timeout(RELOAD, commits));
        committed.unwrap();
        assert!(prepared.is_ok());
        assert_eq!(store.throttle_key(&[1; 32]).await.unwrap(), [7; 32]);
    }
}
