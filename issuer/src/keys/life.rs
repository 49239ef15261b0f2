//! The life of a signing key: published, signs, verifies only, retired. Decided here, from what is stored and the
//! database's time; nothing here knows a clock.

use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;

use crate::store::KeyRow;

/// How often a replica reads the keys, in seconds.
pub(crate) const RELOAD_SECONDS: u32 = 2;
/// With keys that were read longer ago than this, in seconds, a replica makes no token: it could miss that its key is
/// to sign no more.
pub(crate) const MAX_STALE_SECONDS: u32 = 60;
/// The most keys that are published at a time. A key that is changed every few minutes by hand comes here.
pub(crate) const MAX_PUBLISHED: usize = 16;

/// What rotation goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    /// How long a verifier may keep the JWK Set.
    pub(crate) max_age_seconds: u32,
    /// The age from which a key that signs gets a successor. `None`: only by hand.
    pub(crate) rotate_after_seconds: Option<u32>,
    /// The life of a token.
    pub(crate) token_seconds: u32,
}

/// What is stored of a key's life. Times in seconds since the epoch, by the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// When it signs its first token.
    pub(crate) signs_from: i64,
    /// The longest life that a token of it may have.
    pub(crate) longest_token_seconds: u32,
}

/// Where in its life a key is that is not retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Published, so that every verifier knows it when it begins to sign.
    Published,
    /// Signs every new token.
    Signs,
    /// Signs no more; its tokens are still good.
    Verifies,
}

/// What has to be done, by one replica, under the lock. Keys by their position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// There is no key: make one that signs at once.
    First,
    /// The key that signs is old enough: publish its successor.
    Successor { signs_from: i64 },
    /// Tokens of this key may live longer than was written down.
    Lengthen(usize),
    /// The last token of this key has expired.
    Retire(usize),
}

/// Why no successor is published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// One is published already, and will sign from this time on.
    Published { index: usize },
    /// As many keys as may be are published.
    TooMany,
}

/// The key that signs at a moment: of those that have begun the one that began last. Where none has, because an
/// operator has retired the one that did, the next one does not wait.
///
/// `keys` in the order of `signs_from`. `None` only without any.
pub(crate) fn signer(keys: &[Times], at: i64) -> Option<usize> {
    let begun = keys.iter().rposition(|key| key.signs_from <= at);
    begun.or(if keys.is_empty() { None } else { Some(0) })
}

/// Where in its life a key is.
pub(crate) fn stage(keys: &[Times], index: usize, now: i64) -> Stage {
    match signer(keys, now) {
        Some(signer) if index == signer => Stage::Signs,
        Some(signer) if index < signer => Stage::Verifies,
        _ => Stage::Published,
    }
}

/// All that has to be done now. `keys`: those that are not retired, in the order of `signs_from`.
pub(crate) fn due(keys: &[Times], now: i64, rhythm: &Rhythm) -> Vec<Due> {
    let Some(signer) = signer(keys, now) else { return vec![Due::First] };
    let mut due = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if retires_at(keys, index).is_some_and(|at| now >= at) {
            due.push(Due::Retire(index));
        } else if index >= signer && key.longest_token_seconds < rhythm.token_seconds {
            // A key that signs no more made its tokens while replicas wrote down what they gave them.
            due.push(Due::Lengthen(index));
        }
    }
    let old = |after: u32| keys.get(signer).is_some_and(|key| now - key.signs_from >= i64::from(after));
    if rhythm.rotate_after_seconds.is_some_and(old)
        && let Ok(signs_from) = successor(keys, now, rhythm)
    {
        due.push(Due::Successor { signs_from });
    }
    due
}

/// When a successor that is published now would begin to sign.
///
/// # Errors
/// [`NotNow`]
pub(crate) fn successor(keys: &[Times], now: i64, rhythm: &Rhythm) -> Result<i64, NotNow> {
    let published = (0..keys.len()).find(|index| stage(keys, *index, now) == Stage::Published);
    match published {
        Some(index) => Err(NotNow::Published { index }),
        None if keys.len() >= MAX_PUBLISHED => Err(NotNow::TooMany),
        None => Ok(now + lead_seconds(rhythm.max_age_seconds)),
    }
}

/// How long a key is published before it signs. Until every replica has read it, two reloads at most, some of them
/// still serve the set without it; from then on the oldest copy lives for another `max-age`. Twice that, because a
/// verifier may fail to fetch it once.
fn lead_seconds(max_age_seconds: u32) -> i64 {
    2 * i64::from(RELOAD_SECONDS) + 2 * i64::from(max_age_seconds)
}

