//! Why an errand stopped.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why an errand stopped: one sentence that says what is wrong and what to do, with the log of the process that
/// died where there is one.
#[derive(Debug)]
pub enum Error {
    /// Ctrl-C or SIGTERM: everything was ended in order, nothing went wrong.
    Interrupted,
    /// Something is missing, taken, too old or contradictory; `way_out` says how to go on.
    Unusable {
        /// What is wrong, without a full stop.
        what: String,
        /// What to do about it, without a full stop.
        way_out: String,
    },
    /// The operating system refused something.
    Io {
        /// What was being done: "cannot write FILE".
        doing: String,
        /// Its answer.
        source: io::Error,
    },
    /// A command that ran in the foreground failed; its output has been shown.
    Failed {
        /// The command as it could be typed.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A supervised process ended although it should run on.
    Ended {
        /// Its name, as in its log file.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },
    /// A supervised process runs but did not become ready in time.
    Late {
        /// Its name, as in its log file.
        name: String,
        /// What was waited for.
        awaited: String,
        /// How long.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },
}

impl Error {
    /// Something that cannot go on like this, and what to do about it.
    pub fn unusable(what: impl Into<String>, way_out: impl Into<String>) -> Error {
        Error::Unusable { what: what.into(), way_out: way_out.into() }
    }

    /// For `map_err`: the operating system refused `doing`.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source }
    }

    /// For `map_err`: the operating system refused to `verb` the file or directory `path`.
    pub fn file(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        Error::io(format!("cannot {verb} {}", path.display()))
    }

    /// The last lines of the log of the process that ended or was late.
    pub fn tail(&self) -> Option<&str> {
        match self {
            Error::Ended { tail, .. } | Error::Late { tail, .. } => Some(tail),
            _ => None,
        }
    }

    /// The log file of the process that ended or was late.
    pub fn log(&self) -> Option<&Path> {
        match self {
            Error::Ended { log, .. } | Error::Late { log, .. } => Some(log),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Interrupted => write!(f, "interrupted"),
            Error::Unusable { what, way_out } => write!(f, "{what}: {way_out}"),
            Error::Io { doing, source } => write!(f, "{doing}: {source}"),
            Error::Failed { command, status } => {
                write!(f, "`{command}` failed ({status}); what it said stands above")
            }
            Error::Ended { name, status, log, tail } => {
                write!(f, "{name} ended ({status}); the last lines of {}:\n{tail}", log.display())
            }
            Error::Late { name, awaited, waited, log, tail } => write!(
                f,
                "{name}: {awaited} did not come within {} s; the last lines of {}:\n{tail}",
                waited.as_secs(),
                log.display()
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
