//! Revocation records: what verifiers must refuse although its signature holds.

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;
use bearward_protocol::revocations::{MAX_TOKEN_SECONDS, RECORD_MARGIN_SECONDS};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

/// One record to be. `greatest_exp` is the greatest `exp` among the tokens that it concerns, as they were made and not
/// as the settings are now: to lower the life of tokens must not end a record early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// The tokens of a session.
    Session { id: Uuid, greatest_exp: i64 },
    /// The tokens of a user before this version, up to the epoch of the moment: the table's trigger writes that down.
    Subject { id: Uuid, minimum: i64, reason: Reason, greatest_exp: i64 },
    /// Whatever a key signed. It has no end: whoever stole the key writes any `exp`.
    Key { kid: &'a str },
    /// All tokens of epochs before this one, which were made before this time and so end by the bound of the setting: the
    /// sessions that a restored database knows are not all that there were.
    Epoch { minimum: i64, at: i64 },
}

/// Why a user's tokens ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Something about the user; newer tokens are good.
    Changed,
    /// The user is disabled or deleted. One who is enabled again has a greater version.
    Gone,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// Writes the records and commits.
///
/// The head's row is what every writer waits for, so it is locked by the last statement, once for all records, and no
/// lock is taken after it. A record that nobody needs is left out: one whose tokens have all expired, and that of a key which
/// has one, for good, since nothing would ever purge the others.
///
/// # Errors
/// What the server says; nothing is committed then. So also where the head has lost its row: a record without a number
/// would reach nobody.
pub(super) async fn commit_with(
    mut transaction: Transaction<'_, Postgres>,
    records: &[Record<'_>],
) -> Result<(), sqlx::Error> {
    let mut columns = Columns::default();
    for record in records {
        columns.push(*record);
    }
    if !records.is_empty() {
        sqlx::query!(
            "WITH record AS MATERIALIZED (
               SELECT kind, name, minimum, reason, ends_at, row_number() OVER (ORDER BY place) AS number
               FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
                    WITH ORDINALITY AS given (kind, name, minimum, reason, ends_at, place)
               WHERE (ends_at > extract(epoch FROM clock_timestamp())) IS NOT FALSE
                     AND CASE kind WHEN 'key' THEN NOT EXISTS (
                           SELECT FROM revocations AS known WHERE known.kind = 'key' AND known.name = given.name)
                         ELSE true END
             ), counted AS (
               SELECT count(*) AS records FROM record
             ), head AS (
               UPDATE revocation_head SET sequence = sequence + records FROM counted WHERE records > 0
               RETURNING sequence - records AS before
             )
             INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at)
             SELECT (SELECT before FROM head) + number, kind, name, minimum, reason, ends_at FROM record",
            &columns.kinds,
            &columns.names as &[Option<String>],
            &columns.minimums as &[Option<i64>],
            &columns.reasons as &[Option<String>],
            &columns.ends_at as &[Option<i64>],
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

/// The records as arrays, which is how one statement takes any number of them.
#[derive(Default)]
struct Columns {
    kinds: Vec<String>,
    names: Vec<Option<String>>,
    minimums: Vec<Option<i64>>,
    reasons: Vec<Option<String>>,
    ends_at: Vec<Option<i64>>,
}

impl Columns {
    fn push(&mut self, record: Record<'_>) {
        let (kind, name, minimum, reason, greatest_exp) = match record {
            Record::Session { id, greatest_exp } => {
                ("session", Some(id.to_string()), None, None, Some(greatest_exp))
            }
            Record::Subject { id, minimum, reason, greatest_exp } => {
                ("subject", Some(id.to_string()), Some(minimum), Some(reason.as_str()), Some(greatest_exp))
            }
            Record::Key { kid } => ("key", Some(kid.to_owned()), None, None, None),
            Record::Epoch { minimum, at } => {
                ("epoch", None, Some(minimum), None, Some(at.saturating_add_unsigned(MAX_TOKEN_SECONDS)))
            }
        };
        self.kinds.push(kind.to_owned());
        self.names.push(name);
        self.minimums.push(minimum);
        self.reasons.push(reason.map(str::to_owned));
        self.ends_at.push(greatest_exp.map(end));
    }
}

/// When nobody accepts a token of this `exp` any more, whatever his leeway.
fn end(greatest_exp: i64) -> i64 {
    greatest_exp.saturating_add_unsigned(MAX_LEEWAY_SECONDS).saturating_add_unsigned(RECORD_MARGIN_SECONDS)
}