/// When the last token that a key has signed is expired for everybody: a replica that missed the successor signs with
/// it for [`MAX_STALE_SECONDS`] more, and a verifier may have as much leeway as the filter allows. `None`: it has no
/// successor.
fn retires_at(keys: &[Times], index: usize) -> Option<i64> {
    let (key, successor) = (keys.get(index)?, keys.get(index + 1)?);
    let leeway = i64::try_from(MAX_LEEWAY_SECONDS).unwrap_or(i64::MAX / 2);
    Some(successor.signs_from + i64::from(MAX_STALE_SECONDS) + i64::from(key.longest_token_seconds) + leeway)
}

/// The stages of listed keys by their names; `rows`: those in use first, in the order in which they sign.
pub(crate) fn stages(now: i64, rows: &[KeyRow]) -> Vec<&'static str> {
    let in_use = rows
        .iter()
        .filter(|row| !row.retired)
        .map(|row| Times { signs_from: row.signs_from, longest_token_seconds: row.longest_token_seconds });
    let in_use: Vec<_> = in_use.collect();
    let name = |(index, row): (usize, &KeyRow)| match stage(&in_use, index, now) {
        _ if row.retired => "retired",
        Stage::Published => "published",
        Stage::Signs => "signs",
        Stage::Verifies => "verifies",
    };
    rows.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm =
        Rhythm { max_age_seconds: 300, rotate_after_seconds: Some(86_400), token_seconds: 900 };

    fn key(signs_from: i64) -> Times {
        Times { signs_from, longest_token_seconds: 900 }
    }

    #[test]
    fn without_a_key_one_is_made_that_signs_at_once() {
        assert_eq!(due(&[], 1_000, &RHYTHM), [Due::First]);
        assert_eq!(due(&[key(1_000)], 1_000, &RHYTHM), []);
    }

    #[test]
    fn a_successor_is_published_when_the_signer_is_old_and_signs_after_twice_the_max_age() {
        let keys = [key(1_000)];
        assert_eq!(due(&keys, 1_000 + 86_399, &RHYTHM), []);
        let now = 1_000 + 86_400;
        assert_eq!(due(&keys, now, &RHYTHM), [Due::Successor { signs_from: now + 604 }]);
        let both = [key(1_000), key(now + 604)];
        assert_eq!(due(&both, now, &RHYTHM), [], "one at a time");
        assert_eq!(successor(&both, now, &RHYTHM), Err(NotNow::Published { index: 1 }));
        let never = Rhythm { rotate_after_seconds: None, ..RHYTHM };
        assert_eq!(due(&keys, i64::MAX / 4, &never), []);
    }

    #[test]
    fn every_key_goes_through_its_stages_by_the_time_alone() {
        let keys = [key(1_000), key(2_000)];
        let stages = |now| [stage(&keys, 0, now), stage(&keys, 1, now)];
        assert_eq!(stages(1_000), [Stage::Signs, Stage::Published]);
        assert_eq!(stages(1_999), [Stage::Signs, Stage::Published]);
        assert_eq!(stages(2_000), [Stage::Verifies, Stage::Signs]);
    }

    #[test]
    fn a_key_is_retired_when_its_last_token_has_expired_also_for_a_late_replica_and_a_lenient_verifier() {
        let keys = [key(1_000), key(2_000)];
        let last = 2_000 + 60 + 900 + 300;
        assert_eq!(due(&keys, last - 1, &RHYTHM), []);
        assert_eq!(due(&keys, last, &RHYTHM), [Due::Retire(0)]);
        assert_eq!(due(&keys[1..], last, &RHYTHM), [], "the one that signs never");
    }

    #[test]
    fn a_longer_life_of_tokens_is_written_down_and_a_shorter_one_retires_nothing_early() {
        let longer = Rhythm { token_seconds: 3_600, ..RHYTHM };
        assert_eq!(due(&[key(1_000), key(2_000)], 1_500, &longer), [Due::Lengthen(0), Due::Lengthen(1)]);
        let keys = [Times { longest_token_seconds: 3_600, ..key(1_000) }, key(2_000)];
        assert_eq!(due(&keys, 2_000 + 60 + 3_600 + 300 - 1, &RHYTHM), []);
    }

    #[test]
    fn where_an_operator_retired_the_signer_the_next_key_does_not_wait() {
        let keys = [key(2_000), key(3_000)];
        assert_eq!(signer(&keys, 1_000), Some(0));
        assert_eq!(stage(&keys, 0, 1_000), Stage::Signs);
        assert_eq!(signer(&[], 1_000), None);
    }

    #[test]
    fn the_number_of_published_keys_is_bounded() {
        let keys: Vec<_> = (0..).take(MAX_PUBLISHED).map(key).collect();
        assert_eq!(successor(&keys, 1_000, &RHYTHM), Err(NotNow::TooMany));
    }
}
