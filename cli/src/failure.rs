//! Why a command has nothing to report.

use std::process::ExitCode;

/// Why a command ends without a report.
pub(crate) enum Failure {
    /// Wrong usage, in one sentence.
    Usage(String),
    /// All has been said: what the process ends with.
    Ends(ExitCode),
}

impl Failure {
    /// Says what has not been said yet.
    pub(crate) fn end(self) -> ExitCode {
        match self {
            Self::Usage(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
            Self::Ends(code) => code,
        }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Usage(text)
    }
}
