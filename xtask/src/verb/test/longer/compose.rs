use std::process::{Command, Stdio};

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// Has Docker Compose itself read the compose file, where it is installed.
pub(super) fn check(report: &mut Report) -> Result<(), Error> {
    if !is_installed() {
        report.note("Docker Compose is not installed: passed over");
        return Ok(());
    }
    let mut command = Command::new("docker");
    command.current_dir(workspace::root()).args(["compose", "config", "--quiet"]);
    process::run(command)
}

fn is_installed() -> bool {
    let mut command = Command::new("docker");
    command.args(["compose", "version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
