//! What the filter costs: CPU time of Envoy's worker for each request, beside Envoy's own filters that do the same, in one Envoy.
//!
//! In reading order: [`variants`] what is measured, [`tokens`] with which requests, [`configuration`] in which Envoy, [`load`] how it is
//! asked, [`worker`] what that takes, [`rounds`] in which order ([`chance`]), [`verdict`] what may be said of it, [`table`] how it is told.

mod chance;
mod configuration;
mod load;
mod rounds;
mod table;
mod tokens;
mod variants;
mod verdict;
mod worker;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use xtask::error::Error;
use xtask::http;
use xtask::report::{Report, print};
use xtask::stack::{EnvoyOptions, EnvoyServer};

use self::configuration::{BodyLengths, Modules, SECRET};
use self::rounds::Subject;
use self::table::Findings;
use self::tokens::Pool;
use self::variants::{ALGORITHMS, Listener, Variant};
use self::worker::Worker;
use crate::machine::{self, Machine};
use crate::report;

/// What `bearward-bench filter` needs and does.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Envoy.
    #[arg(long)]
    envoy: PathBuf,
    /// The module.
    #[arg(long)]
    module: PathBuf,
    /// Where Envoy's log goes, and the modules that do nothing.
    #[arg(long)]
    logs: PathBuf,
    /// How often everything is measured, after a round that is not counted.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Only see that everything is measured: few tokens, moments of load.
    #[arg(long)]
    quick: bool,
    /// Writes everything, for machines.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the table into this document, and a drawing beside it.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// More than the filter remembers, so that each is new to it when its turn comes again.
