//! What a replica reads of the log of revocations: its head and the records after a place, in one statement.

use std::io;

use bearward_protocol::revocations::{RecordKind, SubjectReason};
use sqlx::postgres::PgListener;
use uuid::Uuid;

use super::{Store, StoreError, forks};

/// The channel on which every transaction that wrote a record is told.
const CHANNEL: &str = "bearward_revocations";

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LogPlace {
    pub(crate) sequence: u64,
    pub(crate) digest: [u8; 32],
}

/// A record as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedRecord {
    pub(crate) place: LogPlace,
    pub(crate) kind: RecordKind,
    pub(crate) name: Option<Box<str>>,
    pub(crate) minimum: Option<u64>,
    pub(crate) epoch: Option<u64>,
    pub(crate) reason: Option<SubjectReason>,
    /// In seconds since the epoch. `None`: it has no end.
    pub(crate) ends_at: Option<u64>,
}

/// What one statement found.
#[derive(Clone, Debug)]
pub(crate) struct LogReading {
    /// The primary's time before its snapshot, in milliseconds since the epoch.
    pub(crate) as_of: u64,
    pub(crate) generation: Uuid,
    pub(crate) head: LogPlace,
    /// The digest of the record that it was asked to go on after; `None`: its row is not there.
    pub(crate) digest_before: Option<[u8; 32]>,
    /// The records after that one, in their order.
    pub(crate) records: Vec<LoggedRecord>,
    /// Whether these are all.
    pub(crate) is_whole: bool,
}

impl Store {
    /// The head, and at most `limit` records after a sequence. `None`: this server is a standby, which may lag behind as
    /// far as it likes.
    ///
    /// `now()` is the time at which the transaction began, so it is earlier than any snapshot in it. `statement_timestamp()`
    /// is not: in the extended protocol it is the time of Execute, and the snapshot is that of Bind.
    pub(crate) async fn revocation_log(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<LogReading>, StoreError> {
        let mut connection = self.feed.acquire().await?;
        let rows = sqlx::query!(
            r#"SELECT floor(extract(epoch FROM now()) * 1000)::bigint AS "as_of!",
                      pg_is_in_recovery() AS "is_standby!",
                      (SELECT bearward_instance()) IS NOT DISTINCT FROM (SELECT instance FROM issuer_state) AS "is_here!",
                      head.generation AS "generation!", head.sequence AS "head_sequence!", head.digest AS "head_digest!",
                      (SELECT digest FROM revocations WHERE sequence = $1) AS digest_before,
                      record.sequence AS "sequence?", record.digest AS "digest?", kind AS "kind?", name, minimum,
                      record.epoch, reason, ends_at
               FROM revocation_head AS head
               LEFT JOIN LATERAL (
                 SELECT * FROM revocations WHERE sequence > $1 AND sequence <= head.sequence ORDER BY sequence LIMIT $2
               ) AS record ON true
               ORDER BY record.sequence"#,
            i64::try_from(after).unwrap_or(i64::MAX),
            i64::from(limit),
        )
        .fetch_all(&mut *connection)
        .await?;
        let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        if first.is_standby {
            return Ok(None);
        }
        if !first.is_here {
            // It led elsewhere when it was looked at: a pooler has moved it since.
            forks::look(&mut connection).await?;
            return Err(
                sqlx::Error::from(io::Error::other("the connection leads to another server by now")).into()
            );
        }
        let mut reading = LogReading {
            as_of: number(first.as_of),
            generation: first.generation,
            head: LogPlace { sequence: number(first.head_sequence), digest: digest(&first.head_digest)? },
            digest_before: first.digest_before.as_deref().map(digest).transpose()?,
            records: Vec::with_capacity(rows.len()),
            is_whole: true,
        };
        for row in rows {
            let (Some(sequence), Some(bytes), Some(kind)) = (row.sequence, &row.digest, &row.kind) else {
                continue;
            };
            reading.records.push(LoggedRecord {
                place: LogPlace { sequence: number(sequence), digest: digest(bytes)? },
                kind: named(kind)?,
                name: row.name.map(String::into_boxed_str),
                minimum: row.minimum.map(number),
                epoch: row.epoch.map(number),
                reason: row.reason.as_deref().map(named).transpose()?,
                ends_at: row.ends_at.map(number),
            });
        }
        reading.is_whole = u32::try_from(reading.records.len()).is_ok_and(|records| records < limit);
        Ok(Some(reading))
    }

    /// A connection that hears of new records.
    pub(crate) async fn listen_for_revocations(&self) -> Result<PgListener, StoreError> {
        let mut listener = PgListener::connect_with(&self.feed).await?;
        // Whoever hears nothing any more must know it.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }
}

/// The schema admits no negative one.
fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a digest of another length".into()))
}

/// A kind or reason by the name that it has in the feed, too.
fn named<T: for<'de> serde::Deserialize<'de>>(name: &str) -> Result<T, sqlx::Error> {
    let parsed = T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name));
    parsed.map_err(|_| sqlx::Error::Decode("a record of an unknown kind".into()))
}
