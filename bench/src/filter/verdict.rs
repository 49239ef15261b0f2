//! What the rounds say: how much each variant adds, and by how much Bearward's differ from the native ones.

use fastrand::Rng;

use super::rounds::{Paired, Slices};
use super::subject::Slice;
use super::variants::{Block, NONE, Pair, Variant};
use crate::statistics::{Spread, quotients};

/// So many rounds must have been drawn from before anything is called less.
const LEAST_ROUNDS: usize = 8;
/// How often the bootstrap draws.
const DRAWS: usize = 10_000;
/// Added CPU below this, in microseconds, is taken for this in ratios: less is never told apart from none.
const LEAST_US: f64 = 0.1;
/// The share of the draws that lies outside of each bound: together 5 %.
const OUTSIDE: f64 = 0.025;

/// One variant over all rounds.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// CPU time of the worker by request, all of it, in microseconds.
    pub(super) cpu_us: Spread,
    /// The same without a filter, in the same block.
    pub(super) none_us: Spread,
    /// How much more the first is than the second, round by round.
    pub(super) added_us: Spread,
    /// The same difference for the whole process.
    pub(super) added_process_us: Spread,
    pub(super) rps: Spread,
    pub(super) p50_us: Spread,
    pub(super) p99_us: Spread,
    pub(super) busy: Spread,
}

/// Bearward over native.
#[derive(Debug)]
pub(super) struct Ratio {
    pub(super) pair: Pair,
    /// What each adds: the medians over all rounds, in microseconds.
    pub(super) ours_us: f64,
    pub(super) theirs_us: f64,
    /// The first of these medians over the second. What one round adds is a difference of two figures that each have the
    /// machine's noise in them; where it is small, a quotient of two such differences may be anything, and one of medians is not.
    pub(super) ratio: f64,
    /// The quotients of single rounds all the same.
    pub(super) spread: Spread,
    /// Between which the ratio is with 95 %: a bootstrap over the rounds, each drawn with all that it measured.
    pub(super) bounds: [f64; 2],
}

impl Ratio {
    /// Only where chance would have to be great for it to be otherwise, never after a few rounds, and never where one of the two
    /// is not told apart from nothing.
    pub(super) fn is_less(&self) -> bool {
        self.is_told() && self.bounds[1] < 1.0
    }

    /// As sure as [`is_less`](Self::is_less), the other way round.
    pub(super) fn is_more(&self) -> bool {
        self.is_told() && self.bounds[0] > 1.0
    }

    fn is_told(&self) -> bool {
        self.spread.rounds().len() >= LEAST_ROUNDS && self.ours_us > LEAST_US && self.theirs_us > LEAST_US
    }

    pub(super) fn is_met(&self) -> Option<bool> {
        self.pair.goal.map(|goal| self.ratio <= goal)
    }
}

/// Everything that is told of one run.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) rows: Vec<Row>,
    pub(super) ratios: Vec<Ratio>,
}

impl Verdict {
    /// What is measured without a filter, held against the same in the same block.
    pub(super) fn none(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == NONE)
    }
}

/// `None` where something was not measured.
pub(super) fn of(blocks: &[Block], pairs: &[Pair], slices: &Slices, seed: u64) -> Option<Verdict> {
    let variants = blocks.iter().flat_map(|block| &block.variants);
    let rows = variants.map(|variant| row(variant, slices)).collect::<Option<Vec<_>>>()?;
    let random = &mut Rng::with_seed(seed);
    let of = |name: &str| rows.iter().find(|row| row.name == name);
    let ratio = |pair: &Pair| ratio(pair, &of(&pair.ours)?.added_us, &of(&pair.theirs)?.added_us, random);
    let ratios = pairs.iter().map(ratio).collect::<Option<Vec<_>>>()?;
    Some(Verdict { rows, ratios })
}

fn row(variant: &Variant, slices: &Slices) -> Option<Row> {
    let rounds = slices.get(&variant.name)?;
    let figure = |of: fn(&Paired) -> f64| Spread::of(rounds.iter().map(of).collect());
    let own = |of: fn(&Slice) -> f64| Spread::of(rounds.iter().map(|round| of(&round.own)).collect());
    Some(Row {
        name: variant.name.clone(),
        cpu_us: own(|slice| slice.worker_us)?,
        none_us: figure(|round| round.none.worker_us)?,
        added_us: figure(|round| round.own.worker_us - round.none.worker_us)?,
        added_process_us: figure(|round| round.own.process_us - round.none.process_us)?,
        rps: own(|slice| slice.rps)?,
        p50_us: own(|slice| slice.p50_us)?,
        p99_us: own(|slice| slice.p99_us)?,
        busy: own(|slice| slice.busy)?,
    })
}

fn ratio(pair: &Pair, ours: &Spread, theirs: &Spread, random: &mut Rng) -> Option<Ratio> {
    let least = |spread: &Spread| spread.rounds().iter().map(|added| added.max(LEAST_US)).collect::<Vec<_>>();
    let rounds: Vec<(f64, f64)> =
        ours.rounds().iter().copied().zip(theirs.rounds().iter().copied()).collect();
    Some(Ratio {
        pair: pair.clone(),
        ours_us: ours.median(),
        theirs_us: theirs.median(),
        ratio: of_medians(&rounds)?,
        spread: Spread::of(quotients(&least(ours), &least(theirs)))?,
        bounds: bounds(&rounds, random)?,
    })
}

/// The median of what ours adds over the median of what theirs adds.
fn of_medians(rounds: &[(f64, f64)]) -> Option<f64> {
    let (ours, theirs): (Vec<f64>, Vec<f64>) = rounds.iter().copied().unzip();
    Some(Spread::of(ours)?.median().max(LEAST_US) / Spread::of(theirs)?.median().max(LEAST_US))
}

