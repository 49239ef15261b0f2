//! The keys that sign: tokens, in the table `signing_keys`, or the feed, in `feed_keys`, which [`super::feed_keys`] reads
//! and writes.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use sqlx::{PgConnection, PgExecutor};

use super::audit::insert;
use super::revocations::{Record, commit_with};
use super::{AdministrationError, Store, StoreError, feed_keys};
use crate::audit::{Actor, Event};
use crate::keys::Purpose;

/// A signing key as it is stored. Times in seconds since the epoch.
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    pub(crate) private: PrivateForm,
    pub(crate) public_key: Vec<u8>,
    /// When it signs its first token.
    pub(crate) signs_from: i64,
    /// The longest life that a token of it may have.
    pub(crate) longest_token_seconds: u32,
}

/// How the private half is stored: the seed of RFC 8032 section 5.1.5.
pub(crate) enum PrivateForm {
    Clear(SecretBox<Vec<u8>>),
    /// Encrypted, by the form of `keys::seal`.
    Sealed(Vec<u8>),
}

/// The keys that are not retired, in the order in which they sign, and the database's time at which they were read.
#[derive(Debug)]
pub(crate) struct StoredKeys {
    pub(crate) now: i64,
    /// How many there were before them.
    pub(crate) retired: i64,
    pub(crate) keys: Vec<StoredKey>,
}

/// One change to the keys.
#[derive(Debug)]
pub(crate) enum Change {
    Publish(StoredKey),
    Seal {
        kid: String,
        sealed: Vec<u8>,
    },
    Lengthen {
        kid: String,
        seconds: u32,
    },
    Retire {
        kid: String,
    },
    /// Retires a key before its time, if it is one of ours, also one of the feed, and has everybody refuse whatever it signed.
    Revoke {
        kid: String,
    },
}

/// A key as `keys list` shows it.
#[derive(Debug)]
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) signs_from: i64,
    pub(crate) longest_token_seconds: u32,
    pub(crate) encrypted: bool,
    pub(crate) retired: bool,
    /// By RFC 3339, in UTC.
    pub(crate) published_at_text: String,
    pub(crate) signs_from_text: String,
    pub(crate) retired_at_text: Option<String>,
}

/// Whose time decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The database's.
    Database,
    /// That of a test, in seconds since the epoch.
    #[cfg(test)]
    At(i64),
}

impl Clock {
    pub(super) fn seconds(self) -> Option<f64> {
        match self {
            Self::Database => None,
            #[cfg(test)]
            Self::At(at) => Some(seconds(at)),
        }
    }
}

/// The most retired keys that are listed, the last ones.
const MAX_LISTED: i64 = 100;

impl Store {
    /// The keys in use.
    pub(crate) async fn signing_keys(
        &self,
        purpose: Purpose,
        clock: Clock,
    ) -> Result<StoredKeys, StoreError> {
        Ok(keys_in_use(&self.pool, purpose, clock).await?)
    }

