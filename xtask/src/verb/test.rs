//! `cargo xtask test`: everything, with a real Envoy and PostgreSQL.

use std::process::{Command, ExitCode, ExitStatus};

use self::results::Results;
use super::build::{self, Variant};
use crate::directory::TemporaryDirectory;
use crate::error::Error;
use crate::postgres::Database;
use crate::report::{Report, print};
use crate::workspace::NATIVE;
use crate::{envoy, process, workspace};

mod longer;
mod results;

/// Formats, lints, builds and tests; `arguments` go to the test binaries. The last line printed is
/// `N passed, N failed`.
pub fn test(all: bool, arguments: &[String], report: &mut Report) -> Result<ExitCode, Error> {
    report.step("format", |_| cargo(&["fmt", "--all", "--check"]))?;
    report.step("build the filter", |report| build::build(&[Variant::Plain, Variant::Trap], report))?;
    report.step("lint the filter", build::clippy)?;
    report.step("lint the workspace", |_| {
        cargo(&[&["clippy"], &NATIVE[..], &["--all-targets", "--", "-D", "warnings"]].concat())
    })?;
    report.step("build programs and tests", |_| {
        // All at once, so that every dependency is compiled with one set of features.
        cargo(&[&["build"], &NATIVE[..], &["--bins", "--tests"]].concat())
    })?;
    if all {
        longer::run(report)?;
    }
    let (status, results) = report.step("test", |report| tests(all, arguments, report))?;
    Ok(conclude(status, &results, report))
}

fn tests(all: bool, arguments: &[String], report: &mut Report) -> Result<(ExitStatus, Results), Error> {
    let logs = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test")?;
    let envoy = report.step("provide Envoy", envoy::provide)?;
    let database =
        report.step("provide PostgreSQL", |report| Database::provide(logs.path(), None, report))?;
    let mut command = workspace::cargo();
    command
        .args(["test", "--no-fail-fast"])
        .args(NATIVE)
        .args(["--tests", "--", "-Zunstable-options", "--report-time"])
        .args(arguments)
        .env(runner_variable()?, "env RUSTC_BOOTSTRAP=1")
        .env("BEARWARD_TEST_DATABASE_URL", database.url())
        .env("BEARWARD_WASM", Variant::Plain.path()?)
        .env("BEARWARD_WASM_TRAP", Variant::Trap.path()?)
        .env("ENVOY", envoy);
    if all {
        command.env("BEARWARD_TEST_ALL", "1");
    }
    let mut results = Results::default();
    let status = process::run_lines(command, |line| {
        print(line);
        results.read(line);
    })?;
    Ok((status, results))
}

/// The stable test harness reports times only where unstable options are allowed. The variable that allows them is
/// set for the test binaries alone: set for cargo, it would compile everything anew.
fn runner_variable() -> Result<String, Error> {
    let mut command = Command::new("rustc");
    command.current_dir(workspace::root()).arg("-vV");
    let said = process::output(command)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    Ok(format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace('-', "_")))
}

fn conclude(status: ExitStatus, results: &Results, report: &mut Report) -> ExitCode {
    print(&format!("\n{}\n{}", results.notes(), results.slowest()));
    if !status.success() && results.failed == 0 {
        report.note(&format!("cargo test: {status}, so a test binary died before it could say its result"));
    }
    print(&format!("{} passed, {} failed", results.passed, results.failed));
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cargo(arguments: &[&str]) -> Result<(), Error> {
    let mut command = workspace::cargo();
    command.args(arguments);
    process::run(command)
}
