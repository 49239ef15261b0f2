//! The load generator and what it measures; `cargo xtask bench` provides what it needs and runs it.
//!
//! In reading order: [`issuer`] (what is measured of the issuer), [`revocation`] (how soon what has ended is refused),
//! [`feed`] (what proxies that wait cost), [`filter`] (the filter beside Envoy's own), [`load`] (how requests are offered)
//! over [`http`], [`accounting`] (what they cost), [`statistics`] (what is made of several rounds), [`report`] (how it is told) and
//! [`machine`] (where it was measured).

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::error::Error;
use xtask::interrupt;
use xtask::report::Report;

mod accounting;
mod feed;
mod filter;
mod http;
mod issuer;
mod load;
mod machine;
mod report;
mod revocation;
mod statistics;

/// Measures what ships. `cargo xtask bench` calls this with all that it needs.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Logins, refreshes and keys of the issuer.
    Issuer(issuer::Options),
    /// How soon what has ended is refused.
    Revocation(revocation::Options),
    /// What proxies that wait cost.
    Feed(feed::Options),
    /// What the filter costs, beside Envoy's own.
    Filter(filter::Options),
}

fn main() -> ExitCode {
    let Arguments { subject } = Arguments::parse();
    let report = &mut Report::printed();
    let measured = interrupt::listen().and_then(|()| match &subject {
        Subject::Issuer(options) => issuer::run(options, report),
        Subject::Revocation(options) => revocation::run(options, report),
        Subject::Feed(options) => feed::run(options, report),
        Subject::Filter(options) => filter::run(options, report),
    });
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Interrupted) => ExitCode::from(interrupt::EXIT_STATUS),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
