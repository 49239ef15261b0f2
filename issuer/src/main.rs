//! The executable of [`bearward_issuer`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    bearward_issuer::run()
}
