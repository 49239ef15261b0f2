//! When to fetch a JWK Set: at the start, at its interval, soon after a failure, and early for an unknown `kid`.

/// The longest pause between two attempts while they fail, in milliseconds.
const MAX_BACKOFF_MS: u64 = 30_000;
/// The pause after the first failure, in milliseconds; it doubles with each further one.
const MIN_BACKOFF_MS: u64 = 500;
/// At most one fetch in this time is caused by tokens with an unknown `kid`, in milliseconds.
const UNKNOWN_KEY_INTERVAL_MS: u64 = 5_000;
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
        }
    }

    /// Whether to fetch now.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        match self.attempted_at {
            // The clock was set back: what was planned by the old one means nothing.
            Some(attempted_at) if now < attempted_at => true,
            Some(attempted_at) if self.in_flight => {
                now >= attempted_at.saturating_add(self.timeout_ms).saturating_add(LOST_ANSWER_MS)
            }
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
    }

    /// No answer, or one that was refused.
    pub fn failed(&mut self, now: u64) {
        self.in_flight = false;
        let backoff = MIN_BACKOFF_MS.checked_shl(self.failures).unwrap_or(MAX_BACKOFF_MS).min(MAX_BACKOFF_MS);
        self.failures = self.failures.saturating_add(1).min(16);
        self.due_at = now.saturating_add(backoff.min(self.interval_ms));
    }

    /// A token named a key that is not in the set: perhaps the set has changed.
    pub fn key_unknown(&mut self, now: u64) {
        let earliest =
            self.attempted_at.map_or(0, |attempted_at| attempted_at.saturating_add(UNKNOWN_KEY_INTERVAL_MS));
        if self.failures == 0 {
            self.due_at = self.due_at.min(earliest.max(now));
        }
    }
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

    #[test]
    fn unknown_keys_cause_one_fetch_in_a_while() {
        let mut refresh = Refresh::new(300, 2000);
        refresh.sent(0);
        refresh.succeeded(0);
        refresh.key_unknown(1_000);
        assert!(!refresh.is_due(4_999));
        assert!(refresh.is_due(5_000));
        refresh.sent(5_000);
        refresh.key_unknown(5_001);
        assert!(!refresh.is_due(5_002), "one is under way");
        refresh.succeeded(5_010);
        assert!(!refresh.is_due(9_999));
        refresh.key_unknown(60_000);
        assert!(refresh.is_due(60_000));
    }

    #[test]
    fn unknown_keys_do_not_hurry_a_failing_server() {
        let mut refresh = Refresh::new(300, 2000);
        for at in 0..6 {
            refresh.sent(at);
            refresh.failed(at);
        }
        refresh.key_unknown(6_000);
        assert!(!refresh.is_due(6_000));
    }
}
