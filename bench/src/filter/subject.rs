//! Who is asked, and what one slice of that costs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::interrupt;

use super::asks::{Asks, Tokens};
use super::connections::{Connections, Requests};
use super::envoy::{Envoy, Lookups};
use super::rounds::Amounts;
use super::tokens::Signers;
use super::variants::{Block, NONE, Variant};
use crate::statistics::Latencies;

/// What was asked in one round cost, by request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slice {
    /// CPU time of the workers, in microseconds.
    pub(super) worker_us: f64,
    /// CPU time of all threads, in microseconds.
    pub(super) process_us: f64,
    /// Requests per second.
    pub(super) rps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// The share of the time in which the workers worked.
    pub(super) busy: f64,
}

/// A listener and what is asked of it.
#[derive(Debug)]
pub(super) struct Subject {
    /// `None` where it is what a block holds the others against.
    pub(super) variant: Option<Variant>,
    /// For errors.
    name: String,
    requests: Requests,
    asks: Asks,
    status: u16,
    /// How many requests make a slice; 0 until it has warmed up.
    count: usize,
}

/// As many requests as go into one step of the way through the warm-up.
const STEP: usize = 64;
/// How long a worker is left alone before its account is read: only a thread that does nothing has an exact one.
const IDLE: Duration = Duration::from_millis(4);

impl Subject {
    pub(super) fn of(variant: &Variant, asks: &Asks, requests: Requests, amounts: &Amounts) -> Self {
        let (name, status) = (variant.name.clone(), asks.status);
        let requests =
            if asks.tokens == Tokens::Cold { requests.first(amounts.cold.warm_up) } else { requests };
        Self { variant: Some(variant.clone()), name, requests, asks: asks.clone(), status, count: 0 }
    }

    /// What a block is held against.
    pub(super) fn none(block: &Block, signers: &Signers) -> Self {
        let (requests, status) = block.asks.of_none(signers);
        let name = format!("{NONE} ({})", block.name);
        Self { variant: None, name, requests, asks: block.asks.clone(), status, count: 0 }
    }

    /// Finds out how many requests make a slice.
    ///
    /// # Errors
    /// An answer that was not expected.
    pub(super) fn warm_up(&mut self, envoy: &Envoy, amounts: &Amounts) -> Result<(), Error> {
        let mut connections = self.connect(envoy)?;
        let mut latencies = Latencies::new()?;
        let mut asked_in = |time: Duration| {
            let (begun, mut asked) = (Instant::now(), 0);
            while asked == 0 || begun.elapsed() < time {
                self.ask(&mut connections, STEP, &mut latencies)?;
                asked += STEP;
            }
            Ok(asked as f64 / begun.elapsed().as_secs_f64())
        };
        asked_in(amounts.warm_up)?;
        // Only now is it as fast as it will be.
        let rate: f64 = asked_in(amounts.slice / 2)?;
        self.count = ((rate * amounts.slice.as_secs_f64()) as usize).max(amounts.least);
        // Without a filter nobody knows a token: there all of them may come in rotation.
        if self.asks.tokens == Tokens::Cold && self.variant.is_some() {
            self.count = self.count.min(amounts.cold.slice);
            self.requests.leave_first();
        }
        Ok(())
    }

    /// # Errors
    /// An answer that was not expected; a cache that found what it should not, or the other way round.
    pub(super) fn slice(&mut self, envoy: &mut Envoy, amounts: &Amounts) -> Result<Slice, Error> {
        let count = self.count;
        envoy.check()?;
        let mut connections = self.connect(envoy)?;
        let before = match self.asks.tokens {
            // Whatever is in rotation was seen once.
            Tokens::Warm(_) | Tokens::Rotation(_) => amounts.before.max(self.requests.len()),
            _ => amounts.before,
        };
        self.ask(&mut connections, before, &mut Latencies::new()?)?;
        let lookups = envoy.lookups()?;
        idle()?;
        let mut latencies = Latencies::new()?;
        let (begun, spent) = (Instant::now(), envoy.spent()?);
        self.ask(&mut connections, count, &mut latencies)?;
        let took = begun.elapsed();
        idle()?;
        let after = envoy.spent()?;
        if !matches!(self.asks.tokens, Tokens::Rotation(_)) {
            let finds = self.variant.as_ref().and_then(|variant| variant.cache_finds(&self.asks));
            cached(finds, count, lookups, envoy.lookups()?).map_err(|error| self.about(error))?;
        }
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

    fn connect(&self, envoy: &Envoy) -> Result<Connections, Error> {
        let listener = self.variant.as_ref().map_or(NONE, Variant::listener);
        Connections::open(envoy.listener(listener)?).map_err(|error| self.about(error))
    }

    fn ask(
        &mut self,
        connections: &mut Connections,
        count: usize,
        latencies: &mut Latencies,
    ) -> Result<(), Error> {
        let asked = connections.ask(&mut self.requests, count, self.status, latencies);
        asked.map_err(|error| self.about(error))
    }

    fn about(&self, error: Error) -> Error {
        let name = &self.name;
        match error {
            Error::Unusable { what, way_out } => Error::Unusable { what: format!("{name}: {what}"), way_out },
            Error::Io { doing, source } => Error::Io { doing: format!("{name}: {doing}"), source },
            error => error,
        }
    }
}

fn idle() -> Result<(), Error> {
    interrupt::check()?;
    sleep(IDLE);
    Ok(())
}

/// The filters' own counters say whether the caches were what the variant's name says.
fn cached(finds: Option<bool>, count: usize, before: Lookups, after: Lookups) -> Result<(), Error> {
    let count = count as u64;
    let (hits, misses) = (after.hits.saturating_sub(before.hits), after.misses.saturating_sub(before.misses));
    let as_named = match finds {
        Some(true) => (hits, misses) == (count, 0),
        Some(false) => (hits, misses) == (0, count),
        None => hits == 0,
    };
    if as_named {
        return Ok(());
    }
    let what = format!("of {count} tokens the filter's cache knew {hits}, and {misses} it did not");
    Err(Error::unusable(
        what,
        "more tokens for what is cold (bench/src/filter/rounds.rs), fewer for what is warm",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::variants;
    use super::*;

    #[test]
    fn a_cache_that_is_not_what_the_variant_is_named_for_is_an_error() {
        let blocks = variants::all();
        let told = |name: &str, hits: u64, misses: u64| {
            let of = |block: &Block| {
                let found = block.variants.iter().find(|variant| variant.name == name)?;
                Some(found.cache_finds(&block.asks))
            };
            let finds = blocks.iter().find_map(of).unwrap();
            let [before, after] =
                [(5, 5), (5 + hits, 5 + misses)].map(|(hits, misses)| Lookups { hits, misses });
            cached(finds, 10, before, after)
        };
        assert!(told("bearward_warm_EdDSA", 10, 0).is_ok() && told("native_warm_1000_EdDSA", 10, 0).is_ok());
        assert!(told("bearward_warm_EdDSA", 9, 1).is_err() && told("bearward_warm_EdDSA", 0, 0).is_err());
        assert!(told("bearward_cold_EdDSA", 0, 10).is_ok() && told("native_cold_EdDSA", 0, 0).is_ok());
        let error = told("bearward_cold_EdDSA", 1, 9).unwrap_err().to_string();
        assert!(error.contains("knew 1"), "{error}");
        assert!(told("native_cold_EdDSA", 1, 0).is_err());
    }
}
