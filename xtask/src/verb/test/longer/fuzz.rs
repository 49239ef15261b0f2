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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    fn read(path: &str) -> String {
        fs::read_to_string(workspace::root().join(path)).unwrap()
    }

    /// The names under `[dependencies]`.
    fn wanted(manifest: &str) -> BTreeSet<String> {
        let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
        let name = |line: &str| Some(line.split(['.', ' ', '=']).next()?.to_owned());
        lines.filter_map(name).filter(|name| !name.is_empty()).collect()
    }

    /// The dependencies of a package as a lock file has them, without their versions.
    fn locked(lock: &str, package: &str) -> BTreeSet<String> {
        let entry =
            lock.split("[[package]]").find(|entry| entry.contains(&format!("name = \"{package}\"\n")));
        let list = entry.unwrap().split_once("dependencies = [").unwrap().1.split(']').next().unwrap();
        let name = |line: &str| line.trim().trim_matches(['"', ',']).split(' ').next().unwrap().to_owned();
        list.lines().map(name).filter(|name| !name.is_empty()).collect()
    }

    /// Only the longer run compiles the targets, and it would fail there.
    #[test]
    fn the_lock_file_of_the_fuzz_targets_has_every_dependency_of_what_they_fuzz() {
        let lock = read("fuzz/Cargo.lock");
        for (package, manifest) in [
            ("bearward-core", "filter/core/Cargo.toml"),
            ("bearward-protocol", "protocol/Cargo.toml"),
            ("bearward-fuzz", "fuzz/Cargo.toml"),
        ] {
            assert_eq!(
                locked(&lock, package),
                wanted(&read(manifest)),
                "{package}: run `cargo metadata --manifest-path fuzz/Cargo.toml` and commit fuzz/Cargo.lock"
            );
        }
    }
}