/// The rounds are drawn from again and again, as many as there are (Efron 1979), and the ratio is taken of each draw.
fn bounds(rounds: &[(f64, f64)], random: &mut Rng) -> Option<[f64; 2]> {
    let mut ratios = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let drawn: Vec<_> = rounds.iter().filter_map(|_| random.choice(rounds).copied()).collect();
        ratios.push(of_medians(&drawn)?);
    }
    ratios.sort_by(f64::total_cmp);
    let outside = (OUTSIDE * DRAWS as f64) as usize;
    Some([*ratios.get(outside)?, *ratios.get(DRAWS - 1 - outside)?])
}

#[cfg(test)]
mod tests {
    use super::super::variants;
    use super::*;

    /// What was measured of these variants, each beside what the same took without a filter.
    fn slices(of: &[(&str, [f64; 8], [f64; 8])]) -> Slices {
        let slice = |worker_us| Slice { worker_us, process_us: worker_us + 1.0, ..Slice::default() };
        let paired = |own: &[f64; 8], none: &[f64; 8]| {
            own.iter().zip(none).map(|(own, none)| Paired { own: slice(*own), none: slice(*none) }).collect()
        };
        of.iter().map(|(name, own, none)| ((*name).to_owned(), paired(own, none))).collect()
    }

    fn verdict(slices: &Slices) -> Option<Verdict> {
        let mut blocks = variants::all();
        blocks.iter_mut().for_each(|block| block.variants.retain(|of| slices.contains_key(&of.name)));
        of(&blocks, &variants::pairs(&blocks), slices, 1)
    }

    fn told(ours: &[f64], theirs: &[f64]) -> Ratio {
        let pair = variants::pairs(&variants::all()).remove(0);
        let [ours, theirs] = [ours, theirs].map(|rounds| Spread::of(rounds.to_vec()).unwrap());
        ratio(&pair, &ours, &theirs, &mut Rng::with_seed(7)).unwrap()
    }

    #[test]
    fn what_a_filter_adds_is_of_one_block_of_one_round() {
        // In the last six rounds the machine was half as fast.
        let verdict = verdict(&slices(&[
            (
                "none",
                [9.0, 11.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0],
                [10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0],
            ),
            (
                "native_cold_EdDSA",
                [110.0, 110.0, 220.0, 220.0, 220.0, 220.0, 220.0, 220.0],
                [10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0],
            ),
            (
                "bearward_cold_EdDSA",
                [60.0, 60.0, 120.0, 120.0, 120.0, 120.0, 120.0, 120.0],
                [10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0],
            ),
        ]))
        .unwrap();
        assert_eq!(verdict.rows[1].name, "native_cold_EdDSA");
        assert_eq!(verdict.rows[1].added_us.rounds()[..3], [100.0, 100.0, 200.0]);
        assert_eq!(verdict.none().unwrap().added_us.rounds()[..3], [-1.0, 1.0, 0.0]);
        let [ratio] = verdict.ratios.as_slice() else { panic!("{:?}", verdict.ratios) };
        assert_eq!((ratio.spread.rounds(), ratio.ratio), ([0.5; 8].as_slice(), 0.5));
        assert!(ratio.is_less() && ratio.is_met() == Some(true), "{ratio:?}");
    }

    #[test]
    fn single_rounds_that_are_far_off_do_not_change_the_ratio() {
        let ratio =
            told(&[7.0, 7.1, 6.9, 7.0, 40.0, 7.0, 7.0, 7.0], &[10.0, 10.0, 0.2, 10.0, 10.0, 10.1, 9.9, 10.0]);
        assert!((ratio.ratio - 0.7).abs() < 1e-9, "{ratio:?}");
        assert!(ratio.is_less() && ratio.spread.greatest() > 30.0, "{ratio:?}");
    }

    #[test]
    fn what_costs_nothing_that_can_be_seen_is_neither_less_nor_more() {
        let nothing = told(&[-1.0; 8], &[2.0; 8]);
        assert!(!nothing.is_less() && nothing.bounds[1] < 1.0, "{nothing:?}");
        let against_nothing = told(&[10.0; 8], &[-1.0; 8]);
        assert!(
            (against_nothing.ratio - 100.0).abs() < 1e-9 && !against_nothing.is_more(),
            "{against_nothing:?}"
        );
    }

    #[test]
    fn nothing_is_called_less_that_may_as_well_be_more() {
        let theirs = [1.0; 8];
        let apart = told(&[0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77], &theirs);
        assert!(apart.is_less() && (0.74..0.77).contains(&apart.bounds[1]), "{apart:?}");
        let few = told(&[0.7, 0.71], &[1.0; 2]);
        assert!(!few.is_less() && few.bounds[1] < 1.0, "{few:?}");
        let mixed = told(&[0.8, 0.82, 0.85, 0.9, 1.1, 1.2, 1.25, 1.3], &theirs);
        assert!(!mixed.is_less() && !mixed.is_more(), "{mixed:?}");
        assert!(told(&[1.4, 1.5, 1.45, 1.6, 1.5, 1.42, 1.5, 1.5], &theirs).is_more());
    }

    #[test]
    fn the_same_seed_draws_the_same_bounds() {
        let rounds = [(0.8, 1.0), (0.82, 1.0), (0.85, 1.0), (0.9, 1.0), (1.1, 1.0)];
        let of = |seed| bounds(&rounds, &mut Rng::with_seed(seed)).unwrap();
        assert_eq!(of(3), of(3));
    }

    #[test]
    fn a_variant_without_rounds_leaves_no_verdict() {
        let mut slices = slices(&[("none", [1.0; 8], [1.0; 8])]);
        slices.insert("noop".to_owned(), Vec::new());
        assert!(verdict(&slices).is_none());
    }
}
