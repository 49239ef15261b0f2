//! What the acceptance tests and `cargo xtask demo --check` stand on.
//!
//! In reading order: [`walkthrough`] the promises as a table of steps, [`harness`] a running gate for one test,
//! [`client`] how it is spoken to, [`recorder`] an upstream that tells what reached it, [`issuer`] one without a
//! database, [`revocation_times`] how soon what has ended is refused, [`file_server`] a file that is handed out, [`link`] the way to one and its troubles, [`token`], [`signing`] and [`keys`] tokens of every kind, [`vectors`] requests and the decision that every
//! host must come to, [`terminal`] what people see of a command, [`decoders`] what other servers take a path for, [`seeds`] what fuzzing begins with and has found, [`deadline`] how to wait, [`note`] what is told
//! of a run that passes.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this package only ever runs as a test: a panic with its message is how a test fails"
)]

pub mod client;
pub mod deadline;
pub mod decoders;
pub mod file_server;
pub mod harness;
pub mod issuer;
pub mod keys;
pub mod link;
pub mod note;
pub mod recorder;
pub mod revocation_times;
pub mod seeds;
pub mod signing;
pub mod terminal;
pub mod token;
pub mod vectors;
pub mod walkthrough;
