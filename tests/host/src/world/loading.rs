//! Plugins, their VMs on every thread, and what becomes of both when a VM fails or a configuration changes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{PluginId, Refused, World};
use crate::context::Kind;
use crate::plugin::{FailurePolicy, Plugin, VmConfiguration, VmKey};
use crate::record::LogLine;
use crate::shared::VmNumber;
use crate::thread::Thread;
use crate::vm::{Called, Vm};

const NS_PER_MS: u64 = 1_000_000;

/// A plugin as all threads hold it.
pub(super) struct Loaded {
    pub(super) plugin: Rc<Plugin>,
    vm: Rc<VmConfiguration>,
}

/// What a thread keeps for itself.
#[derive(Default)]
pub(super) struct ThreadState {
    /// The VM that new root contexts of a key come into: never one that has failed.
    vms: BTreeMap<VmKey, VmNumber>,
    /// `None`: the module refused the configuration here, after the canary had taken it.
    handles: BTreeMap<PluginId, Option<Handle>>,
}

/// A plugin on one thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) vm: VmNumber,
    pub(super) root: u32,
    loaded_ns: u64,
}

/// What a request meets.
pub(super) enum Filter {
    /// No filter at all.
    None,
    /// One whose VM has failed: 503.
    Failed,
    Running(Handle),
}

impl World {
    /// Loads one more plugin, as a new listener or a new configuration does.
    ///
    /// # Errors
    /// If the module refuses the configuration in the canary VM. A verdict is kept: the same configuration is not tried
    /// again.
    pub fn add_plugin(&mut self, plugin: Plugin) -> Result<PluginId, Refused> {
        let begun = self.shared.borrow().record.log.len();
        let plugin = Rc::new(plugin);
        // The first plugin of a key decides how its VM is made.
        let key = plugin.vm.key();
        let vm =
            self.plugins.values().find(|loaded| loaded.vm.key() == key).map(|loaded| Rc::clone(&loaded.vm));
        let loaded = Loaded { vm: vm.unwrap_or_else(|| Rc::new(plugin.vm.clone())), plugin };
        if !self.canary(&loaded) {
            let log: Vec<LogLine> = self.shared.borrow().record.log.iter().skip(begun).cloned().collect();
            return Err(Refused { log });
        }
        let id = PluginId(self.next_plugin);
        self.next_plugin += 1;
        let threads: Vec<_> = self.threads.keys().copied().collect();
        for thread in threads {
            let handle = self.load(thread, &loaded);
            let refused = handle.is_none();
            if let Some(state) = self.threads.get_mut(&thread) {
                state.handles.insert(id, handle);
            }
            if refused {
                self.collect();
            }
        }
        self.plugins.insert(id, loaded);
        Ok(id)
    }

    /// Takes a plugin away, as the end of an old configuration does. Its root contexts end when its last stream has.
    pub fn remove_plugin(&mut self, plugin: PluginId) {
        for state in self.threads.values_mut() {
            state.handles.remove(&plugin);
        }
        self.plugins.remove(&plugin);
        self.collect();
    }

    pub(super) fn handle(&self, thread: Thread, plugin: PluginId) -> Option<Handle> {
        *self.threads.get(&thread)?.handles.get(&plugin)?
    }

    /// What a new request to a worker meets. A VM that has failed is loaded anew here, if it may be.
    pub(super) fn filter(&mut self, thread: Thread, plugin: PluginId) -> Filter {
        let (Some(handle), Some(loaded)) = (self.handle(thread, plugin), self.plugins.get(&plugin)) else {
            return Filter::None;
        };
        if self.vms.get(&handle.vm).is_some_and(|vm| vm.failed().is_none()) {
            return Filter::Running(handle);
        }
        match loaded.plugin.failure_policy {
            FailurePolicy::FailOpen => Filter::None,
            FailurePolicy::FailClosed => Filter::Failed,
            FailurePolicy::FailReload { backoff_ms } => {
                let now = self.shared.borrow().now_ns;
                if now.saturating_sub(handle.loaded_ns) < backoff_ms.saturating_mul(NS_PER_MS) {
                    return Filter::Failed;
                }
                self.reload(thread, plugin, handle, now)
            }
        }
    }

    fn reload(&mut self, thread: Thread, plugin: PluginId, old: Handle, now: u64) -> Filter {
        let Some(loaded) = self.plugins.get(&plugin) else { return Filter::None };
        let loaded = Loaded { plugin: Rc::clone(&loaded.plugin), vm: Rc::clone(&loaded.vm) };
        let fresh = self.load(thread, &loaded);
        let fresh = fresh.filter(|handle| self.vms.get(&handle.vm).is_some_and(|vm| vm.failed().is_none()));
        let handle = fresh.unwrap_or(Handle { loaded_ns: now, ..old });
        if let Some(state) = self.threads.get_mut(&thread) {
            state.handles.insert(plugin, Some(handle));
        }
        self.collect();
        if fresh.is_some() { Filter::Running(handle) } else { Filter::Failed }
    }

