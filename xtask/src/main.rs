//! `cargo xtask VERB`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::error::Error;
use xtask::interrupt;
use xtask::report::Report;
use xtask::verb::bless::Subject;
use xtask::verb::build::Variant;
use xtask::verb::{bench, bless, build, decoders, demo, fuzz, sqlx, test};

/// Bearward's errands. What an errand needs (the wasm target, Envoy, PostgreSQL) it finds on this machine or fetches.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the filter, target/bearward.wasm, and hold its exports and imports against ARCHITECTURE.md.
    Build {
        /// `trap` is for tests: target/bearward-trap.wasm panics on a magic header.
        #[arg(long, value_enum, default_value = "plain")]
        variant: Variant,
        /// Build the command line instead, target/bearward: one program that needs nothing of the machine it runs on.
        #[arg(long, conflicts_with = "variant")]
        cli: bool,
    },
    /// Run PostgreSQL, the issuer, the restaurant and Envoy with the filter, until Ctrl-C.
    Demo {
        /// Envoy's port on 127.0.0.1; 0 takes any free one. [default: 8080, with --check any free one]
        #[arg(long)]
        port: Option<u16>,
        /// Keep data and logs in this folder; a folder of an earlier run is taken up again.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// Run the walk-through against the running demo, or one of its own; the exit status says whether it passed.
        #[arg(long)]
        check: bool,
    },
    /// Run everything: format, lints, unit, property and acceptance tests with a real Envoy and PostgreSQL.
    Test {
        /// What takes longer, too: before an issue is resolved or a version released.
        #[arg(long)]
        all: bool,
        /// For the test binaries: a filter by name, --nocapture and the like.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measure what ships, per CPU-second and beside its goals.
    Bench {
        /// Which part.
        #[arg(value_enum)]
        subject: bench::Subject,
        #[command(flatten)]
        options: bench::Options,
    },
    /// Write anew what a document says of the code: measured, for a change that is worth its price, or out of a table.
    Bless {
        /// Which document.
        #[arg(value_enum)]
        subject: Subject,
    },
    /// Run the fuzz targets and bring their corpora up to date; whatever was found makes the exit status a failure.
    Fuzz {
        /// One target; without it all, one after another.
        target: Option<String>,
        /// How long each runs.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
        minutes: u64,
    },
    /// Ask other servers (nginx, Express, Flask and more) what they take a path for, and write it down.
    Decoders {
        /// Compare with what is written instead.
        #[arg(long)]
        check: bool,
    },
    /// Renew .sqlx, against which the issuer's queries are checked when it is compiled.
    Sqlx,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match interrupt::listen().and_then(|()| run(arguments.verb, &mut Report::printed())) {
        Ok(code) => code,
        Err(Error::Interrupted) => ExitCode::from(interrupt::EXIT_STATUS),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb, report: &mut Report) -> Result<ExitCode, Error> {
    match verb {
        Verb::Build { cli: true, .. } => build::program(report).map(|_| ExitCode::SUCCESS),
        Verb::Build { variant, cli: false } => build::build(&[variant], report).map(|()| ExitCode::SUCCESS),
        Verb::Demo { port, keep, check: true } => demo::check(port, keep.as_deref(), report),
        Verb::Demo { port, keep, check: false } => {
            demo::demo(port, keep.as_deref(), report).map(|()| ExitCode::SUCCESS)
        }
        Verb::Test { all, arguments } => test::test(all, &arguments, report),
        Verb::Bench { subject, options } => {
            bench::bench(subject, &options, report).map(|()| ExitCode::SUCCESS)
        }
        Verb::Bless { subject } => bless::bless(subject, report).map(|()| ExitCode::SUCCESS),
        Verb::Fuzz { target, minutes } => fuzz::fuzz(target.as_deref(), minutes, report),
        Verb::Decoders { check } => decoders::decoders(check, report).map(|()| ExitCode::SUCCESS),
        Verb::Sqlx => sqlx::renew(report).map(|()| ExitCode::SUCCESS),
    }
}