    /// Changes the keys as `decide` says of those in use, and returns what is in use afterwards, and what was done.
    ///
    /// `asking`: who wants it. A user must be an administrator at that moment; the issuer itself does what is due. `event` is
    /// what is written down of it, where anything is.
    ///
    /// The lock makes one replica decide at a time: the next one finds what this one did. It takes more rights than
    /// reading, so ask only where there is something to change.
    pub(crate) async fn change_signing_keys<'e, E: From<StoreError> + From<AdministrationError>>(
        &self,
        purpose: Purpose,
        clock: Clock,
        asking: Actor,
        decide: impl FnOnce(&StoredKeys) -> Result<(Vec<Change>, Option<Event<'e>>), E>,
    ) -> Result<(StoredKeys, Vec<Change>), E> {
        let mut transaction = match asking {
            Actor::Issuer => self.pool.begin().await.map_err(StoreError::from)?,
            somebody => self.administer(somebody).await?,
        };
        let lock = match purpose {
            Purpose::Tokens => sqlx::query!("LOCK TABLE signing_keys IN EXCLUSIVE MODE"),
            Purpose::Feed => sqlx::query!("LOCK TABLE feed_keys IN EXCLUSIVE MODE"),
        };
        lock.execute(&mut *transaction).await.map_err(StoreError::from)?;
        let found = keys_in_use(&mut *transaction, purpose, clock).await.map_err(StoreError::from)?;
        let (changes, event) = decide(&found)?;
        for change in &changes {
            let applied = match purpose {
                Purpose::Tokens => apply(&mut transaction, change, found.now).await,
                Purpose::Feed => feed_keys::apply(&mut transaction, change, found.now).await,
            };
            applied.map_err(StoreError::from)?;
            if let (Purpose::Tokens, Change::Revoke { kid }) = (purpose, change) {
                feed_keys::revoke(&mut transaction, kid).await.map_err(StoreError::from)?;
            }
        }
        let keys = keys_in_use(&mut *transaction, purpose, clock).await.map_err(StoreError::from)?;
        if let Some(event) = &event {
            insert(&mut *transaction, event).await.map_err(StoreError::from)?;
        }
        let revoked = changes.iter().filter_map(|change| match change {
            Change::Revoke { kid } => Some(Record::Key { kid }),
            _ => None,
        });
        commit_with(transaction, &revoked.collect::<Vec<_>>()).await.map_err(StoreError::from)?;
        if let Some(event) = &event {
            self.tell(event);
        }
        Ok((keys, changes))
    }