    /// Whether the module takes the configuration, tried once in a VM that is thrown away.
    fn canary(&mut self, loaded: &Loaded) -> bool {
        let key = (loaded.vm.key(), loaded.plugin.key());
        if let Some(verdict) = self.verdicts.get(&key) {
            return *verdict;
        }
        let number = self.start_vm(loaded, Thread::Canary);
        let verdict = self.start_root(number, &loaded.plugin).is_some();
        // Without any further callback.
        self.drop_vm(number);
        self.verdicts.insert(key, verdict);
        verdict
    }

    /// The plugin on a thread; `None` where the module refuses it.
    fn load(&mut self, thread: Thread, loaded: &Loaded) -> Option<Handle> {
        if let Some(handle) = self.twin(thread, loaded) {
            return Some(handle);
        }
        let key = loaded.vm.key();
        let present = self.threads.get(&thread)?.vms.get(&key).copied();
        let vm = match present.filter(|vm| self.vms.get(vm).is_some_and(|vm| vm.failed().is_none())) {
            Some(vm) => vm,
            None => {
                let vm = self.start_vm(loaded, thread);
                self.threads.get_mut(&thread)?.vms.insert(key, vm);
                vm
            }
        };
        let root = self.start_root(vm, &loaded.plugin)?;
        Some(Handle { vm, root, loaded_ns: self.shared.borrow().now_ns })
    }

    /// The handle of a plugin that agrees with this one in everything that counts, in a VM that works.
    fn twin(&self, thread: Thread, loaded: &Loaded) -> Option<Handle> {
        let agrees =
            |other: &Loaded| other.vm.key() == loaded.vm.key() && other.plugin.key() == loaded.plugin.key();
        let handles = self.threads.get(&thread)?.handles.iter();
        handles
            .filter(|(id, _)| self.plugins.get(id).is_some_and(agrees))
            .filter_map(|(_, handle)| *handle)
            .find(|handle| self.vms.get(&handle.vm).is_some_and(|vm| vm.failed().is_none()))
    }

    fn start_vm(&mut self, loaded: &Loaded, thread: Thread) -> VmNumber {
        let number = self.next_vm;
        self.next_vm += 1;
        let vm = Vm::start(&loaded.vm, thread, number, &self.shared);
        self.note_trap(&vm);
        self.vms.insert(number, vm);
        number
    }

    /// Creates, starts and configures a root context; `None` if the module traps or says no.
    fn start_root(&mut self, number: VmNumber, plugin: &Rc<Plugin>) -> Option<u32> {
        let root = self.vms.get_mut(&number)?.state_mut().add_root(Rc::clone(plugin));
        self.configuring(number, root, true);
        let created = self.callback(number, root, "proxy_on_context_create", &[root, 0]);
        self.configuring(number, root, false);
        let vm_configuration = size(&plugin.vm.configuration);
        let started = self.callback(number, root, "proxy_on_vm_start", &[root, vm_configuration]);
        self.configuring(number, root, true);
        let configured =
            self.callback(number, root, "proxy_on_configure", &[root, size(&plugin.configuration)]);
        self.configuring(number, root, false);
        let agreed = |called| !matches!(called, Called::Trapped | Called::Returned(0));
        let works = self.vms.get(&number)?.failed().is_none();
        (created != Called::Trapped && agreed(started) && agreed(configured) && works).then_some(root)
    }

    fn configuring(&mut self, number: VmNumber, root: u32, configuring: bool) {
        let vm = self.vms.get_mut(&number);
        if let Some(state) = vm.map(Vm::state_mut)
            && let Some(context) = state.contexts.get_mut(&root)
            && let Kind::Root(root) = &mut context.kind
        {
            root.configuring = configuring;
            context.created = true;
        }
    }

    /// Ends what nobody holds any more: root contexts without handle and streams, then VMs without handle.
    pub(super) fn collect(&mut self) {
        let held: Vec<(VmNumber, u32)> = self
            .threads
            .values()
            .flat_map(|state| state.handles.values().flatten().map(|handle| (handle.vm, handle.root)))
            .chain(self.exchanges.values().filter_map(super::Exchange::holds))
            .collect();
        let mut over = Vec::new();
        for (number, vm) in &self.vms {
            let roots = vm.state().contexts.iter().filter(|(id, context)| **id != 0 && context.parent == 0);
            over.extend(roots.map(|(root, _)| (*number, *root)).filter(|place| !held.contains(place)));
        }
        for (number, root) in over {
            self.end_root(number, root);
        }
        let idle: Vec<_> =
            self.vms.keys().copied().filter(|vm| !held.iter().any(|(held, _)| held == vm)).collect();
        for number in idle {
            self.drop_vm(number);
        }
    }

    fn end_root(&mut self, number: VmNumber, root: u32) {
        let waits = |vm: &Vm| vm.state().root(root).is_some_and(|root| root.awaits_done);
        if self.vms.get(&number).is_some_and(waits) {
            return;
        }
        if self.callback(number, root, "proxy_on_done", &[root]) == Called::Returned(0) {
            let vm = self.vms.get_mut(&number);
            if let Some(root) = vm.and_then(|vm| vm.state_mut().root_mut(root)) {
                root.awaits_done = true;
            }
        } else {
            self.delete(number, root);
        }
    }

    fn drop_vm(&mut self, number: VmNumber) {
        self.vms.remove(&number);
        for state in self.threads.values_mut() {
            state.vms.retain(|_, vm| *vm != number);
        }
    }
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
