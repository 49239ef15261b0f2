//! The executable of [`bearward_issuer`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Set up in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    bearward_issuer::run()
}
