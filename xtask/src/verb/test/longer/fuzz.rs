use std::process::{Command, Stdio};

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// Lints the fuzz targets, which stand outside of the workspace. What they found before is replayed by the tests.
pub(super) fn check(report: &mut Report) -> Result<(), Error> {
    if !has_cpp() {
        report.note("libFuzzer wants a C++ compiler, and there is none: passed over");
        return Ok(());
    }
    let mut command = workspace::cargo();
    command.args(["clippy", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"]);
    command.arg(workspace::target()?.join("fuzz")).args(["--", "-D", "warnings"]);
    process::run(command)
}

fn has_cpp() -> bool {
    let mut command = Command::new("c++");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
