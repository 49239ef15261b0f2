//! The vectors of `tests/vectors/`: requests with the decision that every host of the filter must come to.
//!
//! In reading order: [`file`] what stands in a file, [`forge`] the requests made of it, [`native`] the decision of the
//! core, [`envoy`] that of a real Envoy; [`refused`] policies that none of them loads. `tests/vectors/README.md` describes the
//! format.

pub mod envoy;
pub mod file;
pub mod forge;
pub mod native;
pub mod refused;

use std::collections::BTreeMap;
use std::fmt;

use crate::note::note;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It reached the upstream, with these of the headers that the vector asks for; `None`: the header was not there.
    Forwarded(BTreeMap<String, Option<String>>),
    /// It was refused.
    Rejected {
        /// The status of HTTP.
        status: u16,
        /// The reason.
        reason: String,
        /// `WWW-Authenticate`, where the vector asks for it; empty where there is none.
        challenge: Option<String>,
    },
}

/// A host that runs vectors.
pub trait Host {
    /// Its name in the report.
    fn name(&self) -> &'static str;
    /// What becomes of a request under the file's policy.
    ///
    /// # Errors
    /// Whatever is no outcome.
    fn run(&mut self, request: &forge::Request) -> Result<Outcome, String>;
    /// Seconds since the epoch, by the clock that the host judges with.
    fn now(&self) -> u64;
}

/// How many cases a host passed, and how those that it did not.
#[derive(Debug, Default)]
pub struct Report {
    host: &'static str,
    files: Vec<(String, usize)>,
    failed: Vec<String>,
}

impl Report {
    /// Runs the cases of a file on a host.
    pub fn run<'a>(
        &mut self,
        file: &file::File,
        cases: impl Iterator<Item = &'a file::Case>,
        host: &mut dyn Host,
    ) {
        self.host = host.name();
        let mut passed = 0;
        for case in cases {
            let request = forge::Request::of(case, &file.keys, host.now());
            match host.run(&request) {
                Ok(outcome) if outcome == case.outcome() => passed += 1,
                Ok(outcome) => self.fail(file, case, host, &format!("{outcome:?}")),
                Err(error) => self.fail(file, case, host, &error),
            }
        }
        self.files.push((file.name.clone(), passed));
    }

    /// # Panics
    /// With every failure, if there is one; also if nothing was run.
    pub fn conclude(&self) {
        assert!(self.failed.is_empty(), "{self}");
        assert!(self.passed() > 0, "no vector was run");
        note(&self.to_string());
    }

    fn passed(&self) -> usize {
        self.files.iter().map(|(_, passed)| passed).sum()
    }

    fn fail(&mut self, file: &file::File, case: &file::Case, host: &dyn Host, came: &str) {
        let (host, expected) = (host.name(), case.outcome());
        self.failed.push(format!(
            "{}: {}: {host}\n  expected {expected:?}\n  came     {came}",
            file.name, case.name
        ));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failed {
            writeln!(formatter, "{failure}")?;
        }
        let files: Vec<_> = self.files.iter().map(|(name, passed)| format!("{name} {passed}")).collect();
        let (passed, failed) = (self.passed(), self.failed.len());
        write!(formatter, "vectors on {}: {passed} passed, {failed} failed ({})", self.host, files.join(", "))
    }
}
