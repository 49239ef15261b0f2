//! When to fetch a JWK Set: at the start, at its interval, soon after a failure, and early for an unknown `kid`.

/// The longest pause between two attempts while they fail, in milliseconds.
const MAX_BACKOFF_MS: u64 = 30_000;
/// The pause after the first failure, in milliseconds; it doubles with each further one.
const MIN_BACKOFF_MS: u64 = 500;
/// At most one fetch in this time is caused by tokens with an unknown `kid`, in milliseconds.
const UNKNOWN_KEY_INTERVAL_MS: u64 = 500;
/// An answer that is this much later than its timeout is not waited for any longer, in milliseconds.
const LOST_ANSWER_MS: u64 = 5_000;

/// The schedule of one JWK Set. All times in milliseconds since the epoch.
#[derive(Clone, Debug)]
pub struct Refresh {
    interval_ms: u64,
    timeout_ms: u64,
    due_at: u64,
    attempted_at: Option<u64>,
    in_flight: bool,
    failures: u32,
    /// When the set at hand was asked for.
    set_of: Option<u64>,
}

impl Refresh {
    /// A schedule whose first fetch is due at once.
    #[must_use]
    pub fn new(interval_seconds: u64, timeout_ms: u32) -> Self {
        let interval_ms = interval_seconds.saturating_mul(1000);
        Self {
            interval_ms,
            timeout_ms: timeout_ms.into(),
            due_at: 0,
            attempted_at: None,
            in_flight: false,
            failures: 0,
            set_of: None,
        }
    }

    /// Whether to fetch now.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        match self.attempted_at {
            // The clock was set back: what was planned by the old one means nothing.
            Some(attempted_at) if now < attempted_at => true,
            Some(_) if self.in_flight => !self.is_under_way(now),
            _ => now >= self.due_at,
        }
    }

    /// A fetch was sent.
    pub fn sent(&mut self, now: u64) {
        self.attempted_at = Some(now);
        self.in_flight = true;
    }

    /// A good answer came.
    pub fn succeeded(&mut self, now: u64) {
        self.in_flight = false;
        self.failures = 0;
        self.due_at = now.saturating_add(self.interval_ms);
        self.has_set_of(self.attempted_at.unwrap_or(now));
    }

    /// The set at hand was asked for at this time, by this schedule or by another.
    pub fn has_set_of(&mut self, asked_at: u64) {
        self.set_of = Some(asked_at);
    }

    /// How long ago the set at hand was asked for, in milliseconds; `None` where there is none.
    #[must_use]
    pub fn age_ms(&self, now: u64) -> Option<u64> {
        self.set_of.map(|asked_at| now.saturating_sub(asked_at))
    }

    /// No answer, or one that was refused.
    pub fn failed(&mut self, now: u64) {
        self.in_flight = false;
        let backoff = MIN_BACKOFF_MS.checked_shl(self.failures).unwrap_or(MAX_BACKOFF_MS).min(MAX_BACKOFF_MS);
        self.failures = self.failures.saturating_add(1).min(16);
        self.due_at = now.saturating_add(backoff.min(self.interval_ms));
    }

    /// A token named a key that is not in the set, in a request that came at `since`: perhaps the set has changed.
    ///
    /// Only a set that was asked for afterwards can tell: a key may be used as soon as it is published.
    pub fn key_unknown(&mut self, since: u64, now: u64) -> UnknownKey {
        if self.is_under_way(now) {
            return UnknownKey::Wait;
        }
        if self.failures > 0 {
            return if now >= self.due_at { UnknownKey::Wait } else { UnknownKey::Unavailable };
        }
        match self.set_of {
            Some(asked_at) if (since..=now).contains(&asked_at) => UnknownKey::Absent,
            _ => {
                // Where the clock was set back, at once.
                let attempted_at = self.attempted_at.filter(|attempted_at| *attempted_at <= now);
                let earliest = attempted_at.map_or(now, |at| at.saturating_add(UNKNOWN_KEY_INTERVAL_MS));
                self.due_at = self.due_at.min(earliest.max(now));
                UnknownKey::Wait
            }
        }
    }

    fn is_under_way(&self, now: u64) -> bool {
        let lost_at = |sent: u64| sent.saturating_add(self.timeout_ms).saturating_add(LOST_ANSWER_MS);
        self.in_flight && self.attempted_at.is_some_and(|sent| (sent..lost_at(sent)).contains(&now))
    }
}

