//! Measuring: every block once in a round, in an order that each round draws anew; within a block all that is compared,
//! one right after the other, again in an order that is drawn.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use xtask::error::Error;
use xtask::interrupt;
use xtask::report::Report;

use super::envoy::Envoy;
use super::subject::{Slice, Subject};
use super::tokens::Signers;
use super::variants::Block;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    pub(super) rounds: u32,
    /// What each subject is asked for before anything counts: V8 compiles in steps, while it runs.
    pub(super) warm_up: Duration,
    /// About how long it is asked in each round. How many requests that are is found out while it warms up.
    pub(super) slice: Duration,
    /// So many requests at least, in each round.
    pub(super) least: usize,
    /// Before each slice, unmeasured: others have had the core's caches since.
    pub(super) before: usize,
    pub(super) cold: Cold,
}

/// How much is asked where each token comes once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cold {
    /// How many tokens are in rotation while it warms up: more than any cache holds, so that each is full before anything counts.
    pub(super) warm_up: usize,
    /// The most requests of a slice.
    pub(super) slice: usize,
}

impl Amounts {
    /// How many tokens that takes of each algorithm.
    pub(super) fn tokens(&self) -> usize {
        self.cold.warm_up + self.rounds as usize * (self.before + self.cold.slice)
    }
}

/// What a variant cost in one round, and the same requests without a filter, measured in the same block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paired {
    pub(super) own: Slice,
    pub(super) none: Slice,
}

/// By variant, in the order of the rounds.
pub(super) type Slices = BTreeMap<String, Vec<Paired>>;

/// Who is asked in one block: first where there is no filter.
#[derive(Debug)]
struct Group {
    none: Subject,
    subjects: Vec<Subject>,
}

impl Group {
    fn of(block: &Block, signers: &Signers, amounts: &Amounts) -> Self {
        let requests = block.asks.of_filter(signers);
        let subject = |variant| Subject::of(variant, &block.asks, requests.clone(), amounts);
        let subjects = block.variants.iter().map(subject).collect();
        Self { none: Subject::none(block, signers), subjects }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Subject> {
        std::iter::once(&mut self.none).chain(&mut self.subjects)
    }
}

/// Until nothing of what was measured is left to be done.
const SETTLED: Duration = Duration::from_millis(100);

/// Warms up, and measures in rounds.
///
/// # Errors
/// An answer that was not expected; a cache that found what it should not, or the other way round.
pub(super) fn measure(
    envoy: &mut Envoy,
    blocks: &[Block],
    signers: &Signers,
    amounts: &Amounts,
    seed: u64,
    report: &mut Report,
) -> Result<Slices, Error> {
    let mut random = Rng::with_seed(seed);
    let mut groups: Vec<Group> = blocks.iter().map(|block| Group::of(block, signers, amounts)).collect();
    report.step("warm up", |_| {
        let mut subjects = groups.iter_mut().flat_map(Group::all);
        subjects.try_for_each(|subject| subject.warm_up(envoy, amounts))
    })?;
    let mut slices = Slices::new();
    for round in 0..amounts.rounds {
        random.shuffle(&mut groups);
        report.step(&format!("round {} of {}", round + 1, amounts.rounds), |_| {
            groups.iter_mut().try_for_each(|group| one(envoy, group, amounts, &mut random, &mut slices))
        })?;
    }
    Ok(slices)
}

fn one(
    envoy: &mut Envoy,
    group: &mut Group,
    amounts: &Amounts,
    random: &mut Rng,
    slices: &mut Slices,
) -> Result<(), Error> {
    let mut order: Vec<&mut Subject> = group.all().collect();
    random.shuffle(&mut order);
    let mut measured = Vec::new();
    let mut none = Slice::default();
    for subject in order {
        let slice = subject.slice(envoy, amounts)?;
        match &subject.variant {
            Some(variant) => measured.push((variant.name.clone(), slice)),
            None => none = slice,
        }
    }
    for (name, own) in measured {
        slices.entry(name).or_default().push(Paired { own, none });
    }
    Ok(())
}

/// What the worker does of its own, with nobody asking: the ticks of the filters that follow a feed. In microseconds of CPU
/// time for each second.
///
/// # Errors
/// Envoy has ended.
pub(super) fn alone(envoy: &Envoy, time: Duration) -> Result<f64, Error> {
    // The last connections are closed meanwhile.
    sleep(SETTLED);
    interrupt::check()?;
    let (begun, before) = (Instant::now(), envoy.spent()?);
    sleep(time);
    let spent = envoy.spent()?.workers.saturating_sub(before.workers);
    Ok(spent.as_secs_f64() * 1e6 / begun.elapsed().as_secs_f64())
}
