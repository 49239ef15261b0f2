//! One instance of a module, on one thread.

mod state;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use wasmtime::{Func, Store, Val};

use crate::plugin::VmConfiguration;
use crate::record::LogLine;
use crate::shared::{SharedWorld, VmNumber};
use crate::thread::Thread;

pub(crate) use state::{Action, LocalReply, VmState};

/// More instructions than any callback may take: an endless loop traps instead of hanging the test.
const MAX_FUEL: u64 = 1_000_000_000_000;

/// Every callback that this host makes.
pub(crate) const CALLBACKS: [&str; 15] = [
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_queue_ready",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
    "proxy_on_done",
    "proxy_on_log",
    "proxy_on_delete",
];

/// The most that one call of a callback took: of two figures, which need not be of the same call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dearest {
    /// In instructions.
    pub fuel: u64,
    /// By the machine's own clock, whatever else it does.
    pub took: Duration,
}

/// A running VM.
pub(crate) struct Vm {
    store: Store<VmState>,
    callbacks: BTreeMap<&'static str, Func>,
    /// The backtrace of the trap that ended it.
    failed: Option<String>,
    /// Instructions so far, by callback.
    fuel: BTreeMap<&'static str, u64>,
    dearest: BTreeMap<&'static str, Dearest>,
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// Not exported, not allowed, or the VM has failed: nothing ran.
    Skipped,
    /// It returned this; 0 where it returns nothing.
    Returned(u32),
    /// It trapped.
    Trapped,
}

impl Vm {
    /// Instantiates and starts the module, as a WASI reactor or command.
    pub(crate) fn start(
        configuration: &Rc<VmConfiguration>,
        thread: Thread,
        number: VmNumber,
        shared: &SharedWorld,
    ) -> Self {
        let prepared = configuration.module.prepared();
        let state = VmState::new(Rc::clone(configuration), thread, number, Rc::clone(shared));
        let mut store = Store::new(prepared.module().engine(), state);
        let mut vm = match store.set_fuel(MAX_FUEL).and_then(|()| prepared.instantiate(&mut store)) {
            Err(error) => {
                return Self {
                    store,
                    callbacks: BTreeMap::new(),
                    failed: Some(format!("{error:?}")),
                    fuel: BTreeMap::new(),
                    dearest: BTreeMap::new(),
                };
            }
            Ok(instance) => {
                let memory = instance.get_memory(&mut store, "memory");
                let allocate = ["malloc", "proxy_on_memory_allocate"]
                    .iter()
                    .find_map(|name| instance.get_typed_func(&mut store, name).ok());
                store.data_mut().link(memory, allocate);
                let mut callbacks = BTreeMap::new();
                // Envoy looks at the allowed capabilities for callbacks alone: not for starting, nor for allocating.
                let starting = ["_initialize", "main", "_start"].into_iter().map(|name| (name, true));
                let made = CALLBACKS.into_iter().map(|name| (name, configuration.allows(name)));
                for (name, allowed) in starting.chain(made) {
                    let exported = allowed && !configuration.missing_exports.contains(name);
                    if let Some(function) = exported.then(|| instance.get_func(&mut store, name)).flatten() {
                        callbacks.insert(name, function);
                    }
                }
                Self { store, callbacks, failed: None, fuel: BTreeMap::new(), dearest: BTreeMap::new() }
            }
        };
        vm.initialize();
        vm
    }

    fn initialize(&mut self) {
        self.store.data_mut().starting = true;
        if self.call(0, "_initialize", &[]) == Called::Skipped {
            self.call(0, "_start", &[]);
        } else {
            self.call(0, "main", &[0, 0]);
        }
        self.store.data_mut().starting = false;
    }

    /// Makes a callback about a context.
    pub(crate) fn call(&mut self, context: u32, callback: &'static str, arguments: &[u32]) -> Called {
        let Some(function) = self.callbacks.get(callback).copied().filter(|_| self.failed.is_none()) else {
            return Called::Skipped;
        };
        self.store.data_mut().enter(context, callback);
        let values: Vec<_> = arguments.iter().map(|number| Val::I32(number.cast_signed())).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let begun = Instant::now();
        let run = self
            .store
            .set_fuel(MAX_FUEL)
            .and_then(|()| function.call(&mut self.store, &values, &mut results));
        let left = self.store.get_fuel().unwrap_or(MAX_FUEL);
        let (spent, took) = (MAX_FUEL.saturating_sub(left), begun.elapsed());
        *self.fuel.entry(callback).or_default() += spent;
        let dearest = self.dearest.entry(callback).or_default();
        *dearest = Dearest { fuel: dearest.fuel.max(spent), took: dearest.took.max(took) };
        self.store.data_mut().leave();
        match run {
            Ok(()) => {
                let result = results.first().and_then(Val::i32).unwrap_or(0);
                Called::Returned(result.cast_unsigned())
            }
            Err(error) => {
                self.fail(callback, &format!("{error:?}"));
                Called::Trapped
            }
        }
    }

    fn fail(&mut self, callback: &str, why: &str) {
        let state = self.store.data();
        let text = format!("Function: {callback} failed: {why}");
        let line = LogLine { thread: Some(state.thread), level: 5, text: text.clone() };
        state.shared.borrow_mut().record.log(line);
        self.failed = Some(text);
    }

    pub(crate) fn state(&self) -> &VmState {
        self.store.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }

    /// The backtrace of the trap that ended it.
    pub(crate) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Instructions so far, over all callbacks.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.values().sum()
    }

    /// Instructions so far, by callback.
    pub(crate) fn fuel_by_callback(&self) -> &BTreeMap<&'static str, u64> {
        &self.fuel
    }

    /// The dearest call of each callback, since they were forgotten last.
    pub(crate) fn dearest(&self) -> &BTreeMap<&'static str, Dearest> {
        &self.dearest
    }

    pub(crate) fn forget_dearest(&mut self) {
        self.dearest.clear();
    }

    /// The size of the module's memory, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.store.data().memory.map_or(0, |memory| memory.data_size(&self.store))
    }
}
