//! The errands of this repository, and the running stack that the demo and the acceptance tests share.
//!
//! In reading order: [`verb`] (build, demo, test, bench, fuzz, sqlx), [`stack`] (issuer, upstream and Envoy as one), [`envoy`] and
//! [`postgres`] (where the programs come from), [`module`] (the checks on `bearward.wasm`), [`process`] (children
//! that never outlive us), then the small things.

#![forbid(unsafe_code)]

pub mod directory;
pub mod elf;
pub mod envoy;
pub mod error;
pub mod http;
pub mod interrupt;
pub mod module;
pub mod postgres;
pub mod process;
pub mod report;
pub mod stack;
pub mod verb;
mod wheel;
pub mod workspace;
