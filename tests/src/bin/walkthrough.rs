//! Walks through a running demo and says of every step what was expected and what came.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_tests::walkthrough::{Target, longest_name, walk};
use clap::Parser;
use serde::Deserialize;
use xtask::directory::random_hex;

/// Walk through a running demo: sign up, log in, pass the gate, be refused at it.
#[derive(Debug, Parser)]
struct Options {
    /// The file that `cargo xtask demo` keeps while it runs.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
}

/// What of that file is needed here.
#[derive(Debug, Deserialize)]
struct State {
    url: String,
    admin_email: String,
    admin_password: String,
    database_url: String,
}

fn main() -> ExitCode {
    let target = match read(&Options::parse().state) {
        Ok(target) => target,
        Err(why) => {
            eprintln!("walkthrough: {why}");
            return ExitCode::FAILURE;
        }
    };
    let width = longest_name(&target);
    let outcomes = walk(&target, |outcome| println!("{}", outcome.line(width)));
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = outcomes.len() - passed;
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path) -> Result<Target, String> {
    let doing = |error: &dyn std::fmt::Display| {
        format!("cannot read {}: {error}; start the demo: `cargo xtask demo`", file.display())
    };
    let text = std::fs::read(file).map_err(|error| doing(&error))?;
    let state: State = serde_json::from_slice(&text).map_err(|error| doing(&error))?;
    Ok(Target {
        url: state.url,
        admin_email: state.admin_email,
        admin_password: state.admin_password,
        database_url: state.database_url,
        run: random_hex(4).map_err(|error| error.to_string())?,
    })
}
