//! `bearward check`: all that is wrong with a policy and with the plugin that carries it.

use std::path::Path;
use std::process::ExitCode;

use bearward_core::Policy as Compiled;
use serde_json::{Map, Value, json};

use crate::capabilities::{CALLBACKS, HOSTCALLS, WASI};
use crate::document;
use crate::plugin::{self, Plugin, Policy};

/// The stand-in for a secret that only the proxy's environment holds: long enough, and never used.
const UNKNOWN_SECRET: [u8; 32] = [0; 32];

/// Runs the command and prints its result.
pub(crate) fn run(file: &Path, as_json: bool) -> ExitCode {
    let document = match document::read(file) {
        Ok(document) => document,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let plugins = plugin::find(&document);
    if plugins.is_empty() {
        eprintln!("{}: neither a policy nor an Envoy configuration with Bearward in it", file.display());
        return ExitCode::from(2);
    }
    let problems: Vec<_> = plugins.iter().map(|plugin| (plugin, problems_of(plugin))).collect();
    let count: usize = problems.iter().map(|(_, problems)| problems.len()).sum();
    if as_json {
        print_json(&problems);
    } else {
        print_text(file, &problems);
    }
    if count == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// One thing that is wrong, and the field.
struct Problem {
    path: String,
    text: String,
}

fn problem(path: &str, text: impl Into<String>) -> Problem {
    Problem { path: path.to_owned(), text: text.into() }
}

fn problems_of(plugin: &Plugin<'_>) -> Vec<Problem> {
    let mut problems = match &plugin.policy {
        Err(text) => vec![problem("", text)],
        Ok(policy) => problems_of_policy(policy),
    };
    if let Some(config) = plugin.config {
        problems.extend(problems_of_surroundings(config));
    }
    problems
}

fn problems_of_policy(policy: &Policy<'_>) -> Vec<Problem> {
    let secrets = |_: &str| Some(UNKNOWN_SECRET.to_vec());
    let compiled = match policy {
        Policy::Inline(document) => Compiled::compile(document, &secrets),
        Policy::Text(text) => Compiled::parse(text.as_bytes(), &secrets),
    };
    match compiled {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|found| problem(&found.path, &found.text)).collect(),
    }
}

fn problems_of_surroundings(config: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let failure_policy = config.get("failure_policy").and_then(Value::as_str);
    if failure_policy == Some("FAIL_OPEN") || config.get("fail_open") == Some(&Value::Bool(true)) {
        problems.push(problem(
            "failure_policy",
            "FAIL_OPEN lets every request through after one trap: write FAIL_RELOAD",
        ));
    } else if failure_policy != Some("FAIL_RELOAD") {
        problems.push(problem(
            "failure_policy",
            "write FAIL_RELOAD: with anything else one trap is a lasting 503",
        ));
    }
    let vm_id = config.get("vm_config").and_then(|vm| vm.get("vm_id")).and_then(Value::as_str);
    if vm_id.unwrap_or_default().is_empty() {
        problems.push(problem(
            "vm_config.vm_id",
            "give it one of its own: shared data is keyed by it alone, and other plugins could write it",
        ));
    }
    if let Some(allowed) = config
        .get("capability_restriction_config")
        .and_then(|restriction| restriction.get("allowed_capabilities"))
    {
        problems.extend(missing_capabilities(allowed));
    }
    problems
}

fn missing_capabilities(allowed: &Value) -> Vec<Problem> {
    const PATH: &str = "capability_restriction_config.allowed_capabilities";
    let Some(allowed) = allowed.as_object() else {
        return vec![problem(PATH, "must be an object")];
    };
    // An empty list restricts nothing.
    if allowed.is_empty() {
        return Vec::new();
    }
    let needed = CALLBACKS.iter().chain(HOSTCALLS).chain(WASI);
    needed
        .filter(|name| !allowed.contains_key(**name))
        .map(|name| match *name {
            "proxy_on_request_headers" => problem(
                PATH,
                format!("`{name}` is missing: Envoy would skip the filter and let every request through"),
            ),
            name => problem(PATH, format!("`{name}` is missing: the filter needs it")),
        })
        .collect()
}

fn print_text(file: &Path, results: &[(&Plugin<'_>, Vec<Problem>)]) {
    for (plugin, problems) in results {
        let place = if plugin.path.is_empty() { "the policy" } else { plugin.path.as_str() };
        if problems.is_empty() {
            println!("{}: {place}: nothing wrong", file.display());
            continue;
        }
        println!(
            "{}: {place}: {} problem{}",
            file.display(),
            problems.len(),
            if problems.len() == 1 { "" } else { "s" }
        );
        for problem in problems {
            match problem.path.as_str() {
                "" => println!("  {}", problem.text),
                path => println!("  {path}: {}", problem.text),
            }
        }
    }
}

fn print_json(results: &[(&Plugin<'_>, Vec<Problem>)]) {
    let problems: Vec<Value> = results
        .iter()
        .flat_map(|(plugin, problems)| {
            problems
                .iter()
                .map(|problem| json!({ "plugin": plugin.path, "path": problem.path, "text": problem.text }))
        })
        .collect();
    println!("{}", json!({ "plugins": results.len(), "problems": problems }));
}
