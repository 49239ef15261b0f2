//! What is made of several rounds.
//!
//! Every round measures every subject, one right after the other. So what disturbs the machine for longer than a round
//! disturbs them alike, and a quotient of two subjects is taken within a round, never of two medians.

pub(crate) use self::latencies::{Latencies, QUANTILES};

mod latencies;

/// One figure as the rounds had it: never empty.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    rounds: Vec<f64>,
}

impl Spread {
    /// `None` where there is no round.
    pub(crate) fn of(rounds: Vec<f64>) -> Option<Self> {
        (!rounds.is_empty() && rounds.iter().all(|value| value.is_finite())).then_some(Self { rounds })
    }

    /// In the order of the rounds.
    pub(crate) fn rounds(&self) -> &[f64] {
        &self.rounds
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
        if sorted.len().is_multiple_of(2) { (at(middle - 1) + at(middle)) / 2.0 } else { at(middle) }
    }

    pub(crate) fn least(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn greatest(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// One through the other, round by round. A round in which something is missing has none.
pub(crate) fn quotients(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).filter(|quotient| quotient.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        let median = |rounds: &[f64]| Spread::of(rounds.to_vec()).unwrap().median();
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn the_spread_is_from_the_least_to_the_greatest() {
        let spread = Spread::of(vec![9.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.least(), spread.greatest()), (1.0, 9.0));
    }

    #[test]
    fn what_was_not_measured_has_no_spread() {
        assert!(Spread::of(Vec::new()).is_none());
        assert!(Spread::of(vec![1.0, f64::NAN]).is_none());
    }

    #[test]
    fn a_quotient_is_of_one_round_and_not_of_two_medians() {
        // In the second round the machine was half as fast, for both.
        assert_eq!(quotients(&[90.0, 45.0], &[100.0, 50.0]), [0.9, 0.9]);
        assert_eq!(quotients(&[90.0, 45.0], &[0.0, 50.0]), [0.9]);
    }
}
