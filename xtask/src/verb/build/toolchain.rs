use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::report::Report;
use crate::{process, workspace};

/// The filter's target: Envoy knows the few WASI calls that the standard library makes there.
pub const TARGET: &str = "wasm32-wasip1";

/// A compiler that can build for [`TARGET`].
#[derive(Debug)]
pub(super) enum Toolchain {
    /// The active one has the target's standard library.
    Active,
    /// Debian's own, which builds the standard library itself.
    Debian(Debian),
}

/// The parts of Debian's compiler.
#[derive(Debug)]
pub(super) struct Debian {
    linker: PathBuf,
}

/// `rustup` or `debian` takes that way only.
const CHOICE: &str = "BEARWARD_WASM_TOOLCHAIN";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// The C library of WASI, in Debian's place.
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";
const WAY_OUT: &str = "install Rust by rustup with a network, or on Debian: \
                       apt-get install rustc-web cargo-web rust-web-src lld-22 wasi-libc";

impl Toolchain {
    /// The active toolchain if it has the target, or if rustup can add it; else Debian's.
    pub(super) fn provide(report: &mut Report) -> Result<Toolchain, Error> {
        let choice = env::var(CHOICE).unwrap_or_default();
        match choice.as_str() {
            "" => {
                if is_provided(TARGET, report)? {
                    return Ok(Toolchain::Active);
                }
                Debian::find(report).map(Toolchain::Debian)
            }
            "rustup" if is_provided(TARGET, report)? => Ok(Toolchain::Active),
            "rustup" => Err(Error::unusable(format!("rustup cannot add {TARGET}"), WAY_OUT)),
            "debian" => Debian::find(report).map(Toolchain::Debian),
            other => Err(Error::unusable(
                format!("{CHOICE}={other} names no toolchain"),
                "set it to rustup or debian, or unset it",
            )),
        }
    }

    /// `cargo VERB --target wasm32-wasip1` with the flags of the filter, and of no one else.
    pub(super) fn cargo(&self, verb: &str) -> Result<Command, Error> {
        let mut command = match self {
            Toolchain::Active => workspace::cargo(),
            Toolchain::Debian(debian) => debian.cargo(),
        };
        // The encoded form wins over RUSTFLAGS, so that the module is the same whatever that says.
        command.env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join("\u{1f}"));
        command.env("CARGO_TARGET_DIR", self.target_directory()?);
        command.args([verb, "--target", TARGET]);
        if matches!(self, Toolchain::Debian(_)) {
            command.args(["-Z", "build-std=std,panic_abort"]);
        }
        Ok(command)
    }

    /// A compiler of its own has a folder of its own.
    pub(super) fn target_directory(&self) -> Result<PathBuf, Error> {
        let target = workspace::target()?;
        Ok(match self {
            Toolchain::Active => target.to_owned(),
            Toolchain::Debian(_) => target.join("debian"),
        })
    }

    fn flags(&self) -> Result<Vec<String>, Error> {
        // WebAssembly has no product of 128 bits: with words of 64, each one of Ed25519's calls a function. Vectors, which every V8
        // that Envoy ships has, for SHA-2 and whatever else they help.
        let flags = ["--cfg", "curve25519_dalek_bits=\"32\"", "-Ctarget-feature=+simd128"];
        let mut flags: Vec<String> = flags.map(ToOwned::to_owned).into();
        flags.extend(dependency_folders().iter().filter_map(|folder| remapped(folder, "/dependencies")));
        if let Toolchain::Debian(debian) = self {
            flags.push(format!("-Clinker={}", debian.linker.display()));
            flags.push("-Clink-self-contained=no".to_owned());
            flags.push(format!("-L{DEBIAN_WASI_LIBC}"));
        }
        Ok(flags)
    }
}

impl Debian {
    fn find(report: &mut Report) -> Result<Debian, Error> {
        let rustc = Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]).stderr(Stdio::null()).output();
        let sysroot = rustc.ok().filter(|output| output.status.success());
        let source = sysroot.map(|output| {
            let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Path::new(&sysroot).join("lib/rustlib/src/rust/library/std")
        });
        let linker = linkers().into_iter().find(|linker| linker.is_file());
        let missing = [
            ("rustc", source.is_some()),
            ("cargo", Path::new(DEBIAN_CARGO).is_file()),
            ("the source of the standard library", source.is_some_and(|source| source.is_dir())),
            ("wasm-ld", linker.is_some()),
            ("wasi-libc", Path::new(DEBIAN_WASI_LIBC).join("libc.a").is_file()),
        ];
        let missing: Vec<&str> =
            missing.iter().filter(|(_, present)| !present).map(|(name, _)| *name).collect();
        match linker {
            Some(linker) if missing.is_empty() => {
                report.note("Debian's compiler builds the standard library itself: this takes a minute");
                Ok(Debian { linker })
            }
            _ => Err(Error::unusable(
                format!(
                    "neither the active toolchain has {TARGET}, nor can rustup add it, nor has Debian's \
                     compiler all that it needs (missing: {})",
                    missing.join(", ")
                ),
                WAY_OUT,
            )),
        }
    }

    /// Debian's programs only: a rustup on PATH would mix its compiler with Debian's library.
    fn cargo(&self) -> Command {
        let mut command = workspace::cargo_by(DEBIAN_CARGO.into());
        command.env("PATH", "/usr/bin:/bin").env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTUP_HOME");
        command
    }
}

/// The newest first; any will do.
fn linkers() -> Vec<PathBuf> {
    let is_linker = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("wasm-ld"))
    };
    entries(Path::new("/usr/bin")).into_iter().rev().filter(is_linker).collect()
}

/// Whether the active toolchain can build for a target: it has its standard library, or rustup has added it now.
pub(super) fn is_provided(target: &str, report: &mut Report) -> Result<bool, Error> {
    Ok(has_target(target) || added_by_rustup(target, report)?)
}

fn has_target(target: &str) -> bool {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(workspace::root()).args(["--print", "target-libdir", "--target", target]);
    let Ok(output) = command.stderr(Stdio::null()).output() else {
        return false;
    };
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    output.status.success()
        && fs::read_dir(libraries).is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libcore"))
            })
        })
}

fn added_by_rustup(target: &str, report: &mut Report) -> Result<bool, Error> {
    let mut command = Command::new("rustup");
    command.current_dir(workspace::root()).args(["target", "add", target]);
    match process::run(command) {
        Ok(()) => Ok(true),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => {
            report.note(&format!("rustup did not add {target}: {error}"));
            Ok(false)
        }
    }
}

/// The module names source files where it panics: not by where they are on this machine.
fn remapped(path: &Path, name: &str) -> Option<String> {
    Some(format!("--remap-path-prefix={}={name}", path.to_str()?))
}

/// Where cargo unpacks dependencies: one folder for each registry.
fn dependency_folders() -> Vec<PathBuf> {
    let home = |home: OsString| Path::new(&home).join(".cargo");
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::var_os("HOME").map(home));
    cargo.map(|cargo| entries(&cargo.join("registry/src"))).unwrap_or_default()
}

/// The paths in a folder, sorted; none if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    found.sort();
    found
}
