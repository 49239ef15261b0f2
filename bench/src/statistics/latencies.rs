use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use xtask::error::Error;

/// How long answers took, to three digits.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    micros: Histogram<u64>,
}

/// Above what any client waits for: none is longer.
const LONGEST_MICROS: u64 = 100_000_000;

impl Latencies {
    /// # Errors
    /// None in practice: the bounds are constants.
    pub(crate) fn new() -> Result<Self, Error> {
        let micros = Histogram::new_with_max(LONGEST_MICROS, 3);
        let micros = micros.map_err(|error| Error::unusable(error.to_string(), "correct the bounds"))?;
        Ok(Self { micros })
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.micros.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        // Fails only where the bounds differ.
        let _ = self.micros.add(&other.micros);
    }

    pub(crate) fn count(&self) -> u64 {
        self.micros.len()
    }

    /// The latency that this share of all does not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        self.micros.value_at_quantile(share) as f64 / 1_000.0
    }

    /// For machines, in milliseconds.
    pub(crate) fn json(&self) -> Value {
        let quantiles = QUANTILES.map(|(name, share)| (name.to_owned(), json!(self.quantile_ms(share))));
        json!({ "count": self.count(), "ms": serde_json::Map::from_iter(quantiles) })
    }
}

/// What is told of a distribution, from the least to the greatest.
pub(crate) const QUANTILES: [(&str, f64); 6] =
    [("min", 0.0), ("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_latency_that_this_share_does_not_exceed() {
        let mut latencies = Latencies::new().unwrap();
        (1..=100).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        for (share, ms) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert!((latencies.quantile_ms(share) / ms - 1.0).abs() < 0.002, "{share}");
        }
        assert_eq!(latencies.count(), 100);
    }

    #[test]
    fn what_is_longer_than_the_longest_is_not_lost() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(Duration::from_secs(1_000_000));
        assert!(latencies.count() == 1 && latencies.quantile_ms(1.0) >= 100_000.0);
    }
}
