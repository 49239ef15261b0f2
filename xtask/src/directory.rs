//! Directories that disappear, and random names.

use std::fs::{self, DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::process::watchdog;

/// A directory that only its owner can read, and that disappears with the value, or with this process however it
/// ends.
#[derive(Debug)]
pub struct TemporaryDirectory {
    path: PathBuf,
}

impl TemporaryDirectory {
    /// Makes `PREFIX-RANDOM` in `parent`.
    pub fn new(parent: &Path, prefix: &str) -> Result<TemporaryDirectory, Error> {
        let path = parent.join(format!("{prefix}-{}", random_hex(8)?));
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::file("create", &path))?;
        watchdog::remove_at_exit(&path)?;
        Ok(TemporaryDirectory { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // Something that still writes there is being ended by whoever started it: the watchdog tries once more.
        if fs::remove_dir_all(&self.path).is_ok() {
            watchdog::removed(&self.path);
        }
    }
}

/// `2 * bytes` random lower-case hexadecimal digits from the operating system: names and passwords of one run.
pub fn random_hex(bytes: usize) -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut random = vec![0; bytes];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(Error::file("read", source))?;
    Ok(hex(&random))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a directory and its parents, unless they exist.
pub fn create_all(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::file("create", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_temporary_directory_is_private_and_disappears_with_its_value() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let path = directory.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(path.join("file"), "content").unwrap();
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn random_text_has_the_length_asked_for_and_does_not_repeat() {
        let (one, two) = (random_hex(12).unwrap(), random_hex(12).unwrap());
        assert_eq!(one.len(), 24);
        assert_ne!(one, two);
    }
}
