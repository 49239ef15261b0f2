//! Which files are joined: every YAML and JSON file of a folder and of the folders in it.
//!
//! A policy that was passed over in silence would leave its requests to a wider one. So folders are gone through to the
//! bottom, and what looks like a policy and cannot be read is an error.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::policy::MAX_POLICY_BYTES;
use serde_json::Value;

use crate::document;

/// The most files that are joined, and the most entries of folders that are looked at.
const MAX_FILES: usize = 1000;
const MAX_ENTRIES: usize = 20_000;
/// How deep folders may stand in each other.
const MAX_DEPTH: usize = 8;

/// A file of a team.
pub(super) struct Part {
    /// As it is shown.
    pub(super) file: String,
    /// Its content.
    pub(super) value: Value,
}

/// Reads them all, in the order of their paths.
///
/// # Errors
/// What cannot be read, all of it.
pub(super) fn read(directory: &Path, output: Option<&Path>) -> Result<Vec<Part>, Vec<String>> {
    let mut search = Search::default();
    search.walk(directory);
    let Search { mut files, mut problems, .. } = search;
    files.sort();
    if let Some(output) = output.filter(|output| would_be_one(output, directory)) {
        problems.push(format!(
            "{}: is in the folder that is joined: the next bundle would hold this one",
            output.display()
        ));
    }
    if files.is_empty() && problems.is_empty() {
        problems.push(format!("{}: has no .yaml, .yml or .json file", directory.display()));
    }
    if files.len() > MAX_FILES {
        problems.push(format!("{}: has more than {MAX_FILES} files", directory.display()));
        files.clear();
    }
    let mut parts = Vec::new();
    for path in files {
        match document::read(&path, MAX_POLICY_BYTES as u64) {
            Ok(value) => parts.push(Part { file: path.display().to_string(), value }),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}

#[derive(Default)]
struct Search {
    files: Vec<PathBuf>,
    problems: Vec<String>,
    entries: usize,
}

impl Search {
    fn walk(&mut self, directory: &Path) {
        if directory.is_file() {
            self.problem(directory, "is no folder: `bearward check` looks at a file");
            return;
        }
        let mut left = vec![(directory.to_owned(), 0)];
        while let Some((folder, depth)) = left.pop() {
            if depth > MAX_DEPTH {
                self.problem(&folder, &format!("is more than {MAX_DEPTH} folders deep"));
                continue;
            }
            match self.entries(&folder) {
                Ok(folders) => left.extend(folders.into_iter().map(|below| (below, depth + 1))),
                Err(error) => self.problem(&folder, &error.to_string()),
            }
            if self.entries > MAX_ENTRIES {
                self.problem(directory, &format!("has more than {MAX_ENTRIES} entries"));
                return;
            }
        }
    }

    /// Takes the files of a folder, and returns the folders in it. Hidden ones are nobody's policy.
    fn entries(&mut self, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder)?.take(MAX_ENTRIES + 1) {
            let entry = entry?;
            self.entries += 1;
            if is_hidden(&entry.file_name()) {
                continue;
            }
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.is_dir() {
                // It could lead back to where we are.
                self.problem(&path, "is a link to a folder, which is not followed");
            } else if is_policy(&path) && path.exists() && !path.is_file() {
                self.problem(&path, "is no file");
            } else if is_policy(&path) {
                self.files.push(path);
            }
        }
        Ok(folders)
    }

    fn problem(&mut self, path: &Path, text: &str) {
        self.problems.push(format!("{}: {text}", path.display()));
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_policy(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    ["yaml", "yml", "json"].contains(&extension.as_str())
}

/// Whether a file would be read as a part if it were there.
fn would_be_one(output: &Path, directory: &Path) -> bool {
    let folder = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Ok(directory)) = (folder.canonicalize(), directory.canonicalize()) else {
        return false;
    };
    is_policy(output) && folder.starts_with(directory)
}
