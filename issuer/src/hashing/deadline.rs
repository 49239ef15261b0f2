//! When a login is answered: not when its work is done, but at a time that is the same for all.
//!
//! A hash of bcrypt takes ten times as long as one of argon2id, so that the time of a refusal would tell who exists and
//! who has not logged in for long. Every answer waits for a deadline above the slowest hash in use instead. The time that
//! its hash stood in the queue is added, whoever it is of: else a slow hash would miss the deadline after a wait with
//! which a fast one meets it. What is seen of that says how busy we are. One that misses its deadline all the same,
//! because the database or the machine was slow, waits for the next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::speed::Speed;
use super::stored::{Cost, PasswordHash};
use crate::account::PresentedPassword;

/// The greatest deadline, as the setting has it. Two of them, for a password of two forms, are below the ten seconds of a request.
pub(super) const MAX_DEADLINE: Duration = Duration::from_millis(4_000);

/// The latest at which a login is answered by will: below the ten seconds of a request.
const LATEST_ANSWER: Duration = Duration::from_millis(9_000);

/// The deadline of every login.
#[derive(Debug)]
pub(crate) struct LoginDeadline {
    millis: AtomicU64,
    /// With which it is raised where a stored hash is slower than any before. `None`: an operator has set it.
    speed: Option<Speed>,
    #[cfg(test)]
    held: std::sync::atomic::AtomicUsize,
}

/// The deadline of one login.
pub(crate) struct Due<'a> {
    deadline: &'a LoginDeadline,
    /// When the request arrived, whose time ends some time.
    request: Instant,
    /// From when the deadline counts.
    begin: Instant,
    forms: u32,
}

impl LoginDeadline {
    /// As an operator has set it.
    pub(crate) fn fixed(deadline: Duration) -> Self {
        Self::new(deadline, None)
    }

    /// Above all of these.
    pub(crate) fn calibrated(speed: Speed, costs: &[Cost]) -> Self {
        Self::new(speed.deadline(costs), Some(speed))
    }

    fn new(deadline: Duration, speed: Option<Speed>) -> Self {
        let millis = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            millis: AtomicU64::new(millis),
            speed,
            #[cfg(test)]
            held: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    /// Raises it where this hash needs that: users may have been imported since the start.
    pub(crate) fn cover(&self, stored: &PasswordHash) {
        let (Some(speed), Ok(cost)) = (&self.speed, stored.cost()) else { return };
        let needed = u64::try_from(speed.deadline(&[cost]).as_millis()).unwrap_or(u64::MAX);
        if self.millis.fetch_max(needed, Ordering::Relaxed) < needed {
            tracing::warn!(
                deadline_ms = needed,
                "a stored hash is slower than any before: logins are answered later"
            );
        }
    }

    /// A login whose request arrived then has arrived with all of its body now. The deadline counts from now: else
    /// whoever sends a body slowly would choose how much of the time is left for the hash, and see by the next deadline
    /// which ones need more. For each form of its password it has a hash to compute, whoever it is of, and so as much
    /// more time.
    pub(crate) fn begin(&self, request: Instant, password: &PresentedPassword) -> Due<'_> {
        let forms = 1 + u32::from(password.as_sent().is_some());
        Due { deadline: self, request, begin: Instant::now(), forms }
    }

    /// How many answers wait at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

impl Due<'_> {
    /// How much later than at its deadline this login may be answered, for the request to be answered at all.
    pub(crate) fn most_delay(&self) -> Duration {
        LATEST_ANSWER.saturating_sub(self.each()).saturating_sub(self.request.elapsed())
    }

    /// Counts from so much later: as long as the login was held up by what has nothing to do with the stored hash.
    pub(crate) fn delay(&mut self, delay: Duration) {
        self.begin += delay;
    }

    fn each(&self) -> Duration {
        self.deadline.get() * self.forms
    }

    /// Until the deadline, or the next one where it has passed.
    pub(crate) async fn wait(self) {
        #[cfg(test)]
        self.deadline.held.fetch_add(1, Ordering::SeqCst);
        let each = self.each();
        let missed = self.begin.elapsed().as_millis() / each.as_millis().max(1);
        let deadlines = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
        sleep_until(self.begin + each.saturating_mul(deadlines)).await;
        #[cfg(test)]
        self.deadline.held.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(100);

    fn presented(text: &str) -> PresentedPassword {
        PresentedPassword::new(text.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_the_work_takes_the_answer_comes_at_the_deadline_or_the_next() {
        let logins = LoginDeadline::fixed(DEADLINE);
        for (work, answered) in [(0, 100), (1, 100), (99, 100), (100, 200), (101, 200), (350, 400)] {
            let arrival = Instant::now();
            let due = logins.begin(arrival, &presented("mypassword123"));
            tokio::time::sleep(Duration::from_millis(work)).await;
            due.wait().await;
            assert_eq!(arrival.elapsed(), Duration::from_millis(answered), "{work}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_password_of_two_forms_has_twice_the_time() {
        let logins = LoginDeadline::fixed(DEADLINE);
        let arrival = Instant::now();
        logins.begin(arrival, &presented("pa\u{308}ssword")).wait().await;
        assert_eq!(arrival.elapsed(), 2 * DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_slow_body_is_none_of_the_hash_and_none_of_the_delay() {
        let logins = LoginDeadline::fixed(DEADLINE);
        let arrival = Instant::now();
        tokio::time::sleep(Duration::from_millis(4_050)).await;
        let due = logins.begin(arrival, &presented("mypassword123"));
        assert_eq!(due.most_delay(), LATEST_ANSWER - DEADLINE - Duration::from_millis(4_050));
        due.wait().await;
        assert_eq!(arrival.elapsed(), Duration::from_millis(4_150));
    }

    #[test]
    fn a_slower_hash_than_any_before_raises_the_deadline_unless_an_operator_has_set_it() {
        let bcrypt = |cost: u32| {
            PasswordHash::stored(format!(
                "$2b${cost:02}$abcdefghijklmnopqrstuuet7g.oOes3vxc.VL2l0d4CQJPGWF8pK"
            ))
        };
        let speed = || Speed::new(Duration::from_millis(25), Duration::from_millis(4));
        let calibrated = LoginDeadline::calibrated(speed(), &[]);
        let at_first = calibrated.get();
        calibrated.cover(&bcrypt(4));
        assert_eq!(calibrated.get(), at_first);
        calibrated.cover(&bcrypt(12));
        assert!(calibrated.get() > Duration::from_millis(256), "{:?}", calibrated.get());
        let raised = calibrated.get();
        calibrated.cover(&bcrypt(31));
        assert_eq!(calibrated.get(), raised, "what is never computed needs no time");
        let fixed = LoginDeadline::fixed(DEADLINE);
        fixed.cover(&bcrypt(12));
        assert_eq!(fixed.get(), DEADLINE);
    }
}
