//! Where things are in this repository.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, OnceLock};

use crate::error::Error;
use crate::process;

/// The root of the repository: where `Cargo.toml`, `envoy.yaml` and `ARCHITECTURE.md` are.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        // What cargo says when it runs us, else where we are: clones that share a target directory share this
        // binary, so the folder that it was compiled in comes last.
        let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let found = [told, env::current_dir().ok()].into_iter().flatten().find_map(|place| enclosing(&place));
        found.unwrap_or_else(|| compiled_in.parent().unwrap_or(compiled_in).to_owned())
    });
    &ROOT
}

/// Cargo's target directory, wherever the environment or the configuration puts it.
pub fn target() -> Result<&'static Path, Error> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target);
    }
    let found = match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => target_of_metadata()?,
    };
    Ok(TARGET.get_or_init(|| found))
}

/// The binary of a workspace member as `cargo build` leaves it: unoptimized, with line numbers.
pub fn binary(name: &str) -> Result<PathBuf, Error> {
    let path = target()?.join("debug").join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::unusable(
        format!("{} does not exist", path.display()),
        format!("run `cargo build --bin {name}`; `cargo xtask demo` and `cargo xtask test` do it themselves"),
    ))
}

/// The filter means something for wasm only; all other members are built together, whatever is needed of them, so
/// that cargo compiles every dependency with one set of features and not once for each selection.
pub(crate) const NATIVE: [&str; 3] = ["--workspace", "--exclude", "bearward-filter"];

/// Issuer, restaurant, walk-through and command line, for [`binary`].
pub(crate) fn build_programs() -> Result<(), Error> {
    let mut command = cargo();
    command.arg("build").args(NATIVE).arg("--bins");
    process::run(command)
}

/// Cargo, in the repository's root: the one that runs this errand, so that toolchain and settings agree.
pub fn cargo() -> Command {
    cargo_by(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// As [`cargo`], by a given program.
pub(crate) fn cargo_by(program: OsString) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    // What cargo tells xtask about xtask itself would make build scripts of others believe that they changed.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME"
        }) {
            command.env_remove(name);
        }
    }
    command
}

/// The repository that a folder is in.
fn enclosing(folder: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| folder.join("xtask/Cargo.toml").is_file();
    folder.ancestors().find(is_root).map(Path::to_owned)
}

fn target_of_metadata() -> Result<PathBuf, Error> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = process::output(command)?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .map_err(|error| Error::unusable(format!("cargo metadata is not JSON ({error})"), "update cargo"))?;
    match metadata.get("target_directory").and_then(|directory| directory.as_str()) {
        Some(directory) => Ok(PathBuf::from(directory)),
        None => Err(Error::unusable("cargo metadata names no target directory", "set CARGO_TARGET_DIR")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_any_folder_in_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(enclosing(&root.join("filter/core/src")).as_deref(), Some(root));
        assert_eq!(enclosing(root).as_deref(), Some(root));
        assert_eq!(enclosing(Path::new("/")), None);
    }

    #[test]
    fn the_root_holds_what_errands_look_for() {
        assert!(root().join("ARCHITECTURE.md").is_file());
        assert!(root().join("envoy.yaml").is_file());
    }
}
