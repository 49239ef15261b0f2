//! What the feed tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::refusal::Refusal;
use super::{AnswerKind, Feed};

/// What is counted while it happens.
#[derive(Default)]
pub(super) struct Counts {
    answers: [AtomicU64; 3],
    refusals: [AtomicU64; Refusal::ALL.len()],
    signatures: AtomicU64,
}

const ANSWERS: [(AnswerKind, &str); 3] =
    [(AnswerKind::Delta, "delta"), (AnswerKind::Heartbeat, "heartbeat"), (AnswerKind::Page, "page")];

impl Counts {
    pub(super) fn answered(&self, kind: AnswerKind) {
        let counted = self.answers.iter().zip(ANSWERS).find(|(_, (other, _))| *other == kind);
        counted.map(|(count, _)| count.fetch_add(1, Ordering::Relaxed));
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refusals.get(refusal.index()).map(|count| count.fetch_add(1, Ordering::Relaxed));
    }

    pub(super) fn signed(&self) {
        self.signatures.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn signatures(&self) -> u64 {
        self.signatures.load(Ordering::Relaxed)
    }
}

/// What is told at this moment.
pub(crate) fn register(registry: &mut Registry, feed: &Feed) {
    let (counts, readings) = (&feed.counts, &feed.readings);
    let gauge = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
    let count = |count: &AtomicU64| ConstCounter::new(count.load(Ordering::Relaxed));
    {
        let seen = feed.seen();
        let log = seen.log.as_ref();
        let sequence = log.map_or(0, |log| i64::try_from(log.head().sequence).unwrap_or(i64::MAX));
        registry.register(
            "bearward_feed_head_sequence",
            "The newest record that was read",
            ConstGauge::new(sequence),
        );
        registry.register(
            "bearward_feed_records",
            "Live records that are held",
            gauge(log.map_or(0, |log| log.len())),
        );
        let age = seen.begun.map_or(f64::INFINITY, |begun| begun.elapsed().as_secs_f64());
        registry.register_with_unit(
            "bearward_feed_head_age",
            "How long ago the head was read; beyond 2 s nothing is answered",
            Unit::Seconds,
            ConstGauge::new(age),
        );
    }
    let waiting = feed.max_polls.saturating_sub(feed.polls.available_permits());
    registry.register(
        "bearward_feed_polls",
        "Questions that are being answered, most of them waiting",
        gauge(waiting),
    );
    registry.register("bearward_feed_polls_max", "The most of them", gauge(feed.max_polls));
    let answers = Family::<[(&str, &str); 1], Counter>::default();
    for (number, (_, name)) in counts.answers.iter().zip(ANSWERS) {
        answers.get_or_create(&[("kind", name)]).inc_by(number.load(Ordering::Relaxed));
    }
    registry.register("bearward_feed_answers", "Answers", answers);
    let refusals = Family::<[(&str, &str); 1], Counter>::default();
    for (number, refusal) in counts.refusals.iter().zip(Refusal::ALL) {
        refusals.get_or_create(&[("cause", refusal.name())]).inc_by(number.load(Ordering::Relaxed));
    }
    registry.register("bearward_feed_refusals", "Questions that were not answered", refusals);
    registry.register("bearward_feed_signatures", "Answers that were signed", count(&counts.signatures));
    let outcomes = Family::<[(&str, &str); 1], Counter>::default();
    for (outcome, number) in [("good", &readings.good), ("failed", &readings.failed)] {
        outcomes.get_or_create(&[("outcome", outcome)]).inc_by(number.load(Ordering::Relaxed));
    }
    registry.register("bearward_feed_readings", "Readings of the log", outcomes);
    registry.register("bearward_feed_whole_readings", "Readings of all of it", count(&readings.whole));
    registry.register(
        "bearward_feed_listening",
        "Whether new records are heard of, 1, or only looked for, 0",
        gauge(readings.is_listening.load(Ordering::Relaxed).into()),
    );
}
