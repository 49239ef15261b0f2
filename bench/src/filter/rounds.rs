//! Every variant in every round, in an order that chance makes, each for a slice of time.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::interrupt;
use xtask::report::Report;

use super::chance::Chance;
use super::load::{Load, Seen};
use super::variants::{Tokens, Variant};
use super::worker::Worker;
use crate::statistics::Latencies;

/// What is sent before a slice is measured, where a cache is to be warm: once around.
const WARM_UP: usize = 64;

/// A variant with all that it needs.
pub(super) struct Subject {
    pub(super) variant: Variant,
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) load: Load,
    /// How long its answer's body is, once one came.
    pub(super) body: Option<usize>,
}

/// What was measured of a variant, round by round.
#[derive(Debug)]
pub(super) struct Measured {
    /// CPU time of the worker thread, and of the whole process, for each request, in microseconds.
    pub(super) worker_us: Vec<f64>,
    pub(super) process_us: Vec<f64>,
    /// Requests per second.
    pub(super) rate: Vec<f64>,
    pub(super) latencies: Latencies,
}

impl Subject {
    pub(super) fn new(variant: Variant, requests: Vec<Vec<u8>>, address: SocketAddr) -> Result<Self, Error> {
        let load =
            Load::connect(address).map_err(Error::io(format!("cannot connect to {}", variant.name)))?;
        Ok(Self { variant, requests, load, body: None })
    }

    /// Asks so often, and at least so long; every answer must be the expected one.
    pub(super) fn drive(
        &mut self,
        bounds: (usize, Duration),
        mut took: impl FnMut(Duration),
    ) -> Result<u64, Error> {
        let (status, body) = (self.variant.status, &mut self.body);
        let answered = |seen: Seen, time: Duration| {
            if seen.status != status || *body.get_or_insert(seen.body) != seen.body {
                return Err(io::Error::other(format!("{seen:?} instead of {status}, {body:?}")));
            }
            took(time);
            Ok(())
        };
        self.load
            .drive(&self.requests, bounds, answered)
            .map_err(Error::io(format!("while asking {}", self.variant.name)))
    }
}

/// So many rounds after one that is not counted.
pub(super) fn measure(
    subjects: &mut [Subject],
    worker: &Worker,
    (rounds, slice): (u32, Duration),
    report: &mut Report,
) -> Result<BTreeMap<String, Measured>, Error> {
    let mut all = BTreeMap::new();
    for subject in subjects.iter() {
        let measured = Measured {
            worker_us: Vec::new(),
            process_us: Vec::new(),
            rate: Vec::new(),
            latencies: Latencies::new()?,
        };
        all.insert(subject.variant.name.clone(), measured);
    }
    let mut chance = Chance::new(1);
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for round in 0..=rounds {
        let begun = Instant::now();
        chance.shuffle(&mut order);
        for place in &order {
            interrupt::pause(Duration::ZERO)?;
            let Some(subject) = subjects.get_mut(*place) else { continue };
            let warm_up = match subject.variant.tokens {
                Tokens::Thousand => subject.requests.len(),
                _ => WARM_UP,
            };
            subject.drive((warm_up, Duration::ZERO), |_| {})?;
            let mut times = Vec::new();
            let (before, started) = (worker.spent()?, Instant::now());
            let requests = subject.drive((1, slice), |took| times.push(took))?;
            let (after, took) = (worker.spent()?, started.elapsed());
            let Some(measured) = all.get_mut(&subject.variant.name).filter(|_| round > 0) else { continue };
            let each = |before: Duration, after: Duration| {
                after.saturating_sub(before).as_secs_f64() * 1e6 / requests as f64
            };
            measured.worker_us.push(each(before.worker, after.worker));
            measured.process_us.push(each(before.process, after.process));
            measured.rate.push(requests as f64 / took.as_secs_f64());
            times.into_iter().for_each(|took| measured.latencies.record(took));
        }
        let name = if round == 0 { "warm-up".to_owned() } else { format!("round {round} of {rounds}") };
        report.note(&format!("{name}: {:.0} s", begun.elapsed().as_secs_f64()));
    }
    Ok(all)
}
