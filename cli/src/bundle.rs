//! `bearward bundle`: the policies of several teams as one document.

mod files;
mod join;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_core::Policy;
use clap::Args;
use serde_json::Value;

use self::join::{Joined, Problem};
use crate::{check, output, yaml};

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
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Write JSON instead of YAML.
    #[arg(long)]
    json: bool,
    /// Write into this file, at once and as a whole, instead of to the standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
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

const HEAD: &str = "# Joined by `bearward bundle`: edit the files that it was made of.\n";

/// Runs the command: the document to the standard output or into a file, problems to the standard error.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { directory, json: as_json, output: file } = arguments;
    let file = file.as_deref();
    let document = match join_all(directory, file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let text = if *as_json { format!("{document:#}\n") } else { HEAD.to_owned() + &yaml::text(&document) };
    match output::write(text.as_bytes(), file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// The files of a folder as one document.
///
/// # Errors
/// What the process ends with; why has been printed.
pub(crate) fn joined(directory: &Path) -> Result<Value, ExitCode> {
    join_all(directory, None)
}

fn join_all(directory: &Path, output: Option<&Path>) -> Result<Value, ExitCode> {
    let parts = files::read(directory, output).map_err(|problems| {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        ExitCode::from(2)
    })?;
    let joined = join::join(&parts);
    let problems = all_problems(&joined);
    if problems.is_empty() {
        return Ok(joined.document);
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    Err(ExitCode::from(1))
}

/// What is wrong between the files, and what the core says of the whole.
fn all_problems(joined: &Joined<'_>) -> Vec<Problem> {
    let mut problems = joined.conflicts.clone();
    if let Err(found) = Policy::parse(joined.document.to_string().as_bytes(), &check::any_secret) {
        problems.extend(found.iter().map(|problem| joined.origins.problem(problem)));
    }
    problems
}
