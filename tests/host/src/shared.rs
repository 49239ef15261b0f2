//! What all VMs of a world share: time, shared data, queues, metrics, clusters, what is due, and what was noted.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::cluster::{CallEnd, CallRequest, Cluster, HeldCall};
use crate::faults::Faults;
use crate::foreign::ForeignFunctions;
use crate::record::Record;

/// A VM by its number in the world; a number is not used again.
pub(crate) type VmNumber = usize;

/// Handed to every VM of a world.
pub(crate) type SharedWorld = Rc<RefCell<Shared>>;

pub(crate) struct Shared {
    /// Since the epoch.
    pub(crate) now_ns: u64,
    pub(crate) seed: u64,
    pub(crate) data: SharedData,
    pub(crate) queues: Queues,
    pub(crate) metrics: BTreeMap<String, u64>,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// The calls that wait until a test answers them.
    pub(crate) held: Vec<HeldCall>,
    pub(crate) due: Schedule,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) foreign: ForeignFunctions,
}

/// Shared data, keyed by `vm_id` and nothing else: every plugin under it reads and writes all of it.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    values: BTreeMap<(String, Vec<u8>), (Vec<u8>, u32)>,
    last_cas: u32,
}

impl SharedData {
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Option<&(Vec<u8>, u32)> {
        self.values.get(&(vm_id.to_owned(), key.to_owned()))
    }

    /// Whether it was written. A `cas` of 0 is unconditional, and any `cas` writes a key that is not there.
    pub(crate) fn set(&mut self, vm_id: &str, key: &[u8], value: &[u8], cas: u32) -> bool {
        let place = (vm_id.to_owned(), key.to_owned());
        if cas != 0 && self.values.get(&place).is_some_and(|(_, present)| *present != cas) {
            return false;
        }
        self.last_cas += 1;
        self.values.insert(place, (value.to_owned(), self.last_cas));
        true
    }

    /// Keys and values under a `vm_id`.
    pub(crate) fn entries<'a>(&'a self, vm_id: &'a str) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let of_vm = self.values.iter().filter(move |((own, _), _)| own == vm_id);
        of_vm.map(|((_, key), (value, _))| (key.as_slice(), value.as_slice()))
    }
}

/// Shared queues. Registering one again keeps its content and moves its wake-up to the last who registered.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug)]
struct Queue {
    vm_id: String,
    name: Vec<u8>,
    wakes: (VmNumber, u32),
    items: VecDeque<Vec<u8>>,
}

impl Queues {
    pub(crate) fn register(&mut self, vm_id: &str, name: &[u8], wakes: (VmNumber, u32)) -> u32 {
        if let Some(at) = self.position(vm_id, name) {
            if let Some(queue) = self.queues.get_mut(at) {
                queue.wakes = wakes;
            }
            return token(at);
        }
        let queue = Queue { vm_id: vm_id.to_owned(), name: name.to_owned(), wakes, items: VecDeque::new() };
        self.queues.push(queue);
        token(self.queues.len() - 1)
    }

    pub(crate) fn resolve(&self, vm_id: &str, name: &[u8]) -> Option<u32> {
        self.position(vm_id, name).map(token)
    }

    /// Who is to be woken; `None` for a queue that does not exist.
    pub(crate) fn enqueue(&mut self, token: u32, item: &[u8]) -> Option<(VmNumber, u32)> {
        let queue = self.queue(token)?;
        queue.items.push_back(item.to_owned());
        Some(queue.wakes)
    }

    /// The oldest item, `Some(None)` for an empty queue, `None` for one that does not exist.
    pub(crate) fn dequeue(&mut self, token: u32) -> Option<Option<Vec<u8>>> {
        Some(self.queue(token)?.items.pop_front())
    }

    fn position(&self, vm_id: &str, name: &[u8]) -> Option<usize> {
        self.queues.iter().position(|queue| queue.vm_id == vm_id && queue.name == name)
    }

    fn queue(&mut self, token: u32) -> Option<&mut Queue> {
        self.queues.get_mut(usize::try_from(token.checked_sub(1)?).ok()?)
    }
}

/// Envoy's tokens begin at 1: 0 is none.
fn token(position: usize) -> u32 {
    u32::try_from(position + 1).unwrap_or(u32::MAX)
}

/// What is due at a time; equal times keep the order in which they were scheduled.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    events: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
}

/// Something that happens to a VM.
#[derive(Debug)]
pub(crate) enum Event {
    /// The timer of a root context; `setting` tells it from a timer that was set anew meanwhile.
    Tick { vm: VmNumber, context: u32, setting: u64 },
    /// A call reaches its cluster.
    Call { vm: VmNumber, context: u32, token: u32, request: CallRequest },
    /// A call ends; a second end of the same call finds nobody.
    CallEnd { vm: VmNumber, context: u32, token: u32, end: CallEnd },
    /// A shared queue has something.
    QueueReady { vm: VmNumber, context: u32, queue: u32 },
}

impl Schedule {
    pub(crate) fn at(&mut self, time_ns: u64, event: Event) {
        self.scheduled += 1;
        self.events.insert((time_ns, self.scheduled), event);
    }

    /// The next event that is due by then, with its time.
    pub(crate) fn next_by(&mut self, time_ns: u64) -> Option<(u64, Event)> {
        let (&(due, _), _) = self.events.first_key_value()?;
        if due > time_ns {
            return None;
        }
        self.events.pop_first().map(|((due, _), event)| (due, event))
    }
}
