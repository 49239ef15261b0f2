//! Where something was measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use serde_json::{Value, json};

/// The machine and what runs on it.
#[derive(Debug)]
pub(crate) struct Machine {
    date: String,
    cores: usize,
    processor: String,
    system: String,
    versions: Vec<(&'static str, String)>,
}

impl Machine {
    /// This one, today, with the versions of what takes part.
    pub(crate) fn of(versions: &[(&'static str, String)]) -> Self {
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(unknown),
            cores: cores(),
            processor: processor().unwrap_or_else(unknown),
            system: said("uname", &["-sr"]).unwrap_or_else(unknown),
            versions: versions.to_vec(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let versions = self.versions.iter().map(|(name, version)| ((*name).to_owned(), json!(version)));
        json!({
            "date": self.date,
            "cores": self.cores,
            "processor": self.processor,
            "system": self.system,
            "versions": serde_json::Map::from_iter(versions),
        })
    }

    pub(crate) fn sentence(&self) -> String {
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "Measured on {}: {} cores ({}), {}, {}.",
            self.date,
            self.cores,
            self.processor,
            self.system,
            versions.join(", ")
        )
    }
}

/// How many threads run at a time.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The file system that a folder is on: on one in memory, waiting for the disk costs nothing.
pub(crate) fn file_system(folder: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let of_line = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        folder.starts_with(&place).then_some((place.len(), kind))
    };
    // The later of two mounts on one place covers the earlier.
    mounts.lines().filter_map(of_line).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// The first line with something in it that a program prints.
pub(crate) fn said(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    output.status.success().then(|| first.to_owned())
}

/// The version of an Envoy, out of `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`, with its path before it.
pub(crate) fn envoy_version(envoy: impl AsRef<std::ffi::OsStr>) -> Option<String> {
    version_of(&said(envoy, &["--version"])?)
}

fn version_of(text: &str) -> Option<String> {
    let (_, version) = text.split_once("version: ")?;
    Some(version.split('/').nth(1)?.to_owned())
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    value.map(|(_, name)| name.trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_with_its_cores_its_day_and_its_versions() {
        let sentence = Machine::of(&[("PostgreSQL", "18.1".to_owned())]).sentence();
        assert!(
            sentence.starts_with("Measured on 2") && sentence.ends_with("PostgreSQL 18.1."),
            "{sentence}"
        );
        assert!(sentence.contains(&format!("{} cores", cores())), "{sentence}");
    }

    #[test]
    fn a_folder_is_on_the_file_system_that_is_mounted_closest_above_it() {
        assert_eq!(file_system(Path::new("/proc/self")).as_deref(), Some("proc"));
        assert_ne!(file_system(Path::new("/")).as_deref(), Some("proc"));
    }

    #[test]
    fn the_version_of_an_envoy_is_found_whatever_its_path() {
        let text = "/opt/a/envoy  version: dc2d3098/1.40.0/Clean/RELEASE/BoringSSL";
        assert_eq!(version_of(text).as_deref(), Some("1.40.0"));
        assert_eq!(version_of("another/program/1.0"), None);
    }

    #[test]
    fn a_program_that_is_not_there_has_said_nothing() {
        assert_eq!(said("bearward-no-such-program", &[]), None);
    }

    #[test]
    fn what_a_program_says_begins_after_empty_lines() {
        assert_eq!(said("sh", &["-c", "echo; echo ' it is 1.2 '; echo more"]).as_deref(), Some("it is 1.2"));
    }
}
