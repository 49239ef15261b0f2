//! `cargo xtask test`: everything, with a real Envoy and PostgreSQL.

use std::process::ExitCode;

use self::results::Results;
use self::run::Run;
use super::build::{self, Variant};
use crate::directory::TemporaryDirectory;
use crate::error::Error;
use crate::postgres::Database;
use crate::report::{Report, print};
use crate::workspace::NATIVE;
use crate::{envoy, process, workspace};

mod longer;
mod results;
mod run;

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
    let (succeeded, results) = report.step("test", |report| tests(all, arguments, report))?;
    Ok(conclude(succeeded, &results))
}

fn tests(all: bool, arguments: &[String], report: &mut Report) -> Result<(bool, Results), Error> {
    let logs = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test")?;
    let envoy = report.step("provide Envoy", envoy::provide)?;
    let others = if all {
        report.step("provide other versions of Envoy", |report| envoy::others(&envoy, report))?
    } else {
        Vec::new()
    };
    let database =
        report.step("provide PostgreSQL", |report| Database::provide(logs.path(), None, report))?;
    let run = Run { all, arguments, database_url: database.url() };
    let (mut succeeded, mut results) = run.everything(&envoy, report)?;
    for other in others {
        let name = format!("Envoy {}", other.version);
        let (also, more) =
            report.step(&format!("test with {name}"), |report| run.acceptance(&other.binary, report))?;
        succeeded &= also;
        results.add(more, &name);
    }
    Ok((succeeded, results))
}

fn conclude(succeeded: bool, results: &Results) -> ExitCode {
    print(&format!("\n{}\n{}", results.notes(), results.slowest()));
    print(&format!("{} passed, {} failed", results.passed, results.failed));
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cargo(arguments: &[&str]) -> Result<(), Error> {
    let mut command = workspace::cargo();
    command.args(arguments);
    process::run(command)
}
