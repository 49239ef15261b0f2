//! When the issuer is asked next, whether that question waits for news, and how long its answer may take.
//!
//! Whoever has heard nothing for longer than usual asks at once, and gives up early: a replica that is gone is found out soon. The
//! question after that one gives the answer all the time that there is, so that an issuer who takes seconds is heard as well. For as
//! long as he does, his answers have that time, and he is asked no more often than if he were prompt: he may be slow because he is asked
//! much.

use bearward_protocol::revocations::MAX_WAIT_SECONDS;

use crate::policy::ANSWER_MS;

/// From one question to the next at least, in milliseconds, where no page or part of the same answer is still to come: whoever
/// answers at once, time and again, is not asked as fast as he can.
pub const MIN_PERIOD_MS: u64 = 20;
/// After so many questions in a row that brought nothing the lease is left to others.
pub const MAX_FAILURES: u32 = 3;
/// The pause after a question that brought nothing, in milliseconds; it doubles with each further one.
pub const MIN_PAUSE_MS: u64 = 100;
/// The longest one.
pub const MAX_PAUSE_MS: u64 = 5_000;
/// An answer that is this much later than its timeout is given up as lost, in milliseconds: the host should have said so.
const LOST_MS: u64 = 5_000;
/// Where counts stop: the pause is the longest long before.
const MAX_COUNT: u32 = 16;

/// What an answer that was taken brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A page or a cut delta: there is more.
    Part,
    /// All that there was.
    Whole,
    /// A snapshot must be begun.
    Anew,
}

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// For how long the issuer holds the answer back where there is no news, in seconds.
    pub wait_seconds: u64,
    /// For how many seconds of waiting, and an answer after them, it is listened.
    pub patience_seconds: u64,
}

/// How the next question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It waits for news.
    Waiting,
    /// It does not, and is given up early.
    Hastened,
    /// It does not, and is given up late. What it takes is thus what an answer takes.
    Patient,
}

/// When and how one proxy asks.
#[derive(Debug)]
pub struct Pace {
    /// Differs between proxies, so that they do not come back all at once.
    seed: u64,
    /// For how long one waits for news, in seconds.
    wait_seconds: u64,
    manner: Manner,
    /// The question that was put last, and when.
    asked: Question,
    asked_at: u64,
    next_at: u64,
    /// Questions in a row that brought nothing.
    failures: u32,
    /// Answers in a row after which a snapshot had to be begun.
    begun_anew: u32,
}

impl Pace {
    /// The first question is due at once, and waits for news so many seconds.
    #[must_use]
    pub const fn new(seed: u64, wait_seconds: u64) -> Self {
        Self {
            seed,
            wait_seconds,
            manner: Manner::Waiting,
            asked: Question { wait_seconds: 0, patience_seconds: 0 },
            asked_at: 0,
            next_at: 0,
            failures: 0,
            begun_anew: 0,
        }
    }

    /// Whether a question is due; where the clock was set back, at once.
    #[must_use]
    pub const fn is_due(&self, now_ms: u64) -> bool {
        now_ms >= self.next_at || self.next_at > now_ms.saturating_add(MAX_PAUSE_MS.saturating_mul(2))
    }

    /// How the next question is put.
    #[must_use]
    pub const fn question(&self) -> Question {
        match self.manner {
            Manner::Waiting => {
                Question { wait_seconds: self.wait_seconds, patience_seconds: self.wait_seconds }
            }
            Manner::Hastened => Question { wait_seconds: 0, patience_seconds: 0 },
            Manner::Patient => Question { wait_seconds: 0, patience_seconds: MAX_WAIT_SECONDS },
        }
    }

    /// The next question does not wait: perhaps nobody has said for longer than usual that there is no news. One that was to be
    /// patient stays so, also for whoever leads anew after every failure.
    pub const fn hasten(&mut self) {
        if matches!(self.manner, Manner::Waiting) {
            self.manner = Manner::Hastened;
        }
    }

    /// A question was put.
    pub const fn asked(&mut self, question: Question, now_ms: u64) {
        self.asked = question;
        self.asked_at = now_ms;
    }

    /// Whether its answer should have come or failed long ago; also where the clock was set back.
    #[must_use]
    pub const fn is_lost(&self, now_ms: u64) -> bool {
        let patience_ms = self.asked.patience_seconds.saturating_mul(1_000);
        now_ms.abs_diff(self.asked_at) >= patience_ms.saturating_add(ANSWER_MS).saturating_add(LOST_MS)
    }

    /// Its answer does not count: somebody else has asked meanwhile.
    pub fn dropped(&mut self, now_ms: u64) {
        self.next_in(MIN_PERIOD_MS, now_ms);
    }

