//! One Envoy from its start to its figures.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use xtask::directory::random_hex;
use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::{EnvoyOptions, FEED_VARIABLE};

use super::configuration::{self, Parts, SECRET_VARIABLE};
use super::envoy::Envoy;
use super::noops::Noops;
use super::rounds::{Amounts, Slices};
use super::tokens::Signers;
use super::variants::Block;
use super::{CACHE_SIZE, Options, cores, feed, proof, rounds};

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) options: &'a Options,
    pub(super) blocks: &'a [Block],
    pub(super) signers: &'a Signers,
    /// What HS256 is verified with.
    pub(super) secret: &'a str,
    pub(super) amounts: &'a Amounts,
    pub(super) workers: u32,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) slices: Slices,
    /// What the workers do of their own, in microseconds of each second.
    pub(super) alone_us: f64,
    /// Whether Envoy had a core for itself.
    pub(super) pinned: bool,
}

/// For how long the workers are watched with nobody asking, at least.
const ALONE: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// # Errors
    /// Envoy does not start, or a variant answers something else than it should.
    pub(super) fn measure(&self, report: &mut Report) -> Result<Measured, Error> {
        // In a thread of its own, which is pinned: whatever it started later would be left the same core, the next Envoy too.
        thread::scope(|scope| scope.spawn(|| self.measure_here(report)).join())
            .unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn measure_here(&self, report: &mut Report) -> Result<Measured, Error> {
        let Self { options, blocks, signers, amounts, .. } = *self;
        let (envoy, listeners) = self.envoy()?;
        let mut envoy = report.step("start Envoy", |report| Envoy::start(&envoy, listeners, report))?;
        // More than one worker needs more than one core.
        let pinned = self.workers == 1 && pin(&envoy)?;
        report.step("see that every filter does the same", |_| proof::of(&envoy, blocks, signers))?;
        let slices = rounds::measure(&mut envoy, blocks, signers, amounts, options.seed, report)?;
        let alone_us = rounds::alone(&envoy, amounts.warm_up.max(ALONE))?;
        Ok(Measured { slices, alone_us, pinned })
    }

    /// What Envoy is to be started with, and how many listeners it will have.
    ///
    /// # Errors
    /// A template that does not fit; no port for a feed.
    pub(super) fn envoy(&self) -> Result<(EnvoyOptions, usize), Error> {
        let parts = Parts {
            signers: self.signers,
            bearward: &self.options.module,
            noops: &Noops::write(&self.options.logs, self.signers)?,
            cache_size: CACHE_SIZE,
            feeds: &feed::start(self.blocks)?,
        };
        let envoy = EnvoyOptions {
            binary: self.options.envoy.clone(),
            configuration: configuration::of(self.blocks, &parts)?,
            directory: self.options.logs.clone(),
            env: vec![
                (SECRET_VARIABLE.to_owned(), self.secret.to_owned()),
                (FEED_VARIABLE.to_owned(), random_hex(32)?),
            ],
            concurrency: self.workers,
        };
        Ok((envoy, 1 + configuration::with_filters(self.blocks).count()))
    }
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
