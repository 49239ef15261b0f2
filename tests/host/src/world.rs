//! A proxy in miniature, for one test.

mod builder;
mod events;
mod exchange;
mod loading;
mod reply;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::cluster::{Answer, CallRequest, Cluster, Response};
use crate::faults::Fault;
use crate::outcome::{Forwarded, Outcome};
use crate::plugin::{PluginKey, VmKey};
use crate::record::{HostCall, LogLine};
use crate::request::Request;
use crate::shared::{SharedWorld, VmNumber};
use crate::thread::Thread;
use crate::vm::{Dearest, Vm};

pub use builder::{Refused, WorldBuilder};
use exchange::Exchange;
use loading::{Loaded, ThreadState};

/// Workers with their VMs, virtual time, clusters, an upstream. Nothing happens in it but what a test asks for.
pub struct World {
    shared: SharedWorld,
    vms: BTreeMap<VmNumber, Vm>,
    next_vm: VmNumber,
    threads: BTreeMap<Thread, ThreadState>,
    plugins: BTreeMap<PluginId, Loaded>,
    next_plugin: usize,
    verdicts: BTreeMap<(VmKey, PluginKey), bool>,
    exchanges: BTreeMap<StreamId, Exchange>,
    next_stream: usize,
    upstream: Box<dyn FnMut(&Forwarded) -> Response>,
    traps: Vec<String>,
    traps_expected: bool,
}

/// A plugin that was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(usize);

impl PluginId {
    /// The first of a world.
    pub const FIRST: Self = Self(0);
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(usize);

impl World {
    /// A world is built before it starts.
    #[must_use]
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }

    /// Sends a request and says what became of it. One that stays paused is given up, as by a client that leaves.
    pub fn request(&mut self, request: Request) -> Outcome {
        let stream = self.open(request);
        let outcome = self.outcome(stream);
        self.close(stream);
        outcome
    }

    /// Sends a request that may pause.
    pub fn open(&mut self, request: Request) -> StreamId {
        self.begin(request)
    }

    /// What has become of a request by now.
    ///
    /// # Panics
    /// If the stream was closed before.
    #[must_use]
    #[track_caller]
    #[allow(clippy::expect_used, reason = "how a test fails")]
    pub fn outcome(&self, stream: StreamId) -> Outcome {
        self.exchanges.get(&stream).expect("a stream that was not closed yet").outcome()
    }

    /// The client leaves, or has read everything.
    pub fn close(&mut self, stream: StreamId) {
        self.abandon(stream);
        self.exchanges.remove(&stream);
        self.collect();
    }

    /// Lets time pass: ticks, answers and timeouts come when they are due, in their order. With no time at all, what is
    /// due now comes.
    pub fn advance(&mut self, time: Duration) {
        let passed = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let until = self.shared.borrow().now_ns.saturating_add(passed);
        self.pass_time(until);
    }

    /// Since the epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.shared.borrow().now_ns)
    }

    /// Has a hostcall fail.
    pub fn inject(&mut self, fault: Fault) {
        self.shared.borrow_mut().faults.arm(fault);
    }

    /// Forgets the faults that were not played, and says how many these are.
    pub fn disarm(&mut self) -> usize {
        let faults = &mut self.shared.borrow_mut().faults;
        let left = faults.left();
        faults.disarm();
        left
    }

    /// The log so far, the latest 10,000 lines of it.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.shared.borrow().record.log.iter().cloned().collect()
    }

    /// The hostcalls since [`World::record_hostcalls`], the latest 100,000 of them.
    #[must_use]
    pub fn hostcalls(&self) -> Vec<HostCall> {
        self.shared.borrow().record.hostcalls.iter().flatten().cloned().collect()
    }

    /// Begins to note hostcalls, with none noted yet.
    pub fn record_hostcalls(&mut self) {
        self.shared.borrow_mut().record.hostcalls = Some(VecDeque::new());
    }

    /// A metric of all VMs together: of a counter and a gauge the value, of a histogram the number of samples.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        self.shared.borrow().metrics.get(name).copied()
    }

    /// What a plugin's VM on a thread recorded last of a gauge, where Envoy shows only what the last VM did.
    #[must_use]
    pub fn gauge(&self, thread: Thread, plugin: PluginId, name: &str) -> Option<u64> {
        self.vms.get(&self.handle(thread, plugin)?.vm)?.state().gauges.get(name).copied()
    }

    /// The names of all metrics so far.
    #[must_use]
    pub fn metric_names(&self) -> Vec<String> {
        self.shared.borrow().metrics.keys().cloned().collect()
    }

    /// Keys and values of shared data under a `vm_id`.
    #[must_use]
    pub fn shared_data(&self, vm_id: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let shared = self.shared.borrow();
        shared.data.entries(vm_id).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// Writes a shared value, as another plugin under that `vm_id` could.
    pub fn set_shared_data(&mut self, vm_id: &str, key: &[u8], value: &[u8]) {
        self.shared.borrow_mut().data.set(vm_id, key, value, 0);
    }

    /// The backtraces of all traps so far.
    #[must_use]
    pub fn traps(&self) -> &[String] {
        &self.traps
    }

    /// The memory of a plugin's VM on a thread, in bytes.
    #[must_use]
    pub fn memory_bytes(&self, thread: Thread, plugin: PluginId) -> Option<usize> {
        Some(self.vms.get(&self.handle(thread, plugin)?.vm)?.memory_bytes())
    }

    /// How many root contexts and streams a plugin's VM on a thread has.
    #[must_use]
    pub fn contexts(&self, thread: Thread, plugin: PluginId) -> Option<usize> {
        // One of them is the VM's own.
        Some(self.vms.get(&self.handle(thread, plugin)?.vm)?.state().contexts.len() - 1)
    }

    /// The instructions that a plugin's VM on a thread has executed, by callback.
    #[must_use]
    pub fn fuel(&self, thread: Thread, plugin: PluginId) -> Option<BTreeMap<&'static str, u64>> {
        Some(self.vms.get(&self.handle(thread, plugin)?.vm)?.fuel_by_callback().clone())
    }

    /// The dearest call of each callback of a plugin's VM on a thread, since they were forgotten last.
    #[must_use]
    pub fn dearest(&self, thread: Thread, plugin: PluginId) -> Option<BTreeMap<&'static str, Dearest>> {
        Some(self.vms.get(&self.handle(thread, plugin)?.vm)?.dearest().clone())
    }

    /// From here on the dearest calls are sought anew.
    pub fn forget_dearest(&mut self) {
        self.vms.values_mut().for_each(Vm::forget_dearest);
    }

    /// The instructions that a request has cost by now, over all its callbacks.
    #[must_use]
    pub fn fuel_of(&self, stream: StreamId) -> u64 {
        self.exchanges.get(&stream).map_or(0, Exchange::fuel)
    }

    /// Exchanges the behaviour of a cluster.
    pub fn set_cluster(&mut self, name: &str, behaviour: impl FnMut(&CallRequest) -> Answer + 'static) {
        let cluster = Cluster::new(behaviour);
        self.shared.borrow_mut().clusters.insert(name.to_owned(), cluster);
    }
}

/// A trap that nobody expected fails the test, whatever it asserted.
impl Drop for World {
    #[allow(clippy::panic, reason = "how a test fails")]
    fn drop(&mut self) {
        if !self.traps_expected && !self.traps.is_empty() && !std::thread::panicking() {
            panic!("the module trapped:\n{}", self.traps.join("\n"));
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "World with {} VMs", self.vms.len())
    }
}
