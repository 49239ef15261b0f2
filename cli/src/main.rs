//! `bearward`: know the verdict before the proxy does. It runs the very core that is in the module, offline.
#![forbid(unsafe_code)]

mod bundle;
mod capabilities;
mod check;
mod document;
mod field;
mod numbers;
mod plugin;
mod surroundings;
mod yaml;

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
    /// Join the policies of several teams into one, whatever their files are called.
    ///
    /// Takes every .yaml, .yml and .json file of a folder and of the folders in it, hidden ones aside. Each holds
    /// `version`, and `issuers`, `policies` or settings of the whole document. Issuers and policies are put together by
    /// name; a rule may name an issuer of another file. The same files, renamed or moved, make the same bytes.
    ///
    /// What is defined twice is an error that names both files and the field. So is a setting of the whole document
    /// beside policies where other files have policies, too: one team's `mode: observe` would open the rules of all
    /// others. The joined policy is checked as the filter would, and all problems are reported at once, each with the
    /// file that it comes from.
    ///
    /// Exits with 0 where the policy is written, with 1 where something is wrong and nothing is written, with 2 where
    /// a file cannot be read or written.
    #[command(after_help = BUNDLE_EXAMPLES)]
    Bundle {
        /// The folder.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Write JSON instead of YAML.
        #[arg(long)]
        json: bool,
        /// Write into this file, at once and as a whole, instead of to the standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

const BUNDLE_EXAMPLES: &str = "\
Examples:
  policies/platform.yaml:
    version: 1
    issuers: { own: { iss: \"https://issuer.example.com/\", ... } }
    forward: { token: remove }
  policies/orders/policy.yaml:
    version: 1
    policies: [{ name: orders, prefix: /orders, issuers: [own], ... }]
  policies/menu/policy.yaml:
    version: 1
    policies: [{ name: menu, prefix: /menu, issuers: [own], ... }]

  bearward bundle policies
  bearward bundle policies --output policy.yaml && bearward check policy.yaml";

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check { file, json } => check::run(&file, json),
        Command::Bundle { directory, json, output } => bundle::run(&directory, json, output.as_deref()),
    }
}
