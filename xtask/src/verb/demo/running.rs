use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

use crate::directory::create_all;
use crate::error::Error;
use crate::{http, workspace};

/// A demo that runs, as `target/demo/running.json` tells it to the walk-through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) url: String,
    pub(super) pid: u32,
    pub(super) admin_email: String,
    pub(super) admin_password: String,
    pub(super) database_url: String,
    pub(super) issuer_url: String,
}

impl Running {
    /// The demo that runs now. A file that a killed demo left behind counts as none.
    pub(super) fn read() -> Result<Option<Running>, Error> {
        let path = StateFile::path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", &path)(error)),
        };
        let running = serde_json::from_str(&text).ok().and_then(|state| Running::from_json(&state));
        Ok(running.filter(Running::answers))
    }

    fn answers(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| test_kill_process(pid).is_ok()) && http::get(&self.url, None).is_some()
    }

    fn to_json(&self) -> Value {
        json!({
            "url": self.url,
            "pid": self.pid,
            "admin_email": self.admin_email,
            "admin_password": self.admin_password,
            "database_url": self.database_url,
            "issuer_url": self.issuer_url,
        })
    }

    fn from_json(state: &Value) -> Option<Running> {
        let text = |name: &str| Some(state.get(name)?.as_str()?.to_owned());
        Some(Running {
            url: text("url")?,
            pid: u32::try_from(state.get("pid")?.as_u64()?).ok()?,
            admin_email: text("admin_email")?,
            admin_password: text("admin_password")?,
            database_url: text("database_url")?,
            issuer_url: text("issuer_url")?,
        })
    }
}

/// The file of the running demo; it goes with this value.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(super) fn path() -> Result<PathBuf, Error> {
        Ok(workspace::target()?.join("demo/running.json"))
    }

    pub(super) fn write(running: &Running) -> Result<StateFile, Error> {
        StateFile::write_at(StateFile::path()?, running)
    }

    /// Whole or not at all, and only for its owner: it holds a password.
    fn write_at(path: PathBuf, running: &Running) -> Result<StateFile, Error> {
        if let Some(folder) = path.parent() {
            create_all(folder)?;
        }
        let partial = path.with_extension("partial");
        remove(&partial);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .and_then(|mut file| writeln!(file, "{:#}", running.to_json()))
            .map_err(Error::file("write", &partial))?;
        fs::rename(&partial, &path).map_err(Error::file("write", &path))?;
        Ok(StateFile { path })
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    // One that is not there is what we want; one that cannot be removed counts as none once its process is gone.
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::directory::TemporaryDirectory;

    fn running() -> Running {
        Running {
            url: "http://127.0.0.1:1".to_owned(),
            pid: std::process::id(),
            admin_email: "admin@example.com".to_owned(),
            admin_password: "secret".to_owned(),
            database_url: "postgres://postgres@localhost/postgres".to_owned(),
            issuer_url: "http://127.0.0.1:2".to_owned(),
        }
    }

    #[test]
    fn the_state_file_is_private_says_everything_and_goes_with_its_value() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let path = directory.path().join("demo/running.json");
        let state = StateFile::write_at(path.clone(), &running()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(Running::from_json(&read), Some(running()));
        drop(state);
        assert!(!path.exists());
    }

    #[test]
    fn a_demo_that_does_not_answer_does_not_run() {
        assert!(!running().answers());
        assert!(!Running { pid: 0, ..running() }.answers());
    }
}
