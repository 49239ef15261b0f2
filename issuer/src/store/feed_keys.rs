//! The keys that sign the feed of revocations, as [`super::signing_keys`] has those that sign tokens.

use sqlx::{PgConnection, PgExecutor};

use super::signing_keys::{Change, Clock, KeyInUse, seconds};

/// How long an answer may still be taken after it was signed, in seconds: as long as a proxy may go on from what another
/// one of its workers has left to it. A key is published for as long, after it has signed its last answer.
pub(crate) const ANSWER_SECONDS: u32 = 86_400;

/// The keys that are not retired, in the order in which they sign; one row at least, with the time.
pub(super) async fn in_use(
    executor: impl PgExecutor<'_>,
    clock: Clock,
) -> Result<Vec<KeyInUse>, sqlx::Error> {
    sqlx::query_as!(
        KeyInUse,
        r#"SELECT floor(extract(epoch FROM at))::bigint AS "now!", kid AS "kid?", private_key, sealed_key,
                  public_key AS "public_key?", floor(extract(epoch FROM signs_from))::bigint AS signs_from,
                  $2::integer AS longest_token_seconds,
                  (SELECT count(*) FROM feed_keys WHERE retired_at IS NOT NULL) AS "retired!"
           FROM (SELECT coalesce(to_timestamp($1), clock_timestamp()) AS at) AS time
           LEFT JOIN feed_keys ON retired_at IS NULL
           ORDER BY signs_from, created_at, kid DESC"#,
        clock.seconds(),
        i32::try_from(ANSWER_SECONDS).unwrap_or(i32::MAX),
    )
    .fetch_all(executor)
    .await
}

/// Retires a key of the feed before its time, if it is one. What verifies answers is the published set alone: a record would
/// reach nobody who believes a thief's.
pub(super) async fn revoke(connection: &mut PgConnection, kid: &str) -> Result<(), sqlx::Error> {
    let found = in_use(&mut *connection, Clock::Database).await?;
    match found.iter().find(|key| key.kid.as_deref() == Some(kid)) {
        Some(key) => apply(connection, &Change::Revoke { kid: kid.to_owned() }, key.now).await,
        None => Ok(()),
    }
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    change: &Change,
    now: i64,
) -> Result<(), sqlx::Error> {
    let done = match change {
        Change::Publish(key) => {
            let (clear, sealed) = key.private.columns();
            sqlx::query!(
                "INSERT INTO feed_keys (kid, private_key, sealed_key, public_key, created_at, signs_from)
                 VALUES ($1, $2, $3, $4, to_timestamp($5), to_timestamp($6))",
                key.kid,
                clear,
                sealed,
                key.public_key,
                seconds(now),
                seconds(key.signs_from),
            )
        }
        Change::Seal { kid, sealed } => sqlx::query!(
            "UPDATE feed_keys SET private_key = NULL, sealed_key = $2 WHERE kid = $1 AND retired_at IS NULL",
            kid,
            sealed,
        ),
        // What is signed lives as long as it does.
        Change::Lengthen { .. } => return Ok(()),
        // Nobody needs the private half any more. A clock that was set back must not end before the key began.
        Change::Retire { kid } | Change::Revoke { kid } => sqlx::query!(
            "UPDATE feed_keys SET private_key = NULL, sealed_key = NULL,
                                  retired_at = greatest(to_timestamp($2), created_at)
             WHERE kid = $1 AND retired_at IS NULL",
            kid,
            seconds(now),
        ),
    };
    done.execute(connection).await.map(|_| ())
}