const TOKENS: usize = 6_000;
const QUICK_TOKENS: usize = 64;
/// How long a variant is asked in each round.
const SLICE: Duration = Duration::from_millis(400);
const QUICK_SLICE: Duration = Duration::from_millis(20);
const NAME: &str = "filter";
const DRAWING: &str = "filter-cpu.svg";

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Envoy does not start, or answers something else than it should.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    let findings = measure(options, report)?;
    print(&findings.markdown());
    if let Some(path) = &options.json {
        fs::write(path, format!("{:#}\n", findings.json())).map_err(Error::file("write", path))?;
    }
    if let Some(path) = &options.write {
        let drawing = path.with_file_name(DRAWING);
        fs::write(&drawing, findings.svg(&variants::pairs())).map_err(Error::file("write", &drawing))?;
        let text = format!("{}\n![CPU time that each filter adds]({DRAWING})\n", findings.markdown());
        report::write_into(path, NAME, &text)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<Findings, Error> {
    let count = if options.quick { QUICK_TOKENS } else { TOKENS };
    let pools: Vec<Pool> = report.step("sign tokens", |report| {
        let make = |algorithm| {
            report.note(bearward_core::algorithm::AlgorithmName::as_str(algorithm));
            Pool::make(algorithm, count)
        };
        ALGORITHMS.into_iter().map(make).collect::<Result<_, _>>()
    })?;
    let modules = Modules::write(&options.module, &options.logs)?;
    let variants = variants::all();
    let lengths = report.step("see how long our refusals are", |report| {
        let envoy = Envoy::start(options, &variants, &pools, &modules, BodyLengths::default(), report)?;
        let mut subjects = envoy.subjects(&variants, &pools)?;
        Ok(BodyLengths {
            no_token: body_of(&mut subjects, "bearward_no_token")?,
            forged: body_of(&mut subjects, "bearward_forged_EdDSA")?,
        })
    })?;
    let envoy = report
        .step("start Envoy", |report| Envoy::start(options, &variants, &pools, &modules, lengths, report))?;
    // Before this thread is left one core.
    let machine = Machine::of(&[("Envoy", envoy_version(&options.envoy))]);
    let worker = Worker::of(envoy.server.id())?;
    worker.pin()?;
    let mut subjects = envoy.subjects(&variants, &pools)?;
    let slice = if options.quick { QUICK_SLICE } else { SLICE };
    let measured = report
        .step("measure", |report| rounds::measure(&mut subjects, &worker, (options.rounds, slice), report))?;
    for pair in variants::pairs() {
        let body = |name: &str| {
            subjects.iter().find(|subject| subject.variant.name == name).and_then(|found| found.body)
        };
        if body(&pair.ours) != body(&pair.native) {
            let what = format!("{}: the answers are not equally long", pair.name);
            return Err(Error::unusable(what, "adapt bench/src/filter/configuration.rs"));
        }
    }
    let ratios = variants::pairs().iter().filter_map(|pair| verdict::ratio(&measured, pair)).collect();
    let conditions = format!(
        "{} {} rounds, in each of them every variant for {} ms in an order that chance makes; one worker on a core of its own, the load \
         (8 connections, HTTP/1.1) on another; {count} tokens of each algorithm in rotation where it is cold; the module has {} KiB.",
        machine.sentence(),
        options.rounds,
        slice.as_millis(),
        fs::metadata(&options.module).map_or(0, |file| file.len() / 1024),
    );
    Ok(Findings { variants, measured, ratios, conditions })
}

/// One Envoy with a listener for each filter.
struct Envoy {
    server: EnvoyServer,
    addresses: BTreeMap<String, SocketAddr>,
}

impl Envoy {
    fn start(
        options: &Options,
        variants: &[Variant],
        pools: &[Pool],
        modules: &Modules,
        lengths: BodyLengths,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let mut listeners: Vec<Listener> = Vec::new();
        for variant in variants {
            if !listeners.contains(&variant.listener) {
                listeners.push(variant.listener);
            }
        }
        let secret = pools.iter().find_map(Pool::secret).unwrap_or_default();
        let server = EnvoyServer::start(
            &EnvoyOptions {
                binary: options.envoy.clone(),
                configuration: configuration::write(&listeners, pools, modules, lengths)?,
                directory: options.logs.clone(),
                env: vec![(SECRET.to_owned(), secret)],
                concurrency: 1,
            },
            report,
        )?;
        let addresses = addresses(&server, listeners.len())?;
        Ok(Self { server, addresses })
    }

    fn subjects(&self, variants: &[Variant], pools: &[Pool]) -> Result<Vec<Subject>, Error> {
        let subject = |variant: &Variant| {
            let name = configuration::name(variant.listener);
            let unusable = |what: &str| Error::unusable(format!("{}: {what}", variant.name), "report this");
            let pool = pools.iter().find(|pool| pool.algorithm() == variant.algorithm);
            let requests = pool.ok_or_else(|| unusable("no tokens"))?.requests(variant.tokens);
            let address = self.addresses.get(&name).ok_or_else(|| unusable("no listener"))?;
            Subject::new(variant.clone(), requests, *address)
        };
        variants.iter().map(subject).collect()
    }
}

/// The number in `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
fn envoy_version(program: &Path) -> String {
    let text = machine::said(program, &["--version"]).unwrap_or_default();
    text.split('/').nth(1).unwrap_or("unknown").to_owned()
}

fn addresses(server: &EnvoyServer, count: usize) -> Result<BTreeMap<String, SocketAddr>, Error> {
    let answer = http::get(&format!("{}/listeners?format=json", server.admin_url()), None);
    let answer: Option<Value> = answer.and_then(|answer| serde_json::from_str(&answer.body).ok());
    let statuses = answer.as_ref().and_then(|answer| answer.get("listener_statuses")?.as_array());
    let address = |status: &Value| {
        let port = status.pointer("/local_address/socket_address/port_value")?.as_u64()?;
        let name = status.get("name")?.as_str()?.to_owned();
        Some((name, SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).ok()?))))
    };
    let addresses: BTreeMap<_, _> = statuses.into_iter().flatten().filter_map(address).collect();
    if addresses.len() == count {
        return Ok(addresses);
    }
    Err(Error::unusable(format!("Envoy has {} listeners of {count}", addresses.len()), "read its log"))
}

fn body_of(subjects: &mut [Subject], name: &str) -> Result<usize, Error> {
    let found = subjects.iter_mut().find(|subject| subject.variant.name == name);
    let subject = found.ok_or_else(|| Error::unusable(format!("no variant {name}"), "report this"))?;
    subject.drive((1, Duration::ZERO), |_| {})?;
    Ok(subject.body.unwrap_or_default())
}
