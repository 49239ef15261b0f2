//! `cargo xtask decoders`: what other servers take a path for, asked anew.

use std::process::Command;

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// Asks the servers and writes down what came; with `check` compares it with what is written.
pub fn decoders(check: bool, report: &mut Report) -> Result<(), Error> {
    report.step("ask other servers what they take a path for", |_| {
        let mut command = Command::new("python3");
        command.current_dir(workspace::root()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg("tests/decoders/record.py").arg(workspace::target()?.join("decoders"));
        if check {
            command.arg("--check");
        }
        process::run(command)
    })
}
