//! `bearward`: know the verdict before the proxy does. It runs the very core that is in the module, offline.
#![forbid(unsafe_code)]

mod capabilities;
mod check;
mod document;
mod field;
mod plugin;
mod surroundings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Know the verdict before the proxy does.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check an Envoy configuration with the filter in it, or a bare policy.
    ///
    /// Finds every Bearward plugin in the file, compiles its policy as the filter does, and looks at what surrounds
    /// it: the failure policy, the vm_id, the list of allowed capabilities, how hosts are read. All problems are
    /// reported at once, and what the policy weakens on purpose is listed.
    ///
    /// Exits with 0 where nothing is wrong, with 1 where something is, with 2 where the file cannot be read.
    #[command(after_help = "Examples:\n  bearward check envoy.yaml\n  bearward check policy.yaml --json")]
    Check {
        /// The file, in YAML or JSON.
        file: PathBuf,
        /// Print a JSON object: {"plugins": N, "problems": [{"plugin", "path", "text"}], "weakenings": [..]}.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check { file, json } => check::run(&file, json),
    }
}
