//! Forks: the database goes on from an earlier point than somebody has read. A standby took over that lacked the last
//! transactions, or a dump was played back. What is lost cannot be known, so everything from before ends: tokens, sessions, and
//! one-time links, of which some were used or void in what is lost.

use std::io;

use sqlx::{Connection, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::audit::insert;
use super::error::is_undefined;
use super::revocations::{Record, commit_with};
use super::{Store, StoreError};
use crate::audit::{By, Event, Kind};

/// Whether this connection leads to the database, its server and the line of its history that were written down. If not, that is a fork.
/// Called on every connection before anything is done with it: so no token and no answer of the feed comes from a log that
/// has forked unnoticed.
///
/// # Errors
/// The database's. Also where it leads to a standby, whose log somebody else writes: it could be promoted while we hold it.
pub(super) async fn look(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let found = sqlx::query!(r#"SELECT bearward_instance() AS here, instance FROM issuer_state"#);
    let found = match found.fetch_optional(&mut *connection).await {
        Ok(Some(found)) => found,
        // Nothing to sign with, and whoever tries will say so.
        Ok(None) => return Ok(()),
        Err(error) if is_undefined(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    match found.here {
        None => Err(io::Error::other("this server is a standby").into()),
        Some(here) if found.instance.as_ref() == Some(&here) => Ok(()),
        Some(here) => arrive(connection, &here).await,
    }
}

/// Writes down where the database is by now, and that it forked, unless another process has done so meanwhile.
async fn arrive(connection: &mut PgConnection, here: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let known = sqlx::query_scalar!("SELECT instance FROM issuer_state FOR UPDATE");
    let known = known.fetch_one(&mut *transaction).await?;
    if known.as_deref() == Some(here) {
        return Ok(());
    }
    sqlx::query!("UPDATE issuer_state SET instance = $1", here).execute(&mut *transaction).await?;
    if known.is_none() {
        return transaction.commit().await;
    }
    let event = By::issuer().did(Kind::FeedGeneration).because("another_instance");
    fork(transaction, &event).await?;
    tracing::warn!(
        "the database is another one or has another history than before (failover or restore): everybody \
         logs in once, one-time links are void, and every proxy reads all revocations anew"
    );
    event.log();
    Ok(())
}

impl Store {
    /// Does what a fork that shows by itself does, for one that does not: a dump that was played back into the same database.
    ///
    /// # Errors
    /// The database's; nothing has changed then.
    pub(crate) async fn new_generation(&self, event: &Event<'_>) -> Result<(), StoreError> {
        let transaction = self.pool.begin().await?;
        fork(transaction, event).await?;
        self.tell(event);
        Ok(())
    }
}

impl Store {
    /// The same, where somebody saw that this log goes on from an earlier point than he has read. `false`: somebody else saw it
    /// before, and it is another log by now.
    ///
    /// # Errors
    /// The database's; nothing has changed then.
    pub(crate) async fn log_went_back(&self, generation: Uuid) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("SELECT only_row FROM issuer_state FOR UPDATE").fetch_one(&mut *transaction).await?;
        let now = sqlx::query_scalar!("SELECT generation FROM revocation_head")
            .fetch_one(&mut *transaction)
            .await?;
        if now != generation {
            return Ok(false);
        }
        let event = By::issuer().did(Kind::FeedGeneration).because("log_went_back");
        fork(transaction, &event).await?;
        self.tell(&event);
        Ok(true)
    }
}

/// Where the log is.
#[derive(Debug)]
pub(crate) struct FeedStatus {
    /// 32 hexadecimal digits.
    pub(crate) generation: String,
    pub(crate) sequence: i64,
    /// 64 hexadecimal digits.
    pub(crate) digest: String,
    pub(crate) epoch: i64,
    /// `system_identifier`, timeline and oid of the database.
    pub(crate) instance: Option<String>,
    /// Live records by kind.
    pub(crate) sessions: i64,
    pub(crate) subjects: i64,
    pub(crate) keys: i64,
    pub(crate) epochs: i64,
}

impl Store {
    /// Where the log is, and how many records have not ended.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn feed_status(&self) -> Result<FeedStatus, StoreError> {
        let status = sqlx::query_as!(
            FeedStatus,
            r#"SELECT replace(generation::text, '-', '') AS "generation!", sequence, encode(digest, 'hex') AS "digest!",
                      issuer_state.epoch, instance, sessions AS "sessions!", subjects AS "subjects!", keys AS "keys!",
                      epochs AS "epochs!"
               FROM revocation_head CROSS JOIN issuer_state CROSS JOIN (
                 SELECT count(*) FILTER (WHERE kind = 'session') AS sessions,
                        count(*) FILTER (WHERE kind = 'subject') AS subjects,
                        count(*) FILTER (WHERE kind = 'key') AS keys, count(*) FILTER (WHERE kind = 'epoch') AS epochs
                 FROM revocations WHERE (ends_at > extract(epoch FROM now())) IS NOT FALSE
               ) AS live"#
        );
        Ok(status.fetch_one(&self.pool).await?)
    }
}

/// Ends all tokens, sessions and links of before, begins a new log that goes on from this one, and commits.
async fn fork(mut transaction: Transaction<'_, Postgres>, event: &Event<'_>) -> Result<(), sqlx::Error> {
    let raised = raise_epoch(&mut transaction, true).await?;
    sqlx::query!("DELETE FROM password_links").execute(&mut *transaction).await?;
    insert(&mut *transaction, event).await?;
    sqlx::query!("UPDATE revocation_head SET generation = gen_random_uuid()")
        .execute(&mut *transaction)
        .await?;
    commit_with(transaction, &[raised]).await
}

/// Begins a new epoch, and returns the record that ends the tokens of those before; `sessions`: none of before is refreshed
/// any more, either.
///
/// The epoch is the time, and not the next number: what was lost may have raised it as far, or farther.
pub(super) async fn raise_epoch(
    transaction: &mut Transaction<'_, Postgres>,
    sessions: bool,
) -> Result<Record<'static>, sqlx::Error> {
    let raised = sqlx::query!(
        r#"UPDATE issuer_state
           SET epoch = GREATEST(epoch + 1, at),
               sessions_from_epoch = CASE WHEN $1 THEN GREATEST(epoch + 1, at) ELSE sessions_from_epoch END
           FROM (SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS at) AS clock
           RETURNING epoch, at AS "at!""#,
        sessions,
    );
    let raised = raised.fetch_one(&mut **transaction).await?;
    Ok(Record::Epoch { minimum: raised.epoch, at: raised.at })
}
