//! The root context: reads the policy, lets the clock tick, hands out stream contexts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::wasi::ffi::OsStringExt;
use std::rc::Rc;

use bearward_core::Policy;
use bearward_core::policy::MAX_POLICY_BYTES;
use bearward_core::problem::Problems;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::answer::CallEnd;
use crate::host::{self, Buffer, HostError, Level};
use crate::plugin::Plugin;
use crate::stream::{self, Stream};

thread_local! {
    /// The plugins by root context, for answers that come by our own callback and not by the SDK's dispatcher.
    static PLUGINS: RefCell<BTreeMap<u32, Rc<Plugin>>> = const { RefCell::new(BTreeMap::new()) };
}

/// One plugin configuration. Without a compiled policy every stream is refused.
pub(crate) struct Root {
    context_id: u32,
    plugin: Option<Rc<Plugin>>,
}

impl Root {
    pub(crate) fn new(context_id: u32) -> Self {
        Self { context_id, plugin: None }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some(plugin) = PLUGINS.with_borrow_mut(|plugins| plugins.remove(&self.context_id)) {
            plugin.retire();
        }
    }
}

impl Context for Root {}

impl RootContext for Root {
    /// Parses and compiles, nothing else: Envoy also calls this in a VM that it throws away.
    ///
    /// `false` means a bad policy and nothing else. That VM says it first, and Envoy refuses the configuration. Said by
    /// a worker alone, because the host failed there, it would leave the filter out of that worker's requests: Envoy
    /// lets them all pass. So a worker that cannot be told its policy says `true` and refuses every stream.
    fn on_configure(&mut self, size: usize) -> bool {
        match read_policy(size) {
            Err(PolicyError::Host(error)) => {
                self.plugin = None;
                let status = error.0;
                host::log(
                    Level::Critical,
                    &format!("the policy was not handed over (status {status}): all is refused"),
                );
                true
            }
            Ok(policy) => {
                let plugin = Rc::new(Plugin::new(self.context_id, policy));
                PLUGINS.with_borrow_mut(|plugins| plugins.insert(self.context_id, Rc::clone(&plugin)));
                plugin.start();
                self.plugin = Some(plugin);
                true
            }
            Err(PolicyError::Policy(problems)) => {
                for problem in problems.iter() {
                    host::log(Level::Critical, &format!("policy refused: {problem}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(plugin) = &self.plugin {
            for waiter in plugin.on_tick() {
                plugin.on_behalf_of(waiter, || stream::resume(plugin, waiter));
            }
            plugin.pace();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context_id, self.plugin.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Called from [`host`](crate::host) for the answer of a call that a root context made.
pub(crate) fn on_http_call_response(context_id: u32, token: u32, answered: bool, body_size: usize) {
    let plugin = PLUGINS.with_borrow(|plugins| plugins.get(&context_id).cloned());
    if let Some(plugin) = plugin {
        plugin.on_http_call_response(CallEnd { token, answered, body_size });
        plugin.pace();
    }
}

/// Why there is no policy.
enum PolicyError {
    Policy(Problems),
    Host(HostError),
}

fn read_policy(size: usize) -> Result<Policy, PolicyError> {
    if size == 0 {
        let why = "there is none: write it into the plugin's `configuration`";
        return Err(PolicyError::Policy(Problems::of_document(why)));
    }
    // One byte more than is allowed, so that a longer one is refused and not cut.
    let text = host::buffer(Buffer::PluginConfiguration, size.min(MAX_POLICY_BYTES + 1))
        .map_err(PolicyError::Host)?;
    Policy::parse(&text, &|name| std::env::var_os(name).map(OsStringExt::into_vec))
        .map_err(PolicyError::Policy)
}