    /// So long after the last one, but not later than so long from now: the clock may have been set back.
    fn next_in(&mut self, period_ms: u64, now_ms: u64) {
        self.next_at =
            self.asked_at.saturating_add(period_ms).clamp(now_ms, now_ms.saturating_add(period_ms));
    }

    /// Its answer was taken.
    pub fn taken(&mut self, progress: Progress, now_ms: u64) {
        self.failures = 0;
        // Whoever is slow is asked slowly. Nothing can be said where the clock was set back.
        let took_ms = now_ms.checked_sub(self.asked_at);
        let is_slow = self.manner == Manner::Patient && took_ms.is_none_or(|took_ms| took_ms >= ANSWER_MS);
        self.manner = if is_slow { Manner::Patient } else { Manner::Waiting };
        self.begun_anew = match progress {
            Progress::Part => self.begun_anew,
            Progress::Whole => 0,
            Progress::Anew => self.begun_anew.saturating_add(1).min(MAX_COUNT),
        };
        match progress {
            Progress::Part => self.next_at = now_ms,
            Progress::Anew if self.begun_anew > 1 => {
                self.next_at = now_ms.saturating_add(pause_ms(self.begun_anew.saturating_sub(2)));
            }
            Progress::Whole if is_slow => self.next_in(self.wait_seconds.saturating_mul(1_000), now_ms),
            Progress::Whole | Progress::Anew => self.next_in(MIN_PERIOD_MS, now_ms),
        }
    }

    /// It brought nothing, or nothing was heard of it: the next one waits, ever longer, and not as long as that of another proxy. Whether to leave it to others.
    pub fn failed(&mut self, now_ms: u64) -> bool {
        let pause = pause_ms(self.failures);
        self.failures = self.failures.saturating_add(1).min(MAX_COUNT);
        self.manner = match self.manner {
            Manner::Waiting | Manner::Patient => Manner::Hastened,
            Manner::Hastened => Manner::Patient,
        };
        let spread = self.seed.wrapping_mul(u64::from(self.failures)) % pause.max(1);
        self.next_at = now_ms.saturating_add(pause).saturating_add(spread / 2);
        self.failures >= MAX_FAILURES
    }
}

