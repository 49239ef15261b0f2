//! Revocation records: what verifiers must refuse although its signature holds.

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

/// How much longer than the leeway of every verifier a record lasts, in seconds: for clocks, and for feeds that lag.
const MARGIN_SECONDS: i64 = 60;

/// One record to be. `greatest_exp` is the greatest `exp` among the tokens that it concerns, as they were made and not
/// as the settings are now: to lower the life of tokens must not end a record early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The tokens of a session.
    Session { id: Uuid, greatest_exp: i64 },
    /// The tokens of a user before this version.
    Subject { id: Uuid, minimum: i64, reason: Reason, greatest_exp: i64 },
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
/// lock is taken after it. A record that nobody needs any more, because all its tokens have expired, is left out.
///
/// # Errors
/// What the server says; nothing is committed then. So also where the head has lost its row: a record without a number
/// would reach nobody.
pub(super) async fn commit_with(
    mut transaction: Transaction<'_, Postgres>,
    records: &[Record],
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
               WHERE ends_at > extract(epoch FROM clock_timestamp())
             ), counted AS (
               SELECT count(*) AS records FROM record
             ), head AS (
               UPDATE revocation_head SET sequence = sequence + records FROM counted WHERE records > 0
               RETURNING sequence - records AS before
             )
             INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at)
             SELECT (SELECT before FROM head) + number, kind, name, minimum, reason, ends_at FROM record",
            &columns.kinds,
            &columns.names,
            &columns.minimums as &[Option<i64>],
            &columns.reasons as &[Option<String>],
            &columns.ends_at,
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
    names: Vec<String>,
    minimums: Vec<Option<i64>>,
    reasons: Vec<Option<String>>,
    ends_at: Vec<i64>,
}

impl Columns {
    fn push(&mut self, record: Record) {
        let (kind, id, minimum, reason, greatest_exp) = match record {
            Record::Session { id, greatest_exp } => ("session", id, None, None, greatest_exp),
            Record::Subject { id, minimum, reason, greatest_exp } => {
                ("subject", id, Some(minimum), Some(reason.as_str().to_owned()), greatest_exp)
            }
        };
        self.kinds.push(kind.to_owned());
        self.names.push(id.to_string());
        self.minimums.push(minimum);
        self.reasons.push(reason);
        self.ends_at.push(end(greatest_exp));
    }
}

/// When nobody accepts a token of this `exp` any more, whatever his leeway.
fn end(greatest_exp: i64) -> i64 {
    let leeway = i64::try_from(MAX_LEEWAY_SECONDS).unwrap_or(i64::MAX);
    greatest_exp.saturating_add(leeway).saturating_add(MARGIN_SECONDS)
}
