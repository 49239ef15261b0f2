//! `cargo xtask build --cli`: the command line as one program that needs nothing of the machine it runs on.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::toolchain::is_provided;
use crate::error::Error;
use crate::report::Report;
use crate::{elf, process, workspace};

/// Installs the command line with the C library in it, as `cargo install` does, and returns where it is. Fails unless the
/// program runs and asks for no loader and no shared library.
pub fn program(report: &mut Report) -> Result<PathBuf, Error> {
    if OS != "linux" {
        return Err(Error::unusable(
            "a program without any library is for Linux",
            "cargo install --path cli",
        ));
    }
    let target = format!("{ARCH}-unknown-linux-musl");
    report.step(&format!("target {target}"), |report| {
        if is_provided(&target, report)? {
            return Ok(());
        }
        Err(Error::unusable(format!("rustup cannot add {target}"), "install Rust by rustup, with a network"))
    })?;
    let path = workspace::target()?.join("bearward");
    report.step(&format!("command line: {}", path.display()), |report| install(&target, &path, report))?;
    Ok(path)
}

fn install(target: &str, path: &Path, report: &mut Report) -> Result<(), Error> {
    let root = workspace::target()?.join("installed");
    let mut command = workspace::cargo();
    command.args(["install", "--path", "cli", "--locked", "--force", "--no-track", "--target", target]);
    // A folder of its own: what is built for another C library shares nothing with the rest.
    command.arg("--target-dir").arg(workspace::target()?.join("static")).arg("--root").arg(&root);
    process::run(command)?;
    let installed = root.join("bin/bearward");
    let bytes = fs::read(&installed).map_err(Error::file("read", &installed))?;
    let needs = elf::needs(&bytes);
    if needs.as_ref().is_none_or(|needs| !needs.is_empty()) {
        return Err(Error::unusable(
            format!("{} is not static: {needs:?}", installed.display()),
            "look for a dependency that links a library of the machine",
        ));
    }
    let mut command = Command::new(&installed);
    command.arg("--version").env_clear();
    let version = process::output(command)?;
    fs::rename(&installed, path).map_err(Error::file("write", path))?;
    report.note(&format!("{}, static, {} KiB", version.trim(), bytes.len() / 1024));
    Ok(())
}
