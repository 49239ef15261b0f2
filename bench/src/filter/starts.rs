//! What stands before the first request: how long Envoy takes to start, and what it holds of the memory.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::EnvoyOptions;
use xtask::{http, interrupt};

use super::asks::{Asks, Tokens};
use super::connections::Connections;
use super::envoy::{self, Envoy};
use super::run::Run;
use super::variants::{Block, Filter, NONE, OWN, Revocations, Shape, Variant, side_by_side};
use super::{COLD_TOKENS, QUICK, proof};
use crate::statistics::{Latencies, Spread};

/// One filter.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) name: &'static str,
    /// The size of its module in bytes, where it has one.
    pub(super) module_bytes: Option<u64>,
    /// From the start of the process to the first answer of its one worker to a good token, in milliseconds.
    pub(super) ready_ms: Spread,
    /// Resident memory of the whole process then, with one worker, in bytes.
    pub(super) resident: Spread,
    /// The same once the filter has seen more tokens than it keeps.
    pub(super) full: Spread,
    /// How much more it is then for one more worker.
    pub(super) each_worker: Spread,
}

/// How often Envoy is started for each.
const ROUNDS: usize = 5;
/// How often it is looked whether it answers.
const LOOK: Duration = Duration::from_millis(2);
/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(60);
const IN_A_ROW: usize = 30;
/// How often all tokens are asked with: with two workers each of them must have seen more than it keeps.
const TIMES: usize = 3;

/// Starts Envoy with each filter, again and again. Before any thread is left one core.
///
/// # Errors
/// It does not start, or answers something else than it should.
pub(super) fn measure(run: Run<'_>, report: &mut Report) -> Result<Vec<Start>, Error> {
    let rounds = if run.options.quick { QUICK.rounds as usize } else { ROUNDS };
    let mut seen: Vec<Vec<[f64; 4]>> = KINDS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        report.step(&format!("start {} of {rounds}", round + 1), |report| {
            for (kind, seen) in KINDS.iter().zip(&mut seen) {
                let blocks = [block(*kind)];
                let [one, two] = [1, 2].map(|workers| once(Run { blocks: &blocks, workers, ..run }, report));
                let ([ready, resident, full], [_, _, of_two]) = (one?, two?);
                seen.push([ready, resident, full, of_two - full]);
            }
            Ok(())
        })?;
    }
    let module = fs::metadata(&run.options.module).map_err(Error::file("read", &run.options.module))?;
    let start = |((name, _), seen): (&(&'static str, Kind), Vec<[f64; 4]>)| {
        let of = |place: usize| Spread::of(seen.iter().filter_map(|of| of.get(place).copied()).collect());
        let module_bytes = name.starts_with("Bearward").then_some(module.len());
        Some(Start {
            name,
            module_bytes,
            ready_ms: of(0)?,
            resident: of(1)?,
            full: of(2)?,
            each_worker: of(3)?,
        })
    };
    let starts: Option<Vec<Start>> = KINDS.iter().zip(seen).map(start).collect();
    starts.ok_or_else(|| Error::unusable("Envoy was not started", "more rounds"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Native,
    Bearward,
    Following,
}

const KINDS: [(&str, Kind); 4] = [
    ("no filter", Kind::None),
    ("native", Kind::Native),
    ("Bearward", Kind::Bearward),
    ("Bearward with revocations", Kind::Following),
];

/// With one variant, asked with more tokens than any filter keeps.
fn block((_, kind): (&str, Kind)) -> Block {
    let shape = Shape::new(OWN.as_str());
    let asks = Asks::new(OWN.as_str(), Tokens::Rotation(COLD_TOKENS));
    let mut block = side_by_side("start".to_owned(), asks, &shape);
    block.variants.retain(|variant| match kind {
        Kind::None => false,
        Kind::Native => matches!(variant.filter, Filter::Native { .. }),
        Kind::Bearward | Kind::Following => matches!(variant.filter, Filter::Bearward { .. }),
    });
    if kind == Kind::None {
        block.variants.push(Variant { name: NONE.to_owned(), filter: Filter::None });
    }
    if kind == Kind::Following {
        let filter = Filter::bearward(shape, Some(Revocations(1)));
        block.variants.iter_mut().for_each(|variant| variant.filter = filter.clone());
    }
    block
}

/// One start: milliseconds until the first answer, bytes then, bytes after all tokens.
fn once(run: Run<'_>, report: &mut Report) -> Result<[f64; 3], Error> {
    let (options, listeners) = run.envoy()?;
    let block = run.blocks.first().ok_or_else(|| Error::unusable("no filter", "report this"))?;
    let listener = block.variants.first().map_or(NONE, Variant::listener);
    let mut requests = block.asks.of_filter(run.signers);
    // That of the Envoy before.
    let admin = options.directory.join("envoy.admin");
    fs::remove_file(&admin).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(Error::file("remove", &admin)(error)),
    })?;
    let begun = Instant::now();
    let (envoy, ready) = thread::scope(|scope| {
        let ready = scope.spawn(|| first_answer(&options, listener, run, begun));
        let envoy = Envoy::start(&options, listeners, report);
        (envoy, ready.join().unwrap_or_else(|_| Err(Error::unusable("nobody looked", "report this"))))
    });
    let (envoy, ready) = (envoy?, ready?);
    let resident = envoy.resident()?;
    everybody_answers(envoy.listener(listener)?, run)?;
    let mut connections = Connections::open(envoy.listener(listener)?)?;
    let count = requests.len() * TIMES;
    connections.ask(&mut requests, count, block.asks.status, &mut Latencies::new()?)?;
    let full = envoy.resident()?;
    Ok([ready.as_secs_f64() * 1e3, resident as f64, full as f64])
}

/// Waits until so many new connections in a row have a good token pass that no worker is left that does not: one that follows a
/// feed knows it a little later than the first.
fn everybody_answers(address: SocketAddr, run: Run<'_>) -> Result<(), Error> {
    let (begun, mut passed) = (Instant::now(), 0);
    while passed < IN_A_ROW {
        if begun.elapsed() > DEADLINE {
            return Err(Error::unusable("a worker lets no good token pass", "look into Envoy's log"));
        }
        passed = if proof::passes(address, run.signers, OWN.as_str()) { passed + 1 } else { 0 };
        interrupt::pause(LOOK)?;
    }
    Ok(())
}

/// Asks an Envoy that is being started until it lets a good token pass.
fn first_answer(
    options: &EnvoyOptions,
    listener: &str,
    run: Run<'_>,
    begun: Instant,
) -> Result<Duration, Error> {
    let admin = options.directory.join("envoy.admin");
    let address = || -> Option<SocketAddr> {
        let admin = fs::read_to_string(&admin).ok()?;
        let url = format!("http://{}/listeners?format=json", admin.trim());
        envoy::addresses(&http::get(&url, None)?.body).get(listener).copied()
    };
    let mut found = None;
    while begun.elapsed() < DEADLINE {
        interrupt::pause(LOOK)?;
        found = found.or_else(address);
        let passes = found.is_some_and(|address| proof::passes(address, run.signers, OWN.as_str()));
        if passes {
            return Ok(begun.elapsed());
        }
    }
    Err(Error::unusable("no good token passes", "look into Envoy's log"))
}
