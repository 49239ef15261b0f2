//! Modules, compiled once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{Config, Engine, InstancePre, Linker};

use crate::hostcalls;
use crate::vm::VmState;

/// Compiled modules by their bytes. A test program makes one and keeps it: compiling takes seconds, a world from a
/// compiled module milliseconds.
pub struct ModuleCache {
    engine: Engine,
    linker: Linker<VmState>,
    modules: Mutex<BTreeMap<Vec<u8>, Arc<Module>>>,
    next: AtomicU64,
}

/// A compiled module, linked to the hostcalls.
pub struct Module {
    number: u64,
    prepared: InstancePre<VmState>,
}

/// Why a module cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// It is no module that can be compiled: what the compiler says.
    NotAModule(String),
    /// It imports what this host does not know, by name. Envoy refuses such a module too.
    UnknownImports(Vec<String>),
    /// It does not say that it speaks the ABI 0.2.1.
    OtherAbi,
}

impl ModuleCache {
    /// An empty cache.
    ///
    /// # Panics
    /// If this machine cannot run WebAssembly.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test host that cannot start fails the test")]
    pub fn new() -> Self {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("an engine with Cranelift on this machine");
        let linker = hostcalls::linker(&engine).expect("every hostcall once");
        Self { engine, linker, modules: Mutex::default(), next: AtomicU64::new(0) }
    }

    /// Compiles a module, or finds it compiled.
    ///
    /// # Errors
    /// [`LoadError`]
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Module>, LoadError> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(bytes) {
            return Ok(Arc::clone(module));
        }
        let module = Arc::new(self.compile(bytes)?);
        modules.insert(bytes.to_owned(), Arc::clone(&module));
        Ok(module)
    }

    fn compile(&self, bytes: &[u8]) -> Result<Module, LoadError> {
        let module = wasmtime::Module::new(&self.engine, bytes)
            .map_err(|error| LoadError::NotAModule(format!("{error:#}")))?;
        let unknown = hostcalls::unknown_imports(&module);
        if !unknown.is_empty() {
            return Err(LoadError::UnknownImports(unknown));
        }
        if module.get_export("proxy_abi_version_0_2_1").is_none() {
            return Err(LoadError::OtherAbi);
        }
        let prepared = self
            .linker
            .instantiate_pre(&module)
            .map_err(|error| LoadError::NotAModule(format!("{error:#}")))?;
        Ok(Module { number: self.next.fetch_add(1, Ordering::Relaxed), prepared })
    }
}

impl Default for ModuleCache {
    fn default() -> Self {
        Self::new()
    }
}

impl Module {
    /// Tells modules of one cache apart.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn prepared(&self) -> &InstancePre<VmState> {
        &self.prepared
    }

    /// What it exports.
    #[must_use]
    pub fn exports(&self) -> Vec<String> {
        self.prepared.module().exports().map(|export| export.name().to_owned()).collect()
    }

    /// What it imports, without the name of the import's module.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        self.prepared.module().imports().map(|import| import.name().to_owned()).collect()
    }
}

impl fmt::Debug for ModuleCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ModuleCache")
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Module {}", self.number)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAModule(why) => write!(formatter, "no module that can be compiled: {why}"),
            Self::UnknownImports(names) => {
                write!(formatter, "imports that the host does not know: {}", names.join(", "))
            }
            Self::OtherAbi => formatter.write_str("it does not export proxy_abi_version_0_2_1"),
        }
    }
}

impl std::error::Error for LoadError {}
