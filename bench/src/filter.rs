//! Bearward beside Envoy's own `jwt_authn` and `rbac`, in one Envoy.
//!
//! One worker on a core of its own; a listener for each variant; all of them in every round, in an order that is drawn. The
//! figure is the CPU time of the worker by request, less that of the same requests without a filter. In reading order:
//! [`variants`] (what is compared), [`configuration`] (how, out of `bench/filter`), [`tokens`] and [`asks`] (what is asked),
//! [`proof`] (that all filters do the same), [`rounds`] and [`subject`] (measuring), [`verdict`] (what the rounds say), [`told`]
//! and [`chart`] (how it is told).

use std::path::PathBuf;
use std::time::Duration;

use bearward_core::verified_tokens::MAX_VERIFIED_TOKENS;
use clap::Args;
use serde_json::json;
use xtask::directory::random_hex;
use xtask::error::Error;
use xtask::report::{Report, print};
use xtask::stack::{EnvoyOptions, FEED_VARIABLE};

use self::configuration::{Parts, SECRET_VARIABLE};
use self::connections::CONNECTIONS;
use self::envoy::Envoy;
use self::noops::Noops;
use self::rounds::Amounts;
use self::told::Told;
use self::variants::Block;
use crate::machine::{self, Machine};

mod asks;
mod chart;
mod configuration;
mod connections;
mod cores;
mod envoy;
mod feed;
mod noops;
mod proof;
mod rounds;
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
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
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

/// Half as many tokens again as Bearward keeps: in rotation none of them is known any more when its turn comes.
const COLD_TOKENS: usize = MAX_VERIFIED_TOKENS + MAX_VERIFIED_TOKENS / 2;
/// How many tokens the native filter keeps where it keeps any: no fewer than Bearward.
const CACHE_SIZE: usize = COLD_TOKENS;

const LONG: Amounts = Amounts {
    rounds: 0,
    warm_up: Duration::from_millis(400),
    slice: Duration::from_millis(250),
    least: 500,
    before: 200,
};
/// Everything is measured, and nothing is said by it.
const QUICK: Amounts =
    Amounts { rounds: 1, warm_up: Duration::ZERO, slice: Duration::ZERO, least: 64, before: 16 };

/// For how long the worker is watched with nobody asking, at least.
const ALONE: Duration = Duration::from_millis(100);
/// No token comes up twice while so few are asked for.
const QUICK_TOKENS: usize = 256;

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Envoy does not start, or a variant answers something else than it should.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
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
    let amounts = if options.quick { QUICK } else { Amounts { rounds: options.rounds, ..LONG } };
    let blocks = chosen(options);
    let secret = tokens::secret()?;
    // In a short run no token comes up twice; in a long one so many do that none is remembered.
    let count = if options.quick { QUICK_TOKENS } else { COLD_TOKENS };
    let signers =
        report.step(&format!("sign {count} tokens of each algorithm"), |_| tokens::sign(count, &secret))?;
    let noops = Noops::write(&options.logs)?;
    let parts = Parts {
        signers: &signers,
        bearward: &options.module,
        noops: &noops,
        cache_size: CACHE_SIZE,
        feeds: &feed::start(&blocks)?,
    };
    let envoy = EnvoyOptions {
        binary: options.envoy.clone(),
        configuration: configuration::of(&blocks, &parts)?,
        directory: options.logs.clone(),
        env: vec![(SECRET_VARIABLE.to_owned(), secret), (FEED_VARIABLE.to_owned(), random_hex(32)?)],
        concurrency: 1,
    };
    let listeners = 1 + configuration::with_filters(&blocks).count();
    // Before anything is pinned: the cores are counted.
    let machine = Machine::of(&[("Envoy", machine::envoy_version(&options.envoy).unwrap_or_default())]);
    let mut envoy = report.step("start Envoy", |report| Envoy::start(&envoy, listeners, report))?;
    let pinned = pin(&envoy)?;
    report.step("see that every filter does the same", |_| proof::of(&envoy, &blocks, &signers))?;
    let slices = rounds::measure(&mut envoy, &blocks, &signers, &amounts, options.seed, report)?;
    let alone_us = rounds::alone(&envoy, amounts.warm_up.max(ALONE))?;
    let pairs = variants::pairs(&blocks);
    let verdict = verdict::of(&blocks, &pairs, &slices, options.seed)
        .ok_or_else(|| Error::unusable("something was not measured", "more rounds"))?;
    Ok(Told {
        verdict,
        machine,
        alone_us,
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

/// Envoy on one core, and this thread, which asks, on another. `false` where there is only one, or no way to say so.
fn pin(envoy: &Envoy) -> Result<bool, Error> {
    match cores::usable().as_slice() {
        [first, second, ..] => {
            envoy.pin(*first)?;
            cores::pin(None, *second)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn chosen(options: &Options) -> Vec<Block> {
    let wanted = |block: &Block| {
        let named = options.only.iter().any(|prefix| block.name.starts_with(prefix));
        block.name == variants::NONE || named || options.only.is_empty()
    };
    variants::all().into_iter().filter(wanted).collect()
}
