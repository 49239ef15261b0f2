use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::envoy::remove_if_there;
use crate::directory::random_hex;
use crate::error::Error;

/// The variable that `envoy.yaml` passes on to the filter.
pub const FEED_VARIABLE: &str = "BEARWARD_FEED_TOKEN";

/// What the filter asks the issuer's feed with: made for this stack, in a file for the one and in the environment of the other.
pub(super) struct FeedCredential {
    file: PathBuf,
    text: String,
}

impl FeedCredential {
    /// Makes one, in a file that only its owner can read.
    pub(super) fn make(directory: &Path) -> Result<FeedCredential, Error> {
        let file = directory.join("feed-credential");
        let text = random_hex(32)?;
        remove_if_there(&file)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .map_err(Error::file("write", &file))?;
        Ok(FeedCredential { file, text })
    }

    pub(super) fn for_issuer(&self) -> (String, String) {
        ("BEARWARD_FEED_CREDENTIAL_FILES".to_owned(), self.file.display().to_string())
    }

    pub(super) fn for_envoy(&self) -> (String, String) {
        (FEED_VARIABLE.to_owned(), self.text.clone())
    }
}
