//! `cargo xtask bench SUBJECT`: provides what a benchmark needs, and runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::directory::{TemporaryDirectory, create_all};
use crate::error::Error;
use crate::postgres::{Database, Durability};
use crate::report::{Report, print};
use crate::verb::build::{self, Variant};
use crate::{envoy, process, workspace};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// The issuer: logins, refreshes and keys per CPU-second, overload, memory, start.
    Issuer,
    /// How soon what has ended is refused: for every cause, at every worker of an Envoy before two replicas.
    Revocation,
    /// The filter: CPU time of Envoy's worker for each request, beside Envoy's own filters that do the same.
    Filter,
    /// The issuer's feed: what ten thousand proxies that wait cost, and a thousand that come back at once.
    Feed,
}

/// How it is measured and where that is written.
#[derive(Debug, Default, clap::Args)]
pub struct Options {
    /// How often everything is measured; what is told is the median. [default: 5, of `filter` 24]
    #[arg(long)]
    pub rounds: Option<u32>,
    /// How long each subject is loaded in each round. [default: 3]
    #[arg(long)]
    pub seconds: Option<u32>,
    /// How many passwords the issuer hashes at a time. [default: as many as there are cores, as the issuer's own]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub permits: Option<u32>,
    /// Only see that everything is measured: a short run, whose figures say nothing.
    #[arg(long)]
    pub quick: bool,
    /// Write everything as JSON, every round included.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Of `filter`: measure how cost grows, instead.
    #[arg(long)]
    pub growth: bool,
    /// Of `filter`: only what begins like one of these, as `warm_EdDSA` or `cold_`.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Of `revocation`: how often each cause is tried. [default: 200]
    #[arg(long)]
    pub samples: Option<u32>,
    /// Leave out the comparison with the tutorial's application, whose packages come from npm.
    #[arg(long)]
    pub without_tutorial: bool,
    /// Write the table into docs/performance.md, of a whole run.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    pub write: bool,
}

/// Builds what ships and the load generator, optimized, and measures.
pub fn bench(subject: Subject, options: &Options, report: &mut Report) -> Result<(), Error> {
    report.step("build what is measured and the load generator", |_| {
        let mut cargo = workspace::cargo();
        if subject == Subject::Filter {
            cargo.args(["build", "--release", "--package", "bearward-bench"]);
            return process::run(cargo);
        }
        // Together, so that both have the same password hashing.
        cargo.args(["build", "--release", "--package", "bearward-issuer", "--package", "bearward-bench"]);
        if subject == Subject::Revocation {
            cargo.args(["--package", "bearward-restaurant", "--package", "bearward-tests", "--bins"]);
        }
        process::run(cargo)
    })?;
    let folder = workspace::target()?.join("release");
    let (program, bench) = (folder.join("bearward-issuer"), folder.join("bearward-bench"));
    match subject {
        Subject::Issuer => issuer(&program, &bench, options, report, print),
        Subject::Feed => feed(&program, &bench, options, report, print),
        Subject::Filter => {
            build::build(&[Variant::Plain], report)?;
            filter(&bench, options, report, print)
        }
        Subject::Revocation => {
            build::build(&[Variant::Plain], report)?;
            revocation(&folder.join("revocation_times"), &bench, options, report, print)
        }
    }
}

/// Takes samples with this program, which has the issuer and the restaurant beside it; every line of the table is handed to
/// `line`.
pub fn revocation(
    sampler: &Path,
    bench: &Path,
    options: &Options,
    report: &mut Report,
    line: impl FnMut(&str),
) -> Result<(), Error> {
    let scratch = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-bench")?;
    let envoy = report.step("provide Envoy", envoy::provide)?;
    // It waits for the disk, as one whose answers last.
    let database = report.step("provide PostgreSQL", |report| {
        Database::throw_away(scratch.path(), None, Durability::Full, report)
    })?;
    let mut command = Command::new(bench);
    command.current_dir(workspace::root()).arg("revocation").arg("--sampler").arg(sampler);
    command.env("BEARWARD_TEST_DATABASE_URL", database.url()).env("ENVOY", envoy);
    command.env("BEARWARD_WASM", workspace::target()?.join("bearward.wasm"));
    let samples = options.samples.or(options.quick.then_some(2));
    if let Some(samples) = samples {
        command.arg("--samples").arg(samples.to_string());
    }
    measured(command, options, "bearward-bench revocation", report, line)
}

