//! Measuring: every variant once in a round, in an order that each round draws anew.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use xtask::error::Error;
use xtask::interrupt;
use xtask::report::Report;

use super::connections::{Connections, Requests};
use super::envoy::{Envoy, Lookups};
use super::variants::{Asks, Variant};
use crate::statistics::Latencies;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    pub(super) rounds: u32,
    /// What each variant is asked for before anything counts: V8 compiles in steps, while it runs.
    pub(super) warm_up: Duration,
    /// About how long it is asked in each round. How many requests that are is found out while it warms up.
    pub(super) slice: Duration,
    /// So many requests at least, in each round.
    pub(super) least: usize,
    /// Before each slice, unmeasured: other variants have had the core's caches since.
    pub(super) before: usize,
}

/// What one variant cost in one round, by request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slice {
    /// CPU time of the worker, in microseconds.
    pub(super) worker_us: f64,
    /// CPU time of all threads, in microseconds.
    pub(super) process_us: f64,
    /// Requests per second.
    pub(super) rps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// The share of the time in which the worker worked.
    pub(super) busy: f64,
}

/// By variant, in the order of the rounds.
pub(super) type Slices = BTreeMap<String, Vec<Slice>>;

/// A variant, what is asked of it, and how often in each round.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) variant: Variant,
    pub(super) requests: Requests,
    /// 0 until it has warmed up.
    count: usize,
}

impl Subject {
    pub(super) fn new(variant: Variant, requests: Requests) -> Self {
        Self { variant, requests, count: 0 }
    }
}

/// Warms up, and measures in rounds.
///
/// # Errors
/// An answer that was not expected; a cache that found what it should not, or the other way round.
pub(super) fn measure(
    envoy: &mut Envoy,
    subjects: &mut [Subject],
    amounts: &Amounts,
    seed: u64,
    report: &mut Report,
) -> Result<Slices, Error> {
    let mut random = Rng::with_seed(seed);
    report.step("warm up", |_| {
        subjects.iter_mut().try_for_each(|subject| {
            warm_up(envoy, subject, amounts).map_err(|error| about(&subject.variant, error))
        })
    })?;
    let mut slices = Slices::new();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for round in 0..amounts.rounds {
        random.shuffle(&mut order);
        report.step(&format!("round {} of {}", round + 1, amounts.rounds), |_| {
            for &place in &order {
                let Some(subject) = subjects.get_mut(place) else { continue };
                let slice = one(envoy, subject, amounts).map_err(|error| about(&subject.variant, error))?;
                slices.entry(subject.variant.name.clone()).or_default().push(slice);
            }
            Ok(())
        })?;
    }
    Ok(slices)
}

/// As many requests as go into one step of the way to `warm_up`.
const STEP: usize = 64;

fn warm_up(envoy: &Envoy, subject: &mut Subject, amounts: &Amounts) -> Result<(), Error> {
    let Subject { variant, requests, count } = subject;
    let status = variant.asks.status();
    let mut connections = Connections::open(envoy.listener(&variant.name)?)?;
    let mut latencies = Latencies::new()?;
    let begun = Instant::now();
    let mut asked = 0;
    while asked == 0 || begun.elapsed() < amounts.warm_up {
        connections.ask(requests, STEP, status, &mut latencies)?;
        asked += STEP;
    }
    let rate = asked as f64 / begun.elapsed().as_secs_f64();
    *count = ((rate * amounts.slice.as_secs_f64()) as usize).max(amounts.least);
    Ok(())
}

fn one(envoy: &mut Envoy, subject: &mut Subject, amounts: &Amounts) -> Result<Slice, Error> {
    let Subject { variant, requests, count } = subject;
    let (count, status) = (*count, variant.asks.status());
    envoy.check()?;
    let mut connections = Connections::open(envoy.listener(&variant.name)?)?;
    let before = match variant.asks {
        // Whatever is in rotation was seen once.
        Asks::Warm(..) => amounts.before.max(requests.len()),
        _ => amounts.before,
    };
    connections.ask(requests, before, status, &mut Latencies::new()?)?;
    let lookups = envoy.lookups()?;
    idle()?;
    let mut latencies = Latencies::new()?;
    let (begun, spent) = (Instant::now(), envoy.spent()?);
    connections.ask(requests, count, status, &mut latencies)?;
    let took = begun.elapsed();
    idle()?;
    let after = envoy.spent()?;
    cached(variant, count, lookups, envoy.lookups()?)?;
    let by_request = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    let workers = after.workers.saturating_sub(spent.workers);
    Ok(Slice {
        worker_us: by_request(workers),
        process_us: by_request(after.process.saturating_sub(spent.process)),
        rps: count as f64 / took.as_secs_f64(),
        p50_us: latencies.quantile_ms(0.5) * 1_000.0,
        p99_us: latencies.quantile_ms(0.99) * 1_000.0,
        busy: workers.as_secs_f64() / took.as_secs_f64(),
    })
}

/// Until the worker has nothing left to do: only then is its account exact.
fn idle() -> Result<(), Error> {
    interrupt::check()?;
    sleep(Duration::from_millis(4));
    Ok(())
}

/// The filters' own counters say whether the caches were what the variant's name says.
fn cached(variant: &Variant, count: usize, before: Lookups, after: Lookups) -> Result<(), Error> {
    let count = count as u64;
    let (hits, misses) = (after.hits.saturating_sub(before.hits), after.misses.saturating_sub(before.misses));
    let as_named = match variant.cache_finds() {
        Some(true) => (hits, misses) == (count, 0),
        Some(false) => (hits, misses) == (0, count),
        None => hits == 0,
    };
    if as_named {
        return Ok(());
    }
    let what = format!("of {count} tokens the filter's cache knew {hits}, and {misses} it did not");
    Err(Error::unusable(what, "more tokens for what is cold, fewer for what is warm"))
}

fn about(variant: &Variant, error: Error) -> Error {
    match error {
        Error::Unusable { what, way_out } => {
            Error::Unusable { what: format!("{}: {what}", variant.name), way_out }
        }
        Error::Io { doing, source } => Error::Io { doing: format!("{}: {doing}", variant.name), source },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::variants;
    use super::*;

    #[test]
    fn a_cache_that_is_not_what_the_variant_is_named_for_is_an_error() {
        let of = |name: &str| variants::all().into_iter().find(|variant| variant.name == name).unwrap();
        let told = |name: &str, hits: u64, misses: u64| {
            cached(
                &of(name),
                10,
                Lookups { hits: 5, misses: 5 },
                Lookups { hits: 5 + hits, misses: 5 + misses },
            )
        };
        assert!(told("bearward_warm_EdDSA", 10, 0).is_ok() && told("native_warm_1000_EdDSA", 10, 0).is_ok());
        assert!(told("bearward_warm_EdDSA", 9, 1).is_err() && told("bearward_warm_EdDSA", 0, 0).is_err());
        assert!(told("bearward_cold_EdDSA", 0, 10).is_ok() && told("native_cold_EdDSA", 0, 0).is_ok());
        let error = told("bearward_cold_EdDSA", 1, 9).unwrap_err().to_string();
        assert!(error.starts_with("bearward_cold_EdDSA") || error.contains("knew 1"), "{error}");
        assert!(told("native_cold_EdDSA", 1, 0).is_err());
    }
}