fn pause_ms(failures: u32) -> u64 {
    MIN_PAUSE_MS.saturating_mul(1 << failures.min(MAX_COUNT)).min(MAX_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;
    const WAITING: Question = Question { wait_seconds: 5, patience_seconds: 5 };
    const HASTENED: Question = Question { wait_seconds: 0, patience_seconds: 0 };
    const PATIENT: Question = Question { wait_seconds: 0, patience_seconds: 5 };

    #[test]
    fn a_question_waits_for_news_as_long_as_all_is_well() {
        let mut pace = Pace::new(7, 5);
        assert!(pace.is_due(0));
        assert_eq!(pace.question(), WAITING);
        pace.asked(pace.question(), NOW);
        pace.taken(Progress::Whole, NOW + 300);
        assert!(pace.is_due(NOW + 300));
        assert_eq!(pace.question(), WAITING);
    }

    #[test]
    fn of_the_questions_after_one_that_failed_every_other_one_is_given_all_the_time_there_is() {
        let mut pace = Pace::new(7, 5);
        let mut asked = Vec::new();
        for _ in 0..4 {
            pace.failed(NOW);
            asked.push(pace.question());
        }
        assert_eq!(asked, [HASTENED, PATIENT, HASTENED, PATIENT]);
        pace.asked(pace.question(), NOW);
        pace.taken(Progress::Whole, NOW + 100);
        assert_eq!(pace.question(), WAITING);
    }

    #[test]
    fn an_issuer_whose_answers_take_seconds_is_given_the_time_and_is_not_asked_more_often_than_a_prompt_one()
    {
        let mut pace = Pace::new(7, 5);
        pace.failed(NOW);
        pace.failed(NOW);
        let mut now = NOW;
        // Also one that would not be heard if one waited for news besides.
        for (took_ms, next_ms) in [(2_400, 5_000), (3_000, 5_000), (6_900, 6_900)] {
            assert_eq!(pace.question(), PATIENT);
            pace.asked(PATIENT, now);
            pace.taken(Progress::Whole, now + took_ms);
            let due = (took_ms..20_000).find(|ms| pace.is_due(now + ms)).unwrap();
            assert_eq!(due, next_ms, "{took_ms}");
            now += due;
        }
        // There are pages still to come, and a snapshot to be begun.
        for progress in [Progress::Part, Progress::Anew] {
            pace.asked(PATIENT, now);
            pace.taken(progress, now + 2_400);
            assert!(pace.is_due(now + 2_400), "{progress:?}");
            assert_eq!(pace.question(), PATIENT);
        }
        pace.asked(PATIENT, now);
        pace.taken(Progress::Whole, now + 1_999);
        assert_eq!(pace.question(), WAITING);
        assert!(pace.is_due(now + 1_999));
    }

    #[test]
    fn however_short_one_waits_for_news_a_patient_question_is_given_seven_seconds() {
        let mut pace = Pace::new(7, 1);
        pace.failed(NOW);
        pace.failed(NOW);
        let question = pace.question();
        assert_eq!(question, PATIENT);
        pace.asked(question, NOW);
        assert!(!pace.is_lost(NOW + 11_999) && pace.is_lost(NOW + 12_000));
        assert!(pace.is_lost(NOW - 12_000), "the clock was set back");
    }

    #[test]
    fn whoever_leads_anew_does_not_wait_for_news() {
        let mut pace = Pace::new(7, 5);
        pace.hasten();
        assert_eq!(pace.question(), HASTENED);
    }

    #[test]
    fn whoever_leads_anew_after_every_failure_is_patient_every_other_time() {
        let mut pace = Pace::new(7, 5);
        let asked: Vec<Question> = (0..4)
            .map(|_| {
                pace.hasten();
                let question = pace.question();
                pace.failed(NOW);
                question
            })
            .collect();
        assert_eq!(asked, [HASTENED, PATIENT, HASTENED, PATIENT]);
    }

    #[test]
    fn pauses_double_up_to_five_seconds_are_spread_and_after_three_failures_the_lease_is_left() {
        let mut pace = Pace::new(0, 5);
        let pauses: Vec<u64> = (0..8)
            .map(|n| {
                assert_eq!(pace.failed(NOW), n >= 2);
                (0..20_000).find(|ms| pace.is_due(NOW + ms)).unwrap()
            })
            .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);

        let mut spread: Vec<u64> = (0..100)
            .map(|seed| {
                let mut pace = Pace::new(seed, 5);
                pace.failed(NOW);
                (0..200).find(|ms| pace.is_due(NOW + ms)).unwrap()
            })
            .collect();
        spread.sort_unstable();
        spread.dedup();
        assert_eq!((spread[0], spread.len(), spread[spread.len() - 1]), (100, 50, 149));
    }

    #[test]
    fn whoever_answers_at_once_is_asked_every_twenty_milliseconds_but_for_what_is_still_to_come() {
        let due_after = |progress| {
            let mut pace = Pace::new(7, 5);
            pace.asked(pace.question(), NOW);
            pace.taken(progress, NOW + 1);
            (0..100).find(|ms| pace.is_due(NOW + ms)).unwrap()
        };
        assert_eq!(due_after(Progress::Whole), 20);
        assert_eq!(due_after(Progress::Anew), 20);
        assert_eq!(due_after(Progress::Part), 1);
        let mut pace = Pace::new(7, 5);
        pace.asked(pace.question(), NOW);
        pace.dropped(NOW + 1);
        assert!(!pace.is_due(NOW + 19) && pace.is_due(NOW + 20));
    }

    #[test]
    fn an_issuer_with_whom_one_begins_anew_time_and_again_is_asked_ever_more_seldom() {
        let mut pace = Pace::new(7, 5);
        let mut pauses = Vec::new();
        for _ in 0..4 {
            pace.asked(pace.question(), NOW);
            pace.taken(Progress::Anew, NOW);
            pauses.push((0..20_000).find(|ms| pace.is_due(NOW + ms)).unwrap());
        }
        // A page of the snapshot says nothing of whether it comes to its end.
        pace.taken(Progress::Part, NOW);
        pace.asked(pace.question(), NOW);
        pace.taken(Progress::Anew, NOW);
        pauses.push((0..20_000).find(|ms| pace.is_due(NOW + ms)).unwrap());
        assert_eq!(pauses, [20, 100, 200, 400, 800]);
        pace.taken(Progress::Whole, NOW);
        pace.asked(pace.question(), NOW);
        pace.taken(Progress::Anew, NOW);
        assert!(pace.is_due(NOW + 20));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_no_question_up() {
        let mut pace = Pace::new(7, 5);
        pace.failed(NOW);
        assert!(!pace.is_due(NOW));
        assert!(pace.is_due(NOW - 3_600_000));
        // While a question is under way.
        for back_ms in [1, 5_000, 9_980, 100_000] {
            let mut pace = Pace::new(7, 5);
            pace.asked(WAITING, NOW);
            pace.taken(Progress::Whole, NOW - back_ms);
            assert!(pace.is_due(NOW - back_ms + MIN_PERIOD_MS), "{back_ms}");
        }
        // And where nobody knows any more how long the answer took.
        let mut pace = Pace::new(7, 5);
        pace.failed(NOW);
        pace.failed(NOW);
        pace.asked(PATIENT, NOW);
        pace.taken(Progress::Whole, NOW - 1);
        assert_eq!(pace.question(), PATIENT);
    }
}