/// Measures the filter that ships with this load generator; every line of the table is handed to `line`.
pub fn filter(
    bench: &Path,
    options: &Options,
    report: &mut Report,
    line: impl FnMut(&str),
) -> Result<(), Error> {
    let scratch = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-bench")?;
    let envoy = report.step("provide Envoy", envoy::provide)?;
    let mut command = Command::new(bench);
    command.current_dir(workspace::root()).arg("filter").arg("--envoy").arg(envoy);
    command.arg("--module").arg(Variant::Plain.path()?).arg("--logs").arg(scratch.path());
    if let Some(rounds) = options.rounds {
        command.arg("--rounds").arg(rounds.to_string());
    }
    if !options.only.is_empty() {
        command.arg("--only").arg(options.only.join(","));
    }
    if options.growth {
        command.arg("--growth");
    }
    if options.quick {
        command.arg("--quick");
    }
    measured(command, options, "bearward-bench filter", report, line)
}

/// Measures this issuer's feed with this load generator; every line of the table is handed to `line`.
pub fn feed(
    program: &Path,
    bench: &Path,
    options: &Options,
    report: &mut Report,
    line: impl FnMut(&str),
) -> Result<(), Error> {
    let scratch = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-bench")?;
    let database = report.step("provide PostgreSQL", |report| {
        Database::throw_away(scratch.path(), None, Durability::Full, report)
    })?;
    let mut command = Command::new(bench);
    command.current_dir(workspace::root()).env("DATABASE_URL", database.url());
    command.arg("feed").arg("--program").arg(program).arg("--logs").arg(scratch.path());
    let rounds = options.rounds.or(options.quick.then_some(1));
    let seconds = options.seconds.or(options.quick.then_some(1));
    let polls = options.quick.then_some(100);
    for (name, number) in [("--rounds", rounds), ("--seconds", seconds), ("--polls", polls)] {
        if let Some(number) = number {
            command.arg(name).arg(number.to_string());
        }
    }
    measured(command, options, "bearward-bench feed", report, line)
}

/// Measures this issuer with this load generator; every line of the table is handed to `line`.
pub fn issuer(
    program: &Path,
    bench: &Path,
    options: &Options,
    report: &mut Report,
    line: impl FnMut(&str),
) -> Result<(), Error> {
    let scratch = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-bench")?;
    let tutorial = match options.without_tutorial {
        true => None,
        false => report.step("provide the tutorial's application", tutorial)?,
    };
    // Its own, whatever the environment says: its processes are counted, and it waits for the disk.
    let database = report.step("provide PostgreSQL", |report| {
        Database::throw_away(scratch.path(), None, Durability::Full, report)
    })?;
    let id = database.id().map(|id| id.to_string()).unwrap_or_default();
    let mut command = Command::new(bench);
    command.current_dir(workspace::root()).env("DATABASE_URL", database.url());
    command.arg("issuer").arg("--program").arg(program).args(["--postgres", &id]);
    command.arg("--logs").arg(scratch.path());
    if let Some(tutorial) = &tutorial {
        command.arg("--tutorial").arg(tutorial);
    }
    for (name, number) in
        [("--rounds", options.rounds), ("--seconds", options.seconds), ("--permits", options.permits)]
    {
        if let Some(number) = number {
            command.arg(name).arg(number.to_string());
        }
    }
    if options.quick {
        command.arg("--quick");
    }
    measured(command, options, "bearward-bench issuer", report, line)
}

/// Runs it, with where its findings go.
fn measured(
    mut command: Command,
    options: &Options,
    name: &str,
    report: &mut Report,
    line: impl FnMut(&str),
) -> Result<(), Error> {
    if let Some(path) = &options.json {
        command.arg("--json").arg(std::path::absolute(path).map_err(Error::file("find", path))?);
    }
    if options.write {
        command.arg("--write").arg(workspace::root().join("docs/performance.md"));
    }
    report.step("measure", |_| {
        let status = process::run_lines(command, line)?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Failed { command: name.to_owned(), status })
    })
}

/// The folder with the application and its packages. `None` where they cannot be had, which is said: everything else can
/// be measured without it.
fn tutorial(report: &mut Report) -> Result<Option<PathBuf>, Error> {
    let source = workspace::root().join("bench/tutorial");
    let folder = workspace::target()?.join("bench/tutorial");
    create_all(&folder)?;
    for name in ["package.json", "server.js"] {
        let (from, to) = (source.join(name), folder.join(name));
        fs::copy(&from, &to).map_err(Error::file("copy", &from))?;
    }
    if !["node", "npm"].into_iter().all(answers) {
        report.note("Node.js and npm are not here: the tutorial's application is left out");
        return Ok(None);
    }
    // What was installed for these versions stays.
    let (wanted, installed) = (read(&folder.join("package.json"))?, folder.join("installed.json"));
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(Some(folder));
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"]);
    npm.arg(&folder).current_dir(&folder);
    match process::run(npm) {
        Ok(()) => {
            fs::write(&installed, wanted).map_err(Error::file("write", &installed))?;
            Ok(Some(folder))
        }
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => {
            report.note(&format!("the tutorial's application is left out: {error}"));
            Ok(None)
        }
    }
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file("read", path))
}
