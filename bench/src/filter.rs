//! Bearward beside Envoy's own `jwt_authn` and `rbac`, in one Envoy.
//!
//! One worker on a core of its own; a listener for each variant; all of them in every round, in an order that is drawn. The
//! figure is the CPU time of the worker by request, less that of the same requests without a filter. In reading order:
//! [`variants`] (what is compared), [`configuration`] (how, out of `bench/filter`), [`only`] (which of it), [`tokens`] and [`asks`] (what is asked),
//! [`proof`] (that all filters do the same), [`run`], [`rounds`] and [`subject`] (measuring), [`starts`] (what stands before the first request), [`verdict`] (what the rounds say), [`told`]
//! and [`chart`] (how it is told); [`growth`] is how cost grows.

use std::path::PathBuf;
use std::time::Duration;

use bearward_core::verified_tokens::MAX_VERIFIED_TOKENS;
use clap::Args;
use serde_json::json;
use xtask::error::Error;
use xtask::report::{Report, print};

use self::connections::CONNECTIONS;
use self::rounds::{Amounts, Cold};
use self::run::{Measured, Run};
use self::told::{Pass, Told};
use self::variants::Block;
use crate::machine::{self, Machine};

mod asks;
mod chart;
mod configuration;
mod connections;
mod cores;
mod envoy;
mod feed;
mod grown;
mod growth;
mod noops;
mod only;
mod proof;
mod rounds;
mod run;
mod starts;
mod subject;
mod template;
mod tokens;
mod told;
mod variants;
mod verdict;

/// What `bearward-bench filter` needs and does.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Envoy.
    #[arg(long)]
    envoy: PathBuf,
    /// The filter: bearward.wasm.
    #[arg(long)]
    module: PathBuf,
    /// Where Envoy writes its log, and where the modules go that do nothing.
    #[arg(long)]
    logs: PathBuf,
    /// How often everything is measured.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: Option<u32>,
    /// Measures how cost grows, instead: with rules, roles, the length of tokens and so on.
    #[arg(long)]
    growth: bool,
    /// A short run, whose figures say nothing.
    #[arg(long)]
    quick: bool,
    /// What the order of the rounds and the bootstrap are drawn by.
    #[arg(long, default_value_t = 8)]
    seed: u64,
    /// Measures only what begins like one of these: `warm_EdDSA`, `cold_`, `no_token`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Writes everything, for machines.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the table into this document, and the chart beside it.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Half as many tokens again as any filter keeps.
const COLD_TOKENS: usize = MAX_VERIFIED_TOKENS + MAX_VERIFIED_TOKENS / 2;
/// How many tokens the native filter keeps where it keeps any: as many as Bearward.
const CACHE_SIZE: usize = MAX_VERIFIED_TOKENS;

/// How often everything is measured where nothing else is said.
const ROUNDS: u32 = 24;
const LONG: Amounts = Amounts {
    rounds: 0,
    warm_up: Duration::from_millis(400),
    slice: Duration::from_millis(250),
    least: 500,
    before: 200,
    cold: Cold { warm_up: COLD_TOKENS, slice: 5_000 },
};
/// Everything is measured, and nothing is said by it.
const QUICK: Amounts = Amounts {
    rounds: 1,
    warm_up: Duration::ZERO,
    slice: Duration::ZERO,
    least: 64,
    before: 16,
    cold: Cold { warm_up: 128, slice: 64 },
};

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Envoy does not start, or a variant answers something else than it should.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    if options.growth {
        return growth::run(options, report);
    }
    let told = measure(options, report)?;
    print(&told.markdown());
    if let Some(path) = &options.json {
        told.write_json(path)?;
    }
    if let Some(path) = &options.write {
        told.write_into(path)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<Told, Error> {
    let amounts =
        if options.quick { QUICK } else { Amounts { rounds: options.rounds.unwrap_or(ROUNDS), ..LONG } };
    let [blocks, following] = [variants::all(), variants::following()];
    only::check(&options.only, blocks.iter().chain(&following).map(|block| &*block.name))?;
    let [blocks, following] = [blocks, following].map(|blocks| chosen(options, blocks));
    let secret = tokens::secret()?;
    let count = amounts.tokens();
    let asked: Vec<&Block> = blocks.iter().chain(&following).collect();
    let signers = report
        .step(&format!("sign {count} tokens of each algorithm"), |_| tokens::sign(&asked, count, &secret))?;
    // Before anything is pinned: the cores are counted.
    let machine = Machine::of(&[("Envoy", machine::envoy_version(&options.envoy).unwrap_or_default())]);
    let run =
        Run { options, blocks: &blocks, signers: &signers, secret: &secret, amounts: &amounts, workers: 1 };
    let starts = if options.only.is_empty() { starts::measure(run, report)? } else { Vec::new() };
    let (own, pinned) = pass(run, report)?;
    // No more than the block without a filter where something else was chosen.
    let following = (following.len() > 1).then(|| pass(Run { blocks: &following, ..run }, report));
    let following = following.transpose()?.map(|(following, _)| following);
    Ok(Told {
        own,
        following,
        machine,
        starts,
        is_quick: options.quick,
        settings: vec![
            ("rounds", json!(amounts.rounds)),
            ("seed", json!(options.seed)),
            ("connections", json!(CONNECTIONS)),
            ("slice_ms", json!(amounts.slice.as_millis() as u64)),
            ("cold_tokens", json!(count)),
            ("pinned", json!(pinned)),
        ],
    })
}

/// What one Envoy says of all its filters, and whether it had a core for itself.
fn pass(run: Run<'_>, report: &mut Report) -> Result<(Pass, bool), Error> {
    let Measured { slices, alone_us, pinned } = run.measure(report)?;
    let pairs = variants::pairs(run.blocks);
    let verdict = verdict::of(run.blocks, &pairs, &slices, run.options.seed)
        .ok_or_else(|| Error::unusable("something was not measured", "more rounds"))?;
    Ok((Pass { verdict, alone_us }, pinned))
}

fn chosen(options: &Options, blocks: Vec<Block>) -> Vec<Block> {
    let is_wanted = |block: &Block| block.name == variants::NONE || only::wants(&options.only, &block.name);
    blocks.into_iter().filter(is_wanted).collect()
}
