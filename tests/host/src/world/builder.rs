use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::World;
use super::loading::ThreadState;
use crate::cluster::{Answer, CallRequest, Cluster, Response};
use crate::faults::Faults;
use crate::foreign::ForeignFunctions;
use crate::outcome::Forwarded;
use crate::plugin::Plugin;
use crate::record::{LogLine, Record};
use crate::shared::{Queues, Schedule, Shared, SharedData};
use crate::thread::Thread;

/// 2026-01-01T00:00:00Z: worlds begin here unless told otherwise.
const BEGIN_S: u64 = 1_767_225_600;

/// What a world begins with.
pub struct WorldBuilder {
    plugins: Vec<Plugin>,
    workers: usize,
    now: Duration,
    seed: u64,
    clusters: BTreeMap<String, Cluster>,
    upstream: Box<dyn FnMut(&Forwarded) -> Response>,
    verify_signature: bool,
    traps_expected: bool,
}

/// A configuration that Envoy would refuse, because the module did in the canary VM.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What was logged meanwhile.
    pub log: Vec<LogLine>,
}

impl Default for WorldBuilder {
    fn default() -> Self {
        Self {
            plugins: Vec::new(),
            workers: 1,
            now: Duration::from_secs(BEGIN_S),
            seed: 0,
            clusters: BTreeMap::new(),
            upstream: Box::new(|_| Response::new(200, "from upstream")),
            verify_signature: true,
            traps_expected: false,
        }
    }
}

impl WorldBuilder {
    /// One more plugin; the first is [`PluginId::FIRST`](super::PluginId::FIRST).
    #[must_use]
    pub fn plugin(mut self, plugin: Plugin) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// So many workers instead of one.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// The time at which it begins, since the epoch.
    #[must_use]
    pub fn now(mut self, now: Duration) -> Self {
        self.now = now;
        self
    }

    /// Other random numbers.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A cluster that calls can be sent to.
    #[must_use]
    pub fn cluster(mut self, name: &str, behaviour: impl FnMut(&CallRequest) -> Answer + 'static) -> Self {
        self.clusters.insert(name.to_owned(), Cluster::new(behaviour));
        self
    }

    /// An upstream that answers something else than `200`.
    #[must_use]
    pub fn upstream(mut self, behaviour: impl FnMut(&Forwarded) -> Response + 'static) -> Self {
        self.upstream = Box::new(behaviour);
        self
    }

    /// An Envoy that does not have the foreign function.
    #[must_use]
    pub fn without_verify_signature(mut self) -> Self {
        self.verify_signature = false;
        self
    }

    /// Without this, a trap fails the test when the world ends.
    #[must_use]
    pub fn traps_expected(mut self) -> Self {
        self.traps_expected = true;
        self
    }

    /// Loads the plugins: in a canary VM, on the main thread, on every worker.
    ///
    /// # Errors
    /// If the module refuses a configuration.
    pub fn start(self) -> Result<World, Refused> {
        let shared = Shared {
            now_ns: u64::try_from(self.now.as_nanos()).unwrap_or(u64::MAX),
            seed: self.seed,
            data: SharedData::default(),
            queues: Queues::default(),
            metrics: BTreeMap::new(),
            clusters: self.clusters,
            held: Vec::new(),
            due: Schedule::default(),
            faults: Faults::default(),
            record: Record::default(),
            foreign: ForeignFunctions { verify_signature: self.verify_signature },
        };
        let threads = std::iter::once(Thread::Main).chain((0..self.workers).map(Thread::Worker));
        let mut world = World {
            shared: Rc::new(RefCell::new(shared)),
            vms: BTreeMap::new(),
            next_vm: 0,
            threads: threads.map(|thread| (thread, ThreadState::default())).collect(),
            plugins: BTreeMap::new(),
            next_plugin: 0,
            verdicts: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            next_stream: 0,
            upstream: self.upstream,
            traps: Vec::new(),
            traps_expected: self.traps_expected,
        };
        for plugin in self.plugins {
            if let Err(refused) = world.add_plugin(plugin) {
                // Whoever starts a world asks for its verdict; a trap on the way is one.
                world.traps_expected = true;
                return Err(refused);
            }
        }
        Ok(world)
    }
}

impl fmt::Debug for WorldBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WorldBuilder")
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the module refused its configuration:")?;
        self.log.iter().try_for_each(|line| write!(formatter, "\n  {}", line.text))
    }
}

impl std::error::Error for Refused {}
