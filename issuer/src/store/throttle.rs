//! How often something was tried: one statement decides, by the database's clock, and so for all replicas.
//!
//! A limit of n attempts in a window is kept as one time for each key, by the generic cell rate algorithm (ITU-T I.371):
//! each attempt costs a step of the window's nth part, and is refused where the time would lie more than the window
//! ahead. So n may come at once, and then one in each step.

use std::time::Duration;

use super::{Store, StoreError};
use crate::throttle::{Key, Limit};

/// What an attempt is counted under. What is `None` is not limited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    /// Refused beyond the limit.
    pub(crate) address: Option<(&'a Key, Limit)>,
    /// The same; not counted where the address was refused.
    pub(crate) pair: Option<(&'a Key, Limit)>,
    /// Never refused; counted where neither of the others was, to so many attempts beyond the limit.
    pub(crate) account: Option<(&'a Key, Limit)>,
    pub(crate) most_beyond: u32,
}

/// What the counters say of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// So many attempts at the account lie beyond its limit; and whether any lies before this one, at account or pair.
    Allowed {
        beyond: u32,
        is_first: bool,
    },
    RefusedAddress(Refusal),
    RefusedPair(Refusal),
}

/// What a refusal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Until an attempt is allowed again.
    pub(crate) wait: Duration,
    /// The first of its key in a window.
    pub(crate) is_first: bool,
}

