use std::process::Command;

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// Has Docker Compose itself read the compose file, where it is installed.
pub(super) fn check(report: &mut Report) -> Result<(), Error> {
    if !docker(&["compose", "version"]) {
        report.note("Docker Compose is not installed: passed over");
        return Ok(());
    }
    let mut command = Command::new("docker");
    command.current_dir(workspace::root()).args(["compose", "config", "--quiet"]);
    process::run(command)
}

fn docker(arguments: &[&str]) -> bool {
    let mut command = Command::new("docker");
    command.args(arguments);
    process::output(command).is_ok()
}
