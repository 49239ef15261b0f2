//! A proxy-wasm host for tests: the ABI 0.2.1 as Envoy implements it, on `wasmtime`, with nothing of a real proxy's
//! threads, sockets and clock. `README.md` begins with an example.
//!
//! In reading order:
//!
//! 1. [`World`] a proxy for one test; [`Plugin`] what is loaded into it; [`ModuleCache`] modules, compiled once
//! 2. [`Request`] what comes in, [`Outcome`] what becomes of it, [`Answer`] what a cluster does to a call
//! 3. [`Headers`] header maps; [`Status`] what hostcalls answer; [`Fault`] having one fail; [`HostCall`] and [`LogLine`]
//!    what is noted; [`verify_signature`] Envoy's foreign function, to be had without a world
//! 4. inside: `world/exchange` a request's way, `world/loading` VMs and their reload, `world/events` time; `vm` one
//!    instance, `context` what it knows, `hostcalls` the table of calls
#![forbid(unsafe_code)]

mod cluster;
mod context;
mod faults;
mod foreign;
mod headers;
mod hostcalls;
mod module;
mod outcome;
mod plugin;
mod record;
mod request;
mod shared;
mod status;
mod thread;
mod vm;
mod world;

pub use cluster::{Answer, CallRequest, HeldCall, Response};
pub use faults::Fault;
pub use foreign::verify_signature;
pub use headers::Headers;
pub use module::{LoadError, Module, ModuleCache};
pub use outcome::{Forwarded, LocalResponse, Outcome};
pub use plugin::{FailurePolicy, Plugin};
pub use record::{HostCall, LogLine};
pub use request::Request;
pub use status::Status;
pub use thread::Thread;
pub use vm::Dearest;
pub use world::{PluginId, Refused, StreamId, World, WorldBuilder};
