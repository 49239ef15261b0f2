//! What the rounds say: how much each variant adds, and by how much Bearward's differ from the native ones.

use fastrand::Rng;

use super::rounds::{Slice, Slices};
use super::variants::{Asks, NONE, NONE_AGAIN, NONE_REFUSED, Pair, Variant};
use crate::statistics::{Spread, quotients};

/// So many rounds must have been drawn from before anything is called faster.
const LEAST_ROUNDS: usize = 8;
/// How often the bootstrap draws.
const DRAWS: usize = 10_000;
/// Added CPU below this, in microseconds, is taken for this in ratios: less is never told apart from none.
const LEAST_US: f64 = 0.1;
/// The share of the draws that are not above the bound.
const BOUND: f64 = 0.95;

/// One variant over all rounds.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// CPU time of the worker by request, all of it, in microseconds.
    pub(super) cpu_us: Spread,
    /// The same, less that of no filter in the same round.
    pub(super) added_us: Spread,
    /// The same difference for the whole process.
    pub(super) added_process_us: Spread,
    pub(super) rps: Spread,
    pub(super) p50_us: Spread,
    pub(super) p99_us: Spread,
    pub(super) busy: Spread,
}

/// Bearward over native, pair by pair.
#[derive(Debug)]
pub(super) struct Ratio {
    pub(super) pair: Pair,
    pub(super) ours_us: f64,
    pub(super) theirs_us: f64,
    pub(super) spread: Spread,
    /// What the median is not above, with 95 % of the draws of a bootstrap.
    pub(super) bound: f64,
}

impl Ratio {
    /// Only where chance would have to be great for it to be otherwise, and never after a few rounds.
    pub(super) fn is_less(&self) -> bool {
        self.spread.rounds().len() >= LEAST_ROUNDS && self.bound < 1.0
    }

    pub(super) fn is_met(&self) -> Option<bool> {
        self.pair.goal.map(|goal| self.spread.median() <= goal)
    }
}

/// Everything that is told of one run.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) rows: Vec<Row>,
    pub(super) ratios: Vec<Ratio>,
    /// CPU time of the worker by request without a filter, in microseconds.
    pub(super) none_us: Spread,
    /// How much the second measurement without a filter differed from the first in the same round.
    pub(super) none_against_itself_us: Spread,
}

/// `None` where something was not measured.
pub(super) fn of(variants: &[Variant], pairs: &[Pair], slices: &Slices, seed: u64) -> Option<Verdict> {
    let rows = variants.iter().map(|variant| row(variant, slices)).collect::<Option<Vec<_>>>()?;
    let random = &mut Rng::with_seed(seed);
    let of = |name: &str| rows.iter().find(|row| row.name == name);
    let mut ratios = Vec::new();
    for pair in pairs {
        let (ours, theirs) = (of(&pair.ours)?, of(&pair.theirs)?);
        let told =
            |row: &Row| row.added_us.rounds().iter().map(|added| added.max(LEAST_US)).collect::<Vec<_>>();
        let rounds = quotients(&told(ours), &told(theirs));
        let bound = bound(&rounds, random);
        ratios.push(Ratio {
            pair: pair.clone(),
            ours_us: ours.added_us.median(),
            theirs_us: theirs.added_us.median(),
            spread: Spread::of(rounds)?,
            bound,
        });
    }
    let [first, again] = [slices.get(NONE)?, slices.get(NONE_AGAIN)?];
    let none_us = Spread::of(first.iter().map(|slice| slice.worker_us).collect())?;
    let apart = first.iter().zip(again).map(|(first, again)| again.worker_us - first.worker_us);
    Some(Verdict { none_us, none_against_itself_us: Spread::of(apart.collect())?, rows, ratios })
}

fn row(variant: &Variant, slices: &Slices) -> Option<Row> {
    let own = slices.get(&variant.name)?;
    let figure = |of: fn(&Slice) -> f64| Spread::of(own.iter().map(of).collect());
    Some(Row {
        name: variant.name.clone(),
        cpu_us: figure(|slice| slice.worker_us)?,
        added_us: added(variant, slices, |slice| slice.worker_us)?,
        added_process_us: added(variant, slices, |slice| slice.process_us)?,
        rps: figure(|slice| slice.rps)?,
        p50_us: figure(|slice| slice.p50_us)?,
        p99_us: figure(|slice| slice.p99_us)?,
        busy: figure(|slice| slice.busy)?,
    })
}

/// Less what no filter cost in the same round, twice measured, the mean of both; for a request without a token less what a
/// refusal costs without a filter.
fn added(variant: &Variant, slices: &Slices, of: fn(&Slice) -> f64) -> Option<Spread> {
    let less = if variant.asks == Asks::NoToken { [NONE_REFUSED; 2] } else { [NONE, NONE_AGAIN] };
    let [own, first, again] = [slices.get(&variant.name)?, slices.get(less[0])?, slices.get(less[1])?];
    let none = first.iter().zip(again).map(|(first, again)| f64::midpoint(of(first), of(again)));
    Spread::of(own.iter().zip(none).map(|(own, none)| of(own) - none).collect())
}

