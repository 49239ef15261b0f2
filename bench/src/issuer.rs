//! What the issuer costs: logins, refreshes and keys per CPU-second, what overload does to others, memory, start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use xtask::error::Error;
use xtask::report::{Report, print};

pub(crate) use self::accounts::Accounts;
pub(crate) use self::logins::LoginClient;
use self::rounds::Bench;
use self::samples::Samples;
pub(crate) use self::server::{Server, Site};
use self::tutorial::Tutorial;
use crate::machine::{self, Machine, cores};
use crate::report::{Distribution, Findings};
use crate::{accounting, statistics};

mod accounts;
mod argon2id;
mod distribution;
mod figures;
mod keys;
mod logins;
mod overload;
mod refreshes;
mod rounds;
mod samples;
mod server;
mod tutorial;

/// What `bearward-bench issuer` needs and does. The database is the one of `DATABASE_URL`; it must be empty.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The issuer.
    #[arg(long)]
    program: PathBuf,
    /// PostgreSQL's process, whose whole tree is counted.
    #[arg(long)]
    postgres: u32,
    /// The tutorial's application with its packages; without it nothing is compared with it.
    #[arg(long)]
    tutorial: Option<PathBuf>,
    /// Where processes write their logs.
    #[arg(long)]
    logs: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each subject is loaded in each round.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Only sees that everything is measured: the figures say nothing.
    #[arg(long)]
    quick: bool,
    /// Writes everything, for machines.
    #[arg(long)]
    json: Option<PathBuf>,
    /// How many passwords the issuer hashes at a time.
    #[arg(long)]
    permits: Option<u32>,
    /// Writes the table into this document.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rounds: u32,
    window: Duration,
    /// Users to log in: so many that no limit on one account is met.
    users: u32,
    /// How many logins may wait for a hash.
    queue: u32,
    /// When logins are answered, where that is not left to the issuer.
    deadline_ms: Option<u32>,
    cold_starts: u32,
    /// Logins of each kind whose answer times are shown.
    answers: u32,
}