impl Store {
    /// Counts an attempt, before it is made: of attempts that come at once no more pass than may.
    ///
    /// Every statement here locks in the order address, pair, account, so that none waits for another in a circle.
    pub(crate) async fn count_attempt(&self, counted: &Counted<'_>) -> Result<Decision, StoreError> {
        let [address, pair, account] = [counted.address, counted.pair, counted.account].map(Cell::of);
        let most_account =
            account.pace.burst_us + account.pace.step_us * (1 + i64::from(counted.most_beyond));
        let row = sqlx::query!(
            r#"WITH by_address AS (
                 INSERT INTO throttle AS past (key, ends_at)
                 SELECT $1::bytea, now() + $2::bigint * interval '1 microsecond' WHERE $1::bytea IS NOT NULL
                 ON CONFLICT (key) DO UPDATE SET (ends_at, refused, noted_at) = (
                   SELECT CASE WHEN over THEN ahead ELSE ahead + $2::bigint * interval '1 microsecond' END, over,
                          CASE WHEN over AND past.noted_at > now() - $4::bigint * interval '1 microsecond' IS NOT TRUE
                               THEN now() ELSE past.noted_at END
                   FROM (SELECT LEAST(GREATEST(past.ends_at, now()), now() + $4::bigint * interval '1 microsecond')) AS a (ahead),
                        LATERAL (SELECT ahead > now() + $3::bigint * interval '1 microsecond') AS o (over)
                 )
                 RETURNING refused, noted_at, ends_at
               ), by_pair AS (
                 INSERT INTO throttle AS past (key, ends_at)
                 SELECT $5::bytea, now() + $6::bigint * interval '1 microsecond'
                 WHERE $5::bytea IS NOT NULL AND NOT EXISTS (SELECT FROM by_address WHERE refused)
                 ON CONFLICT (key) DO UPDATE SET (ends_at, refused, noted_at) = (
                   SELECT CASE WHEN over THEN ahead ELSE ahead + $6::bigint * interval '1 microsecond' END, over,
                          CASE WHEN over AND past.noted_at > now() - $8::bigint * interval '1 microsecond' IS NOT TRUE
                               THEN now() ELSE past.noted_at END
                   FROM (SELECT LEAST(GREATEST(past.ends_at, now()), now() + $8::bigint * interval '1 microsecond')) AS a (ahead),
                        LATERAL (SELECT ahead > now() + $7::bigint * interval '1 microsecond') AS o (over)
                 )
                 RETURNING refused, noted_at, ends_at
               ), by_account AS (
                 INSERT INTO throttle AS past (key, ends_at)
                 SELECT $9::bytea, now() + $10::bigint * interval '1 microsecond'
                 WHERE $9::bytea IS NOT NULL AND NOT EXISTS (SELECT FROM by_address WHERE refused)
                   AND NOT EXISTS (SELECT FROM by_pair WHERE refused)
                 ON CONFLICT (key) DO UPDATE SET ends_at = LEAST(
                   GREATEST(past.ends_at, now()) + $10::bigint * interval '1 microsecond',
                   now() + $11::bigint * interval '1 microsecond')
                 RETURNING ends_at
               )
               SELECT by_address.refused AS "address_refused?", by_address.noted_at = now() AS "address_noted?",
                      (extract(epoch FROM by_address.ends_at - now()) * 1000000)::bigint AS "address_ahead?",
                      by_pair.refused AS "pair_refused?", by_pair.noted_at = now() AS "pair_noted?",
                      (extract(epoch FROM by_pair.ends_at - now()) * 1000000)::bigint AS "pair_ahead?",
                      (extract(epoch FROM by_account.ends_at - now()) * 1000000)::bigint AS "account_ahead?"
               FROM (VALUES (1)) AS one LEFT JOIN by_address ON true LEFT JOIN by_pair ON true
                    LEFT JOIN by_account ON true"#,
            address.key,
            address.pace.step_us,
            address.pace.burst_us,
            address.pace.window_us,
            pair.key,
            pair.pace.step_us,
            pair.pace.burst_us,
            pair.pace.window_us,
            account.key,
            account.pace.step_us,
            most_account,
        )
        .fetch_one(&self.pool)
        .await?;
        let refusal = |cell: &Cell<'_>, ahead: Option<i64>, noted: Option<bool>| Refusal {
            wait: cell.pace.wait(ahead.unwrap_or_default()),
            is_first: noted == Some(true),
        };
        if row.address_refused == Some(true) {
            return Ok(Decision::RefusedAddress(refusal(&address, row.address_ahead, row.address_noted)));
        }
        if row.pair_refused == Some(true) {
            return Ok(Decision::RefusedPair(refusal(&pair, row.pair_ahead, row.pair_noted)));
        }
        let is_only =
            |cell: &Cell<'_>, ahead: Option<i64>| ahead.is_none_or(|ahead| ahead <= cell.pace.step_us);
        let is_first = is_only(&pair, row.pair_ahead) && is_only(&account, row.account_ahead);
        Ok(Decision::Allowed { beyond: account.beyond(row.account_ahead), is_first })
    }

    /// Takes back what was counted of an attempt that succeeded: all of the pair's, whose user has shown that he knows
    /// the password; of the account's this attempt only, since others may be guessing.
    pub(crate) async fn forget_attempt(&self, counted: &Counted<'_>) -> Result<(), StoreError> {
        let [pair, account] = [counted.pair, counted.account].map(Cell::of);
        // The condition on `forgotten` keeps the order of the locks.
        sqlx::query!(
            "WITH forgotten AS (DELETE FROM throttle WHERE key = $1 RETURNING key)
             UPDATE throttle SET ends_at = ends_at - $3::bigint * interval '1 microsecond'
             WHERE key = $2 AND (SELECT count(*) FROM forgotten) >= 0",
            pair.key,
            account.key,
            account.pace.step_us,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes back an attempt in which nothing was tried: its own step everywhere, and nothing of the others.
    pub(crate) async fn take_back_attempt(&self, counted: &Counted<'_>) -> Result<(), StoreError> {
        let [address, pair, account] = [counted.address, counted.pair, counted.account].map(Cell::of);
        // The conditions on those before keep the order of the locks.
        sqlx::query!(
            "WITH by_address AS (
               UPDATE throttle SET ends_at = ends_at - $2::bigint * interval '1 microsecond' WHERE key = $1
               RETURNING key
             ), by_pair AS (
               UPDATE throttle SET ends_at = ends_at - $4::bigint * interval '1 microsecond'
               WHERE key = $3 AND (SELECT count(*) FROM by_address) >= 0
               RETURNING key
             )
             UPDATE throttle SET ends_at = ends_at - $6::bigint * interval '1 microsecond'
             WHERE key = $5 AND (SELECT count(*) FROM by_pair) >= 0",
            address.key,
            address.pace.step_us,
            pair.key,
            pair.pace.step_us,
            account.key,
            account.pace.step_us,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// A limit as statements take it, in whole microseconds: a step that is rounded down never makes n steps longer than
/// the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) step_us: i64,
    /// How far ahead the time may lie for an attempt to pass.
    pub(super) burst_us: i64,
    pub(super) window_us: i64,
}

impl Pace {
    pub(super) fn of(limit: Limit) -> Self {
        let (attempts, window_us) =
            (i64::from(limit.attempts.get()), i64::from(limit.seconds.get()) * 1_000_000);
        let step_us = window_us / attempts;
        Self { step_us, burst_us: step_us * (attempts - 1), window_us }
    }

    /// How long until an attempt passes, where the time lies so far ahead.
    pub(super) fn wait(self, ahead_us: i64) -> Duration {
        Duration::from_micros(u64::try_from(ahead_us - self.burst_us).unwrap_or_default())
    }
}

/// One limit, and what is counted under it.
struct Cell<'a> {
    key: Option<&'a [u8]>,
    pace: Pace,
}

impl<'a> Cell<'a> {
    fn of(counted: Option<(&'a Key, Limit)>) -> Self {
        match counted {
            Some((key, limit)) => Self { key: Some(key.as_bytes()), pace: Pace::of(limit) },
            None => Self { key: None, pace: Pace::default() },
        }
    }

    /// How many attempts lie beyond the limit.
    fn beyond(&self, ahead: Option<i64>) -> u32 {
        let Pace { step_us, burst_us, .. } = self.pace;
        let excess = (ahead.unwrap_or_default() - burst_us - step_us).max(0);
        u32::try_from(excess.div_euclid(step_us.max(1)) + i64::from(excess % step_us.max(1) > 0))
            .unwrap_or(u32::MAX)
    }
}
