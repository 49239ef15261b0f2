//! Prints, a line of JSON each, how long after the issuer's answer a token that has ended was refused. `cargo xtask bench
//! revocation` makes a table of it.
#![forbid(unsafe_code)]

use std::io::Write;

use bearward_tests::revocation_times::{Sample, Site, everybody, growth, lives};
use clap::Parser;

/// Ends tokens for every cause and sees when each worker of an Envoy refuses them.
#[derive(Debug, Parser)]
struct Options {
    /// How often each cause is tried.
    #[arg(long)]
    samples: usize,
    /// Writes so many other records as fast as it can, and takes samples of what concerns one user meanwhile, nothing else.
    #[arg(long, default_value_t = 0)]
    growth: usize,
    /// How many users live at the same time.
    #[arg(long, default_value_t = 1)]
    beside: usize,
}

fn main() {
    let options = Options::parse();
    let site = Site::start();
    let tell = |sample: Sample| {
        let line = format!("{}\n", sample.to_json());
        // Whoever does not listen any more ends this process, too.
        let _ = std::io::stdout().write_all(line.as_bytes());
    };
    if options.growth > 0 {
        growth(&site, options.growth, &tell);
        return;
    }
    lives(&site, options.samples, options.beside, &tell);
    everybody(&site, options.samples, &tell);
}
