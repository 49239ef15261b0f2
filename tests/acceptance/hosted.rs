//! The module that ships on the test host: what takes a proxy seconds, or what a proxy rarely shows. And the host itself,
//! held against Envoy.

mod corpora;
mod deny_lists;
mod faults;
mod feeds;
mod flow;
mod fuel;
mod gate;
mod hostcalls;
mod key_sets;
mod keys;
mod odd_headers;
mod odd_keys;
mod orders;
mod panics;
mod probe;
mod record_sizes;
mod refusals;
pub(crate) mod secrecy;
mod signatures;
mod soak;
mod vectors;
mod waiting;