/// What to do about a key that is not in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownKey {
    /// There is no such key: the set was asked for after the token had come.
    Absent,
    /// The set is on its way, or will soon be asked for: it will tell.
    Wait,
    /// Nobody can tell: the issuer did not answer, and is left alone for a while.
    Unavailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fetch_is_due_at_once_and_the_next_after_the_interval() {
        let mut refresh = Refresh::new(300, 2000);
        assert!(refresh.is_due(1_000));
        refresh.sent(1_000);
        assert!(!refresh.is_due(1_001));
        refresh.succeeded(1_100);
        assert!(!refresh.is_due(301_099));
        assert!(refresh.is_due(301_100));
    }

    #[test]
    fn failures_are_retried_ever_more_slowly_up_to_a_bound() {
        let mut refresh = Refresh::new(300, 2000);
        let mut pauses = Vec::new();
        let mut now = 0;
        for _ in 0..10 {
            refresh.sent(now);
            refresh.failed(now);
            let due = (now..).step_by(100).find(|at| refresh.is_due(*at)).unwrap();
            pauses.push(due - now);
            now = due;
        }
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
        refresh.sent(now);
        refresh.succeeded(now);
        refresh.sent(now + 300_000);
        refresh.failed(now + 300_000);
        assert!(refresh.is_due(now + 300_500));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_end_the_fetching() {
        let mut refresh = Refresh::new(300, 2000);
        refresh.sent(1_000_000);
        refresh.succeeded(1_000_000);
        assert!(refresh.is_due(5_000));
        refresh.sent(5_000);
        refresh.succeeded(5_000);
        assert!(!refresh.is_due(6_000));
        assert!(refresh.is_due(305_000));
    }

    #[test]
    fn an_answer_that_never_comes_does_not_end_the_fetching() {
        let mut refresh = Refresh::new(300, 2000);
        refresh.sent(0);
        assert!(!refresh.is_due(6_999));
        assert!(refresh.is_due(7_000));
    }

    /// One that has the set that it asked for at `asked_at`.
    fn fetched(asked_at: u64) -> Refresh {
        let mut refresh = Refresh::new(300, 2000);
        refresh.sent(asked_at);
        refresh.succeeded(asked_at + 10);
        refresh
    }

    #[test]
    fn an_unknown_key_has_the_set_asked_for_at_once() {
        let mut refresh = fetched(0);
        assert!(!refresh.is_due(10_000));
        assert_eq!(refresh.key_unknown(10_000, 10_000), UnknownKey::Wait);
        assert!(refresh.is_due(10_000));
    }

    #[test]
    fn unknown_keys_cause_one_fetch_in_a_while() {
        let mut refresh = fetched(0);
        assert_eq!(refresh.key_unknown(100, 100), UnknownKey::Wait);
        assert!(!refresh.is_due(499));
        assert!(refresh.is_due(500));
    }

    #[test]
    fn who_waited_is_told_by_the_set_that_was_asked_for_in_the_meantime() {
        let mut refresh = fetched(0);
        assert_eq!(refresh.key_unknown(10_000, 10_000), UnknownKey::Wait);
        refresh.sent(10_001);
        assert_eq!(refresh.key_unknown(10_000, 10_500), UnknownKey::Wait, "it is under way");
        assert_eq!(refresh.key_unknown(10_500, 10_500), UnknownKey::Wait);
        refresh.succeeded(11_900);
        assert_eq!(refresh.key_unknown(10_000, 11_900), UnknownKey::Absent);
    }

    /// The key could have been published after the issuer had answered.
    #[test]
    fn an_answer_that_was_asked_for_before_is_not_the_last_word() {
        let mut refresh = fetched(0);
        refresh.sent(10_001);
        assert_eq!(refresh.key_unknown(10_500, 10_500), UnknownKey::Wait);
        refresh.succeeded(11_900);
        assert_eq!(refresh.key_unknown(10_500, 11_900), UnknownKey::Wait);
        assert!(refresh.is_due(11_900));
    }

    #[test]
    fn unknown_keys_do_not_hurry_a_failing_issuer_and_are_not_called_absent() {
        let mut refresh = fetched(0);
        refresh.sent(10_000);
        refresh.failed(10_100);
        assert_eq!(refresh.key_unknown(10_000, 10_100), UnknownKey::Unavailable);
        assert_eq!(refresh.key_unknown(10_599, 10_599), UnknownKey::Unavailable);
        assert!(!refresh.is_due(10_599));
        assert_eq!(refresh.key_unknown(10_600, 10_600), UnknownKey::Wait);
    }

    #[test]
    fn nobody_waits_for_an_answer_that_is_lost() {
        let mut refresh = fetched(0);
        refresh.sent(300_000);
        assert_eq!(refresh.key_unknown(306_999, 306_999), UnknownKey::Wait);
        assert!(!refresh.is_due(306_999));
        assert_eq!(refresh.key_unknown(307_000, 307_000), UnknownKey::Wait);
        assert!(refresh.is_due(307_000));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_key_absent() {
        let mut refresh = fetched(1_000_000);
        assert_eq!(refresh.key_unknown(5_000, 5_000), UnknownKey::Wait);
        assert!(refresh.is_due(5_000));
    }

    #[test]
    fn the_age_of_a_set_counts_from_when_it_was_asked_for() {
        assert_eq!(Refresh::new(300, 2000).age_ms(5), None);
        let mut refresh = fetched(1_000);
        assert_eq!(refresh.age_ms(3_000), Some(2_000));
        refresh.sent(300_000);
        refresh.failed(301_000);
        assert_eq!(refresh.age_ms(302_000), Some(301_000), "the last good set stays");
        refresh.has_set_of(301_500);
        assert_eq!(refresh.age_ms(302_000), Some(500));
    }
}
