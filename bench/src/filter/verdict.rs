//! What the rounds say: how much a filter adds, how that compares, and how sure it is.

use std::collections::BTreeMap;

use super::chance::Chance;
use super::rounds::Measured;
use super::variants::{NONE, Pair};
use crate::statistics::Spread;

/// How often rounds are drawn anew, to see by how much the median might have been another.
const RESAMPLES: usize = 10_000;
/// The share of them that lies outside of each bound: together 5 %.
const OUTSIDE: f64 = 0.025;

/// A quotient of two variants, with where it lies with 95 % by the bootstrap (Efron 1979).
#[derive(Clone, Debug)]
pub(super) struct Ratio {
    pub(super) name: String,
    pub(super) spread: Spread,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) goal: Option<f64>,
}

/// The CPU time that a variant adds to each request, in microseconds, in each round: less what no filter at all takes in the same round.
pub(super) fn added(
    all: &BTreeMap<String, Measured>,
    name: &str,
    of: impl Fn(&Measured) -> &[f64],
) -> Vec<f64> {
    let rounds = |name: &str| all.get(name).map(&of).unwrap_or_default();
    let [none, again] = NONE.map(rounds);
    let floor = none.iter().zip(again).map(|(none, again)| (none + again) / 2.0);
    rounds(name).iter().zip(floor).map(|(whole, floor)| whole - floor).collect()
}

/// One pair, round by round.
pub(super) fn ratio(all: &BTreeMap<String, Measured>, pair: &Pair) -> Option<Ratio> {
    let rounds = |name: &str| added(all, name, |measured| &measured.worker_us);
    let quotients = crate::statistics::quotients(&rounds(&pair.ours), &rounds(&pair.native));
    let (low, high) = bounds(&quotients)?;
    Some(Ratio { name: pair.name.clone(), spread: Spread::of(quotients)?, low, high, goal: pair.goal })
}

impl Ratio {
    /// Whether ours costs less, and not by chance.
    pub(super) fn is_less(&self) -> bool {
        self.high < 1.0
    }

    /// In words: what may be said of it.
    pub(super) fn verdict(&self) -> &'static str {
        if self.is_less() {
            "less"
        } else if self.low > 1.0 {
            "more"
        } else {
            "not to be told apart"
        }
    }
}

/// Between which the median lies with 95 %. `None` where there is no round.
fn bounds(rounds: &[f64]) -> Option<(f64, f64)> {
    let mut chance = Chance::new(95);
    let mut medians = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let drawn: Vec<f64> =
            rounds.iter().filter_map(|_| rounds.get(chance.below(rounds.len())).copied()).collect();
        medians.push(Spread::of(drawn)?.median());
    }
    medians.sort_by(f64::total_cmp);
    let outside = (RESAMPLES as f64 * OUTSIDE) as usize;
    Some((*medians.get(outside)?, *medians.get(RESAMPLES - 1 - outside)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Latencies;

    fn measured(rounds: &[f64]) -> Measured {
        Measured {
            worker_us: rounds.to_vec(),
            process_us: rounds.to_vec(),
            rate: vec![1.0],
            latencies: Latencies::new().unwrap(),
        }
    }

    fn pair() -> Pair {
        Pair {
            name: "warm".to_owned(),
            ours: "ours".to_owned(),
            native: "native".to_owned(),
            goal: Some(0.7),
        }
    }

    #[test]
    fn what_a_variant_adds_is_compared_within_a_round() {
        // In the second round the machine was half as fast.
        let all = [
            ("none", [10.0, 20.0]),
            ("none_again", [12.0, 24.0]),
            ("ours", [21.0, 42.0]),
            ("native", [31.0, 62.0]),
        ];
        let all = all.into_iter().map(|(name, rounds)| (name.to_owned(), measured(&rounds))).collect();
        let ratio = ratio(&all, &pair()).unwrap();
        assert_eq!(ratio.spread.rounds(), [0.5, 0.5]);
        assert!(ratio.is_less());
    }

    #[test]
    fn less_is_only_said_where_chance_does_not_explain_it() {
        let ratio = |rounds: &[f64]| {
            let (low, high) = bounds(rounds).unwrap();
            Ratio { name: String::new(), spread: Spread::of(rounds.to_vec()).unwrap(), low, high, goal: None }
                .verdict()
        };
        assert_eq!(ratio(&[0.7, 0.72, 0.69, 0.71, 0.7, 0.73, 0.68, 0.7]), "less");
        assert_eq!(ratio(&[0.9, 1.2, 0.7, 1.1, 0.95, 1.3, 0.8, 1.0]), "not to be told apart");
        assert_eq!(ratio(&[1.4, 1.5, 1.45, 1.6, 1.5, 1.42, 1.5, 1.5]), "more");
        assert_eq!(bounds(&[]), None);
    }
}
