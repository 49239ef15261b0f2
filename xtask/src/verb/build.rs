//! `cargo xtask build`: the filter as it ships.

use std::fs;
use std::path::{Path, PathBuf};

use self::toolchain::Toolchain;
use crate::error::Error;
use crate::module::tables::Tables;
use crate::report::Report;
use crate::{module, process, workspace};

mod program;
mod toolchain;

pub use self::program::program;
pub use self::toolchain::TARGET;

/// Which module is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Variant {
    /// What ships: `target/bearward.wasm`.
    Plain,
    /// For tests only, `target/bearward-trap.wasm`: it panics on a magic header.
    Trap,
}

impl Variant {
    /// Where the finished module stands.
    pub fn path(self) -> Result<PathBuf, Error> {
        let name = match self {
            Variant::Plain => "bearward.wasm",
            Variant::Trap => "bearward-trap.wasm",
        };
        Ok(workspace::target()?.join(name))
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Variant::Plain => &[],
            Variant::Trap => &["--features", "trap-on-magic-header"],
        }
    }
}

/// Builds the modules, with their exports and imports held against ARCHITECTURE.md. The wasm target is provided.
pub fn build(variants: &[Variant], report: &mut Report) -> Result<(), Error> {
    let tables = Tables::of_the_repository()?;
    let toolchain = report.step("wasm target", Toolchain::provide)?;
    for &variant in variants {
        let path = variant.path()?;
        report.step(&format!("filter: {}", path.display()), |report| {
            one(variant, &path, &toolchain, &tables, report)
        })?;
    }
    Ok(())
}

/// clippy for the one crate that means nothing on the machine itself.
pub fn clippy(report: &mut Report) -> Result<(), Error> {
    let toolchain = report.step("wasm target", Toolchain::provide)?;
    let mut command = toolchain.cargo("clippy")?;
    command.args(["--package", "bearward-filter", "--all-features", "--", "-D", "warnings"]);
    process::run(command)
}

fn one(
    variant: Variant,
    path: &Path,
    toolchain: &Toolchain,
    tables: &Tables,
    report: &mut Report,
) -> Result<(), Error> {
    let mut command = toolchain.cargo("build")?;
    command.args(["--package", "bearward-filter", "--profile", "filter"]).args(variant.features());
    process::run(command)?;
    let linked_path = toolchain.target_directory()?.join(TARGET).join("filter/bearward_filter.wasm");
    let linked = fs::read(&linked_path).map_err(Error::file("read", &linked_path))?;
    let finished = module::finish(&linked, tables)?;
    report.note(&format!(
        "{} exports, {} imports, {} KiB",
        tables.exports.len(),
        tables.imports.len(),
        finished.len() / 1024
    ));
    place(path, &finished)
}

/// Atomically: an Envoy that starts meanwhile reads the old module or the new one. Untouched if nothing changed.
fn place(path: &Path, module: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|present| present == module) {
        return Ok(());
    }
    let partial = path.with_extension("wasm.partial");
    fs::write(&partial, module).map_err(Error::file("write", &partial))?;
    fs::rename(&partial, path).map_err(Error::file("write", path))
}
