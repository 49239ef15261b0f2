//! `bearward check`: all that is wrong with a policy and with what carries it.

use std::path::Path;
use std::process::ExitCode;

use bearward_core::Policy as Compiled;
use serde_json::{Value, json};

use crate::plugin::{self, Plugin, Policy};
use crate::{document, numbers, surroundings};

/// The stand-in for a secret that only the proxy's environment holds: fit, and never used.
const UNKNOWN_SECRET: &[u8] = b"stand-in for a secret that only the proxy knows";

/// The largest file that is read, in bytes: an Envoy configuration holds more than a policy.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// One thing that is wrong, and the field.
pub(crate) struct Problem {
    path: String,
    text: String,
}

/// A problem of the field at `path`.
pub(crate) fn problem(path: &str, text: impl Into<String>) -> Problem {
    Problem { path: path.to_owned(), text: text.into() }
}

/// What was found about one plugin.
struct Finding<'a> {
    plugin: &'a Plugin<'a>,
    problems: Vec<Problem>,
    weakenings: Vec<String>,
}

/// Runs the command and prints its result.
pub(crate) fn run(file: &Path, as_json: bool) -> ExitCode {
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
    if as_json {
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
    let (compiled, mut problems) = match &plugin.policy {
        Err(text) => (None, vec![problem("", text)]),
        Ok(policy) => match compile(policy) {
            Ok(compiled) => (Some(compiled), Vec::new()),
            Err(problems) => (None, problems),
        },
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

fn compile(policy: &Policy<'_>) -> Result<Compiled, Vec<Problem>> {
    let compiled = match policy {
        Policy::Inline(document) => Compiled::compile(document, &any_secret),
        Policy::Text(text) => Compiled::parse(text.as_bytes(), &any_secret),
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
        match problem.path.as_str() {
            "" => println!("  {}", problem.text),
            path => println!("  {path}: {}", problem.text),
        }
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