/// The rounds are drawn from again and again; of the medians that come out this is the one that 95 % are not above.
fn bound(rounds: &[f64], random: &mut Rng) -> f64 {
    let mut medians: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            Spread::of((0..rounds.len()).filter_map(|_| random.choice(rounds).copied()).collect())
        })
        .map(|spread| spread.median())
        .collect();
    medians.sort_by(f64::total_cmp);
    let place = (BOUND * medians.len() as f64) as usize;
    medians.get(place).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::super::variants;
    use super::*;

    fn slices(of: &[(&str, [f64; 8])]) -> Slices {
        let slice = |worker_us: &f64| Slice {
            worker_us: *worker_us,
            process_us: worker_us + 1.0,
            ..Slice::default()
        };
        of.iter().map(|(name, rounds)| ((*name).to_owned(), rounds.iter().map(slice).collect())).collect()
    }

    fn chosen(names: &[&str]) -> Vec<Variant> {
        variants::all().into_iter().filter(|variant| names.contains(&variant.name.as_str())).collect()
    }

    fn ratio_of(rounds: &[f64]) -> Ratio {
        let pair = variants::pairs(&variants::all()).remove(0);
        let spread = Spread::of(rounds.to_vec()).unwrap();
        Ratio { pair, ours_us: 1.0, theirs_us: 1.0, spread, bound: 0.0 }
    }

    #[test]
    fn what_a_filter_adds_and_its_ratio_are_of_one_round() {
        // In the last two rounds the machine was half as fast.
        let names = ["none", "none_again", "native_cold_EdDSA", "bearward_cold_EdDSA"];
        let slices = slices(&[
            ("none", [9.0, 11.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]),
            ("none_again", [11.0, 9.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]),
            ("native_cold_EdDSA", [110.0, 110.0, 220.0, 220.0, 220.0, 220.0, 220.0, 220.0]),
            ("bearward_cold_EdDSA", [60.0, 60.0, 120.0, 120.0, 120.0, 120.0, 120.0, 120.0]),
        ]);
        let variants = chosen(&names);
        let verdict = of(&variants, &variants::pairs(&variants), &slices, 1).unwrap();
        assert_eq!(verdict.rows[2].name, "native_cold_EdDSA");
        assert_eq!(verdict.rows[2].added_us.rounds()[..3], [100.0, 100.0, 200.0]);
        assert_eq!(verdict.none_against_itself_us.rounds()[..3], [2.0, -2.0, 0.0]);
        let [ratio] = verdict.ratios.as_slice() else { panic!("{:?}", verdict.ratios) };
        assert_eq!(ratio.spread.rounds(), [0.5; 8]);
        assert!(ratio.bound == 0.5 && ratio.is_less() && ratio.is_met() == Some(true), "{ratio:?}");
    }

    #[test]
    fn a_request_without_a_token_is_held_against_one_that_envoy_refuses_by_itself() {
        let names = ["none", "none_again", "none_refused", "bearward_no_token"];
        let slices = slices(&[
            ("none", [20.0; 8]),
            ("none_again", [20.0; 8]),
            ("none_refused", [12.0; 8]),
            ("bearward_no_token", [17.0; 8]),
        ]);
        let verdict = of(&chosen(&names), &[], &slices, 1).unwrap();
        let added = |place: usize| verdict.rows[place].added_us.median();
        assert_eq!((added(2), added(3)), (-8.0, 5.0));
    }

    #[test]
    fn less_than_nothing_makes_no_ratio_that_is_less_than_it_is() {
        let names = ["none", "none_again", "native_cold_EdDSA", "bearward_cold_EdDSA"];
        let slices = slices(&[
            ("none", [20.0; 8]),
            ("none_again", [20.0; 8]),
            ("native_cold_EdDSA", [19.0; 8]),
            ("bearward_cold_EdDSA", [30.0; 8]),
        ]);
        let variants = chosen(&names);
        let verdict = of(&variants, &variants::pairs(&variants), &slices, 1).unwrap();
        assert_eq!(verdict.ratios[0].spread.median(), 100.0);
        assert!(!verdict.ratios[0].is_less());
    }

    #[test]
    fn nothing_is_called_faster_that_may_as_well_be_slower() {
        let random = &mut Rng::with_seed(7);
        let apart = bound(&[0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77], random);
        assert!((0.74..0.77).contains(&apart), "{apart}");
        let few = Ratio { bound: apart, ..ratio_of(&[0.7, 0.71]) };
        let enough = Ratio { bound: apart, ..ratio_of(&[0.7; 8]) };
        assert!(!few.is_less() && enough.is_less());
        let mixed = bound(&[0.8, 0.82, 0.85, 0.9, 1.1, 1.2, 1.25, 1.3], random);
        assert!(mixed > 1.0, "{mixed}");
    }

    #[test]
    fn the_same_seed_draws_the_same_bound() {
        let rounds = [0.8, 0.82, 0.85, 0.9, 1.1];
        let of = |seed| bound(&rounds, &mut Rng::with_seed(seed));
        assert_eq!(of(3), of(3));
    }

    #[test]
    fn a_variant_without_rounds_leaves_no_verdict() {
        let variants = chosen(&["none", "none_again", "noop"]);
        let slices = slices(&[("none", [1.0; 8]), ("none_again", [1.0; 8])]);
        assert!(of(&variants, &[], &slices, 1).is_none());
    }
}
