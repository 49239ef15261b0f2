//! A plugin configuration: the part of Envoy's that a module can tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::module::Module;

/// A filter in a listener, as its configuration describes it.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) configuration: Vec<u8>,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) vm: VmConfiguration,
}

/// What decides which VM a plugin runs in: on one thread, equal ones share it.
#[derive(Clone, Debug)]
pub(crate) struct VmConfiguration {
    pub(crate) module: Arc<Module>,
    pub(crate) vm_id: String,
    pub(crate) configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) allowed: Option<BTreeSet<String>>,
    pub(crate) withheld: BTreeSet<String>,
    pub(crate) missing_exports: BTreeSet<String>,
}

/// What becomes of requests while the VM has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503, for ever: Envoy's default.
    FailClosed,
    /// They pass.
    FailOpen,
    /// 503, until a request that comes at least `backoff_ms` after the last load has the VM loaded anew.
    FailReload {
        /// Envoy's default is 1,000.
        backoff_ms: u64,
    },
}

impl Plugin {
    /// The module with an empty configuration.
    #[must_use]
    pub fn new(module: &Arc<Module>) -> Self {
        let vm = VmConfiguration {
            module: Arc::clone(module),
            vm_id: String::new(),
            configuration: Vec::new(),
            environment: Vec::new(),
            allowed: None,
            withheld: BTreeSet::new(),
            missing_exports: BTreeSet::new(),
        };
        Self {
            name: String::new(),
            root_id: String::new(),
            configuration: Vec::new(),
            failure_policy: FailurePolicy::FailClosed,
            vm,
        }
    }

    /// `name`
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// `root_id`
    #[must_use]
    pub fn root_id(mut self, root_id: &str) -> Self {
        root_id.clone_into(&mut self.root_id);
        self
    }

    /// `configuration`, as the module gets it.
    #[must_use]
    pub fn configuration(mut self, configuration: impl Into<Vec<u8>>) -> Self {
        self.configuration = configuration.into();
        self
    }

    /// `failure_policy`
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self
    }

    /// `vm_config.vm_id`
    #[must_use]
    pub fn vm_id(mut self, vm_id: &str) -> Self {
        vm_id.clone_into(&mut self.vm.vm_id);
        self
    }

    /// `vm_config.configuration`
    #[must_use]
    pub fn vm_configuration(mut self, configuration: impl Into<Vec<u8>>) -> Self {
        self.vm.configuration = configuration.into();
        self
    }

    /// A variable of `vm_config.environment_variables`.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.vm.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `capability_restriction_config`: these callbacks and hostcalls and no others.
    #[must_use]
    pub fn allow_only<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.vm.allowed = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// As if `capability_restriction_config` named everything but this.
    #[must_use]
    pub fn withhold(mut self, name: &str) -> Self {
        self.vm.withheld.insert(name.to_owned());
        self
    }

    /// As if the module did not export this.
    #[must_use]
    pub fn without_export(mut self, name: &str) -> Self {
        self.vm.missing_exports.insert(name.to_owned());
        self
    }

    /// Envoy's plugin key: plugins that agree in it share a root context.
    pub(crate) fn key(&self) -> PluginKey {
        (self.name.clone(), self.root_id.clone(), self.configuration.clone())
    }
}

/// See [`Plugin::key`].
pub(crate) type PluginKey = (String, String, Vec<u8>);

impl VmConfiguration {
    /// Envoy's VM key: `vm_id`, `configuration` and code. Environment and capabilities are not in it: whoever comes
    /// first decides them for all.
    pub(crate) fn key(&self) -> VmKey {
        (self.vm_id.clone(), self.configuration.clone(), self.module.number())
    }

    pub(crate) fn allows(&self, capability: &str) -> bool {
        !self.withheld.contains(capability)
            && self.allowed.as_ref().is_none_or(|allowed| allowed.contains(capability))
    }
}

/// See [`VmConfiguration::key`].
pub(crate) type VmKey = (String, Vec<u8>, u64);
