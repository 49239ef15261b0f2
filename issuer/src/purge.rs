//! Deletes what is over, from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{debug, warn};

use crate::app::App;
use crate::random;
use crate::store::{Purged, Store, StoreError};

/// The pause between two runs.
const PAUSE: Duration = Duration::from_secs(60);
/// The most rows that one statement deletes: it holds its locks for some milliseconds.
const BATCH: u32 = 1_000;
/// The most statements for one table in one run. What is left waits for the next.
const MAX_BATCHES: u32 = 100;
/// The pause between two statements, in which others have the database.
const BREATH: Duration = Duration::from_millis(20);

/// All that has a life, in the order in which it is purged.
pub(crate) fn all(audit_days: u32) -> [Purged; 8] {
    [
        Purged::RefreshTokens,
        Purged::Sessions,
        Purged::Revocations,
        Purged::PasswordLinks,
        Purged::Throttle,
        Purged::SigningKeys,
        Purged::FeedKeys,
        Purged::AuditEvents { days: audit_days },
    ]
}

/// What could not be deleted from.
#[derive(Debug)]
struct Failure {
    table: &'static str,
    cause: StoreError,
}

/// Purges for as long as the process serves. Replicas begin at different moments; that they meet harms nothing.
pub(crate) async fn forever(app: Arc<App>, audit_days: u32) {
    sleep(PAUSE.mul_f64(fraction())).await;
    let mut told = None;
    loop {
        // What is over stays over: the next run deletes it. So the same is told once.
        let failed = run(&app.store, audit_days).await.err();
        if let Some(Failure { table, cause }) = failed.as_ref().filter(|failed| told != Some(failed.table)) {
            warn!(table, %cause, "what is over could not be deleted");
        }
        told = failed.map(|failed| failed.table);
        sleep(PAUSE).await;
    }
}

/// One run over all tables. One that fails, for a right that is missing or a statement that takes too long, does not let
/// the others grow.
///
/// # Errors
/// The first.
async fn run(store: &Store, audit_days: u32) -> Result<(), Failure> {
    let mut first = Ok(());
    for purged in all(audit_days) {
        let table = purged.table();
        let done = one(store, purged).await.map_err(|cause| Failure { table, cause });
        first = first.and(done);
    }
    first
}

async fn one(store: &Store, purged: Purged) -> Result<(), StoreError> {
    for _ in 0..MAX_BATCHES {
        let rows = store.purge(purged, BATCH).await?;
        store.metrics().purged(purged.table(), rows);
        if rows > 0 {
            debug!(table = purged.table(), rows, "deleted what is over");
        }
        if rows < u64::from(BATCH) {
            break;
        }
        sleep(BREATH).await;
    }
    Ok(())
}

/// A number from 0 to 1.
fn fraction() -> f64 {
    random::bytes().map_or(0.5, |[byte]: [u8; 1]| f64::from(byte) / 255.0)
}

#[cfg(test)]
mod tests;
