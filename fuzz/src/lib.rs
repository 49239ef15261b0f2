//! What must hold of every input, whoever makes it up: one module for each fuzz target.
//!
//! In reading order: [`target`] the table of targets and the ways on which inputs arrive at the filter; [`gate`] fixed
//! policies; `holds` what must hold of every request; [`document`] what a policy's document says, and [`caller`] whom it
//! makes of a token; [`forge`] the keys, tokens, and whether a token is one of ours;
//! [`token`], [`header`], [`claims`], [`path`], [`configuration`], [`jwks`], [`feed`], [`deny_list`], [`request`] the targets; [`corpus`] how
//! inputs are kept. `README.md` says how to run them.

pub mod caller;
pub mod claims;
pub mod configuration;
pub mod corpus;
pub mod deny_list;
pub mod document;
pub mod feed;
pub mod forge;
pub mod gate;
pub mod header;
pub mod holds;
pub mod jwks;
// As a file: the crate that it belongs to means nothing outside of wasm.
#[path = "../../filter/wasm/src/pairs.rs"]
mod pairs;
pub mod path;
pub mod request;
pub mod target;
pub mod token;

/// The time at which everything happens, in seconds since the epoch.
pub const NOW: u64 = 1_800_000_000;
