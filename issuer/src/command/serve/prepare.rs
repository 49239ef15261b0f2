//! What must be in the database before the first request: the schema, and keys. Waited for as long as the settings say,
//! also where the database goes away again in the middle.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::RELOAD;
use crate::command::Failure;
use crate::keys::{Keeper, KeysError, Ring};
use crate::refresh::SuccessorKey;
use crate::settings::DatabaseSettings;
use crate::store::connect::{self, ConnectError};
use crate::store::{Store, StoreError};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// What was found.
pub(super) struct Prepared {
    /// The keys of the database, where there is a keeper of them.
    pub(super) ring: Option<Ring>,
    /// Those of the feed, likewise.
    pub(super) feed_ring: Option<Ring>,
    pub(super) successors: SuccessorKey,
}

/// Prepares the database, and tries again where it was lost.
pub(super) async fn prepare(
    settings: &DatabaseSettings,
    store: &Store,
    keeper: Option<&Keeper>,
    feed_keeper: Option<&Keeper>,
) -> Result<Prepared, Failure> {
    let candidate = SuccessorKey::new().map_err(Failure::new)?;
    let deadline = Instant::now() + settings.wait;
    let mut told = false;
    loop {
        match attempt(settings, store, keeper, feed_keeper, &candidate).await {
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
    candidate: &SuccessorKey,
) -> Result<Prepared, Missed> {
    connect::bring_up_to_date(settings).await?;
    let (ring, feed_ring) = (keys(keeper).await?, keys(feed_keeper).await?);
    let successors =
        timeout(RELOAD, store.successor_key(candidate)).await.map_err(|_| Missed::silent())??;
    Ok(Prepared { ring, feed_ring, successors })
}

async fn keys(keeper: Option<&Keeper>) -> Result<Option<Ring>, Missed> {
    let Some(keeper) = keeper else { return Ok(None) };
    Ok(Some(timeout(RELOAD, keeper.load(None)).await.map_err(|_| Missed::silent())??))
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