    /// Every key in use, the last retired ones after them, and the database's time.
    pub(crate) async fn list_signing_keys(&self, clock: Clock) -> Result<(i64, Vec<KeyRow>), StoreError> {
        let now = sqlx::query_scalar!(
            r#"SELECT floor(extract(epoch FROM coalesce(to_timestamp($1), now())))::bigint AS "now!""#,
            clock.seconds()
        )
        .fetch_one(&self.pool)
        .await?;
        let rows = sqlx::query!(
            r#"SELECT kid, floor(extract(epoch FROM signs_from))::bigint AS "signs_from!", longest_token_seconds,
                      sealed_key IS NOT NULL AS "encrypted!", retired_at IS NOT NULL AS "retired!",
                      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "published_at_text!",
                      to_char(signs_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "signs_from_text!",
                      to_char(retired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS retired_at_text
               FROM signing_keys
               ORDER BY retired_at IS NOT NULL, retired_at DESC, signs_from, created_at, kid LIMIT $1"#,
            MAX_LISTED
        )
        .fetch_all(&self.pool)
        .await?;
        let listed = rows.into_iter().map(|row| KeyRow {
            kid: row.kid,
            signs_from: row.signs_from,
            longest_token_seconds: row.longest_token_seconds.unsigned_abs(),
            encrypted: row.encrypted,
            retired: row.retired,
            published_at_text: row.published_at_text,
            signs_from_text: row.signs_from_text,
            retired_at_text: row.retired_at_text,
        });
        Ok((now, listed.collect()))
    }
}

/// A key in use, or nothing but the time.
pub(super) struct KeyInUse {
    pub(super) now: i64,
    pub(super) retired: i64,
    pub(super) kid: Option<String>,
    pub(super) private_key: Option<Vec<u8>>,
    pub(super) sealed_key: Option<Vec<u8>>,
    pub(super) public_key: Option<Vec<u8>>,
    pub(super) signs_from: Option<i64>,
    pub(super) longest_token_seconds: Option<i32>,
}

async fn keys_in_use(
    executor: impl PgExecutor<'_>,
    purpose: Purpose,
    clock: Clock,
) -> Result<StoredKeys, sqlx::Error> {
    let rows = match purpose {
        Purpose::Tokens => token_keys_in_use(executor, clock).await?,
        Purpose::Feed => feed_keys::in_use(executor, clock).await?,
    };
    let (now, retired) = rows.first().map(|row| (row.now, row.retired)).ok_or(sqlx::Error::RowNotFound)?;
    let keys = rows.into_iter().filter_map(|row| {
        let private = match (row.private_key, row.sealed_key) {
            (_, Some(sealed)) => PrivateForm::Sealed(sealed),
            (seed, None) => PrivateForm::Clear(SecretBox::new(Box::new(seed.unwrap_or_default()))),
        };
        Some(StoredKey {
            kid: row.kid?,
            private,
            public_key: row.public_key?,
            signs_from: row.signs_from?,
            longest_token_seconds: row.longest_token_seconds?.unsigned_abs(),
        })
    });
    Ok(StoredKeys { now, retired, keys: keys.collect() })
}

async fn token_keys_in_use(
    executor: impl PgExecutor<'_>,
    clock: Clock,
) -> Result<Vec<KeyInUse>, sqlx::Error> {
    // One row at least: the time. Not `now()`, which stood still while a transaction waited for its lock.
    sqlx::query_as!(
        KeyInUse,
        r#"SELECT floor(extract(epoch FROM at))::bigint AS "now!", kid AS "kid?", private_key, sealed_key,
                  public_key AS "public_key?", floor(extract(epoch FROM signs_from))::bigint AS signs_from,
                  longest_token_seconds AS "longest_token_seconds?",
                  (SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL) AS "retired!"
           FROM (SELECT coalesce(to_timestamp($1), clock_timestamp()) AS at) AS time
           LEFT JOIN signing_keys ON retired_at IS NULL
           ORDER BY signs_from, created_at, kid DESC"#,
        clock.seconds()
    )
    .fetch_all(executor)
    .await
}

impl PrivateForm {
    /// What stands in the column for the clear form, and in that for the sealed one.
    pub(super) fn columns(&self) -> (Option<&Vec<u8>>, Option<&Vec<u8>>) {
        match self {
            Self::Clear(seed) => (Some(seed.expose_secret()), None),
            Self::Sealed(sealed) => (None, Some(sealed)),
        }
    }
}

async fn apply(connection: &mut PgConnection, change: &Change, now: i64) -> Result<(), sqlx::Error> {
    let done = match change {
        Change::Publish(key) => {
            let (clear, sealed) = key.private.columns();
            sqlx::query!(
                "INSERT INTO signing_keys (kid, algorithm, private_key, sealed_key, public_key, created_at, signs_from,
                                           longest_token_seconds)
                 VALUES ($1, 'EdDSA', $2, $3, $4, to_timestamp($5), to_timestamp($6), $7)",
                key.kid,
                clear,
                sealed,
                key.public_key,
                seconds(now),
                seconds(key.signs_from),
                i32::try_from(key.longest_token_seconds).unwrap_or(i32::MAX),
            )
        }
        Change::Seal { kid, sealed } => sqlx::query!(
            "UPDATE signing_keys SET private_key = NULL, sealed_key = $2 WHERE kid = $1 AND retired_at IS NULL",
            kid,
            sealed,
        ),
        Change::Lengthen { kid, seconds } => sqlx::query!(
            "UPDATE signing_keys SET longest_token_seconds = greatest(longest_token_seconds, $2) WHERE kid = $1",
            kid,
            i32::try_from(*seconds).unwrap_or(i32::MAX),
        ),
        // Nobody needs the private half any more. A clock that was set back must not end before the key began.
        Change::Retire { kid } | Change::Revoke { kid } => sqlx::query!(
            "UPDATE signing_keys SET private_key = NULL, sealed_key = NULL,
                                     retired_at = greatest(to_timestamp($2), created_at)
             WHERE kid = $1 AND retired_at IS NULL",
            kid,
            seconds(now),
        ),
    };
    done.execute(connection).await.map(|_| ())
}

/// PostgreSQL takes times as floating point numbers, which are exact for seconds.
#[expect(clippy::cast_precision_loss, reason = "seconds since the epoch stay far below 2^53")]
pub(super) fn seconds(seconds: i64) -> f64 {
    seconds as f64
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoredKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