impl Options {
    fn extent(&self) -> Extent {
        if self.quick {
            return Extent {
                rounds: 2,
                window: Duration::from_millis(400),
                users: 64,
                // So many clients, held so short a time, that hashing is what bounds logins; and a flood soon fills it.
                queue: 16,
                deadline_ms: Some(20),
                cold_starts: 2,
                answers: 2,
            };
        }
        // The queue is the issuer's own default.
        Extent {
            rounds: self.rounds,
            window: Duration::from_secs(self.seconds.into()),
            users: 1_000,
            queue: 32,
            deadline_ms: None,
            cold_starts: 7,
            answers: 24,
        }
    }
}

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Something does not start, or what is measured does not answer as it should.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    let findings = measure(options, report)?;
    print(&findings.markdown());
    if let Some(path) = &options.json {
        findings.write_json(path)?;
    }
    if let Some(path) = &options.write {
        findings.write_into(path)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<Findings, Error> {
    let extent = options.extent();
    let permits = options.permits.unwrap_or_else(|| u32::try_from(cores()).unwrap_or(u32::MAX).min(256));
    let (mut samples, mut notes) = (Samples::default(), Vec::new());
    let versions = versions(options, &mut notes)?;

    let site = Site::new(&options.program, &options.logs, permits, extent)?;
    let accounts = Accounts::new(extent.users)?;
    report.step("create the users", |_| {
        site.run(&["migrate"], "")?;
        site.run(&["user", "import", "-"], &accounts.to_import()).map(|_| ())
    })?;
    // The first start makes the signing key; what comes after it is cold, but on a database that has all.
    drop(Server::start(&site)?);
    report.step("start", |_| {
        for _ in 0..extent.cold_starts {
            let took = Server::start(&site)?.started_within();
            samples.push("cold_start_ms", took.as_secs_f64() * 1_000.0);
        }
        Ok(())
    })?;

    let server = Server::start(&site)?;
    let tutorial = options.tutorial.as_deref().map(|folder| Tutorial::start(folder, &options.logs, report));
    let tutorial = tutorial.transpose()?;
    if tutorial.is_none() {
        notes.push(
            "Without Node.js or its packages nothing was compared with the tutorial's application."
                .to_owned(),
        );
    }
    let mut bench = Bench::new(options.postgres, permits, extent, &accounts, &server, tutorial)?;
    for round in 0..extent.rounds {
        let title = format!("round {} of {}", round + 1, extent.rounds);
        report.step(&title, |_| bench.round(round, &mut samples))?;
    }
    let memory = accounting::memory(server.id())?;
    samples.push("resident_mb", memory.resident as f64 / 1e6);
    samples.push("peak_mb", memory.peak as f64 / 1e6);
    let (mut distributions, disturbances) = bench.finish();
    notes.extend(disturbances);
    drop(server);

    distributions.extend(
        report.step("answer times of logins", |_| answer_times(&site, &accounts, extent, &mut notes))?,
    );
    Ok(Findings {
        benchmark: "issuer",
        machine: Machine::of(&versions),
        settings: vec![
            ("rounds", json!(extent.rounds)),
            ("seconds", json!(extent.window.as_secs_f64())),
            ("permits", json!(permits)),
            ("queue", json!(extent.queue)),
            ("users", json!(extent.users)),
        ],
        figures: figures::of(&samples, permits)?,
        distributions,
        drawings: Vec::new(),
        notes,
    })
}

fn answer_times(
    site: &Site,
    accounts: &Accounts,
    extent: Extent,
    notes: &mut Vec<String>,
) -> Result<Vec<Distribution>, Error> {
    site.run(&["user", "import", "-"], &accounts.of_bcrypt_to_import(extent.answers))?;
    // Started anew, as it would be after an import: the deadline is above bcrypt from the beginning.
    let server = Server::start(site)?;
    distribution::measure(server.public(), accounts, extent.answers, notes)
}

/// What takes part, by its versions; and how durable the database is, which decides what a write costs.
fn versions(options: &Options, notes: &mut Vec<String>) -> Result<Vec<(&'static str, String)>, Error> {
    let postgres = Postgres::of(options.postgres)?;
    if !postgres.is_durable {
        notes.push("PostgreSQL runs without `fsync`: what writes cost says nothing.".to_owned());
    }
    let durability = if postgres.is_durable { "fsync on" } else { "fsync off" };
    let mut versions =
        vec![("PostgreSQL", format!("{} ({durability}, {})", postgres.version, postgres.file_system))];
    if options.tutorial.is_some() {
        let node = machine::said("node", &["--version"]).unwrap_or_default();
        versions.push(("Node.js", node.trim_start_matches('v').to_owned()));
    }
    let issuer = machine::said(&options.program, &["--version"]).unwrap_or_default();
    versions.push(("bearward-issuer", issuer.rsplit(' ').next().unwrap_or_default().to_owned()));
    Ok(versions)
}

/// The server as its own process shows it.
struct Postgres {
    version: String,
    is_durable: bool,
    file_system: String,
}

impl Postgres {
    fn of(id: u32) -> Result<Self, Error> {
        let path = PathBuf::from(format!("/proc/{id}/cmdline"));
        let line = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let words: Vec<&str> = line.split('\0').collect();
        let version = words.first().and_then(|program| machine::said(program, &["--version"]));
        let data = words.iter().skip_while(|word| **word != "-D").nth(1);
        Ok(Self {
            version: version.and_then(|said| Some(said.split(' ').nth(2)?.to_owned())).unwrap_or_default(),
            is_durable: ["fsync=on", "synchronous_commit=on", "full_page_writes=on"]
                .iter()
                .all(|setting| words.contains(setting)),
            file_system: data.and_then(|data| machine::file_system(Path::new(data))).unwrap_or_default(),
        })
    }
}

/// A figure that is one through another, by their names.
fn quotients(samples: &Samples, of: &str, to: &str) -> Vec<f64> {
    statistics::quotients(samples.of(of), samples.of(to))
}
