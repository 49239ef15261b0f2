use std::path::Path;
use std::process::Command;

use super::results::Results;
use crate::error::Error;
use crate::report::{Report, print};
use crate::verb::build::Variant;
use crate::workspace::NATIVE;
use crate::{process, workspace};

/// What every run of the test binaries has in common.
pub(super) struct Run<'a> {
    /// Whether tests may take minutes.
    pub(super) all: bool,
    /// For the test binaries.
    pub(super) arguments: &'a [String],
    /// A server on which databases can be made.
    pub(super) database_url: &'a str,
}

/// Acceptance tests that say nothing about an Envoy: what runs on the test host, which is held against the version that
/// is pinned, what looks at files alone, what other libraries make of the issuer, and the issuer alone.
const WITHOUT_ENVOY: [&str; 16] = [
    "hosted::",
    "bundle::",
    "schema::",
    "examples::",
    "compose::",
    "module::",
    "documentation::",
    "wycheproof::",
    "verifiers::",
    "openapi::",
    "issuer_life::",
    "issuer_limits::",
    "migrations::",
    "replicas::",
    "trouble::",
    "bench::",
];

impl Run<'_> {
    /// All test binaries, and whether they succeeded.
    pub(super) fn everything(&self, envoy: &Path, report: &mut Report) -> Result<(bool, Results), Error> {
        self.run(&["--tests"], &[], envoy, report)
    }

    /// What says something about this Envoy.
    pub(super) fn acceptance(&self, envoy: &Path, report: &mut Report) -> Result<(bool, Results), Error> {
        self.run(&["--test", "acceptance"], &WITHOUT_ENVOY, envoy, report)
    }

    fn run(
        &self,
        binaries: &[&str],
        skipped: &[&str],
        envoy: &Path,
        report: &mut Report,
    ) -> Result<(bool, Results), Error> {
        let mut command = workspace::cargo();
        command
            .args(["test", "--no-fail-fast"])
            .args(NATIVE)
            .args(binaries)
            .args(["--", "-Zunstable-options", "--report-time"])
            .args(skipped.iter().flat_map(|name| ["--skip", name]))
            .args(self.arguments)
            .env(runner_variable()?, "env RUSTC_BOOTSTRAP=1")
            .env("BEARWARD_TEST_DATABASE_URL", self.database_url)
            .env("BEARWARD_WASM", Variant::Plain.path()?)
            .env("BEARWARD_WASM_TRAP", Variant::Trap.path()?)
            .env("ENVOY", envoy);
        if self.all {
            command.env("BEARWARD_TEST_ALL", "1");
        }
        let mut results = Results::default();
        let status = process::run_lines(command, |line| {
            print(line);
            results.read(line);
        })?;
        if !status.success() && results.failed == 0 {
            report
                .note(&format!("cargo test: {status}, so a test binary died before it could say its result"));
        }
        Ok((status.success(), results))
    }
}

/// The stable test harness reports times only where unstable options are allowed. The variable that allows them is
/// set for the test binaries alone: set for cargo, it would compile everything anew.
fn runner_variable() -> Result<String, Error> {
    let mut command = Command::new("rustc");
    command.current_dir(workspace::root()).arg("-vV");
    let said = process::output(command)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    Ok(format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace('-', "_")))
}
