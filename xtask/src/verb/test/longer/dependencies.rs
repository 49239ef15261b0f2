use std::process::Stdio;

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// Holds `deny.toml` against the dependencies, as far as cargo-deny and its database are here.
pub(super) fn check(report: &mut Report) -> Result<(), Error> {
    if !is_installed() {
        report.note("cargo-deny is not installed: passed over (cargo install cargo-deny)");
        return Ok(());
    }
    let mut command = workspace::cargo();
    command.args(["deny", "check", "licenses", "bans", "sources"]);
    process::run(command)?;
    if !deny(&["fetch", "db"])? {
        report.note("the database of advisories cannot be reached: passed over");
        return Ok(());
    }
    let mut command = workspace::cargo();
    command.args(["deny", "check", "advisories"]);
    process::run(command)
}

fn is_installed() -> bool {
    let mut command = workspace::cargo();
    command.args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn deny(arguments: &[&str]) -> Result<bool, Error> {
    let mut command = workspace::cargo();
    command.arg("deny").args(arguments);
    Ok(process::status(command)?.success())
}
