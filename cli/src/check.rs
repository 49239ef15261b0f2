//! `bearward check`: all that is wrong with a policy and with what carries it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_core::Policy as Compiled;
use bearward_core::policy::Secrets;
use clap::Args;
use serde_json::{Value, json};

use crate::plugin::{self, Plugin, Policy};
use crate::{document, numbers, surroundings};

/// Check an Envoy configuration with the filter in it, or a bare policy.
///
/// Finds every Bearward plugin in the file, compiles its policy as the filter does, and looks at what surrounds
/// it: the failure policy, the vm_id, the list of allowed capabilities, how hosts are read. All problems are
/// reported at once, and what the policy weakens on purpose is listed.
///
/// Exits with 0 where nothing is wrong, with 1 where something is, with 2 where the file cannot be read.
#[derive(Args)]
#[command(after_help = "Examples:\n  bearward check envoy.yaml\n  bearward check policy.yaml --json")]
pub(crate) struct Arguments {
    /// The file, in YAML or JSON.
    file: PathBuf,
    /// Print a JSON object: {"plugins": N, "problems": [{"plugin", "path", "text"}], "weakenings": [..]}.
    #[arg(long)]
    json: bool,
}

/// The stand-in for a secret that only the proxy's environment holds: fit, and never used.
const UNKNOWN_SECRET: &[u8] = b"stand-in for a secret that only the proxy knows";

/// The largest file that is read, in bytes: an Envoy configuration holds more than a policy.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// One thing that is wrong, and the field.
pub(crate) struct Problem {
    path: String,
    text: String,
}

/// A problem of the field at `path`.
pub(crate) fn problem(path: &str, text: impl Into<String>) -> Problem {
    Problem { path: path.to_owned(), text: text.into() }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.text),
            path => write!(formatter, "{path}: {}", self.text),
        }
    }
}

/// What was found about one plugin.
struct Finding<'a> {
    plugin: &'a Plugin<'a>,
    problems: Vec<Problem>,
    weakenings: Vec<String>,
}

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let file = arguments.file.as_path();
    let document = match document::read(file, MAX_FILE_BYTES) {
        Ok(document) => document,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let (plugins, other_vm_ids) = plugin::find(&document);
    if plugins.is_empty() {
        eprintln!("{}: neither a policy nor an Envoy configuration with Bearward in it", file.display());
        return ExitCode::from(2);
    }
    let findings: Vec<_> = plugins.iter().map(|plugin| examine(plugin, &other_vm_ids)).collect();
    if arguments.json {
        print_json(&findings);
    } else {
        findings.iter().for_each(|finding| print_text(file, finding));
    }
    if findings.iter().all(|finding| finding.problems.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// Every variable has a secret that is fit.
pub(crate) fn any_secret(_: &str) -> Option<Vec<u8>> {
    Some(UNKNOWN_SECRET.to_vec())
}

fn examine<'a>(plugin: &'a Plugin<'a>, other_vm_ids: &[&str]) -> Finding<'a> {
    let (compiled, mut problems) = match compile_chosen(plugin, &any_secret) {
        Ok(compiled) => (Some(compiled), Vec::new()),
        Err(problems) => (None, problems),
    };
    if let Some(around) = &plugin.surroundings {
        problems.extend(surroundings::problems(around, compiled.as_ref(), other_vm_ids));
        if let Ok(Policy::Inline(document)) = &plugin.policy {
            problems.extend(numbers::handed_over_as_text(document));
        }
    }
    let weakenings = compiled.iter().flat_map(Compiled::weakenings).collect();
    Finding { plugin, problems, weakenings }
}

/// The policy of one plugin.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn compile_chosen(plugin: &Plugin<'_>, secrets: &Secrets<'_>) -> Result<Compiled, Vec<Problem>> {
    match &plugin.policy {
        Err(text) => Err(vec![problem("", text)]),
        Ok(policy) => compile(policy, secrets),
    }
}

fn compile(policy: &Policy<'_>, secrets: &Secrets<'_>) -> Result<Compiled, Vec<Problem>> {
    let compiled = match policy {
        Policy::Inline(document) => Compiled::compile(document, secrets),
        Policy::Text(text) => Compiled::parse(text.as_bytes(), secrets),
    };
    compiled.map_err(|problems| problems.iter().map(|found| problem(&found.path, &found.text)).collect())
}

fn print_text(file: &Path, finding: &Finding<'_>) {
    let place = if finding.plugin.path.is_empty() { "the policy" } else { finding.plugin.path.as_str() };
    let verdict = match finding.problems.len() {
        0 => "nothing wrong".to_owned(),
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    println!("{}: {place}: {verdict}", file.display());
    for problem in &finding.problems {
        println!("  {problem}");
    }
    for weakening in &finding.weakenings {
        println!("  weakening: {weakening}");
    }
}

fn print_json(findings: &[Finding<'_>]) {
    let problems: Vec<Value> = findings
        .iter()
        .flat_map(|finding| {
            let of = |problem: &Problem| json!({ "plugin": finding.plugin.path, "path": problem.path, "text": problem.text });
            finding.problems.iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    let weakenings: Vec<Value> = findings
        .iter()
        .flat_map(|finding| {
            let of = |text: &String| json!({ "plugin": finding.plugin.path, "text": text });
            finding.weakenings.iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    println!("{}", json!({ "plugins": findings.len(), "problems": problems, "weakenings": weakenings }));
}
