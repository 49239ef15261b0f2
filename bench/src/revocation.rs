//! From the issuer's answer to the first refusal at each worker of an Envoy, for every cause.
//!
//! The samples are taken by `revocation_times` of the tests' package, which starts all that it needs; here they are counted.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use xtask::error::Error;
use xtask::interrupt;
use xtask::report::{Report, print};

use self::causes::{CAUSES, Causes};
use crate::machine::{self, Machine};
use crate::report::{Distribution, Figure, Findings, Goal};
use crate::statistics::{Latencies, Spread};

mod causes;
mod histogram;

/// What `bearward-bench revocation` needs and does. The tests' variables say where PostgreSQL, Envoy and the filter are.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// `revocation_times`, with the issuer and the restaurant beside it.
    #[arg(long)]
    sampler: PathBuf,
    /// How often each cause is tried.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: u32,
    /// Writes everything, for machines.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the table into this document.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Something does not start, a token passes that has ended, or one is refused that has not.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    let mut causes = Causes::new()?;
    report.step("take the samples", |report| sample(options, &mut causes, report))?;
    let findings = findings(options, causes)?;
    print(&findings.markdown());
    if let Some(path) = &options.json {
        findings.write_json(path)?;
    }
    if let Some(path) = &options.write {
        findings.write_into(path)?;
    }
    Ok(())
}

fn sample(options: &Options, causes: &mut Causes, report: &mut Report) -> Result<(), Error> {
    let doing = || Error::io(format!("cannot run {}", options.sampler.display()));
    let mut command = Command::new(&options.sampler);
    command.args(["--samples", &options.samples.to_string()]).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(doing())?;
    let whole = CAUSES.len() * options.samples as usize;
    let step = (whole / 20).max(1);
    for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.map_err(doing())?;
        let malformed = || Error::unusable(format!("no sample: {line}"), "build both programs anew");
        let sample: Value = serde_json::from_str(&line).map_err(|_| malformed())?;
        causes.add(&sample).ok_or_else(malformed)?;
        if causes.count().is_multiple_of(step) {
            report.note(&format!("{} of {whole} samples", causes.count()));
        }
        if interrupt::check().is_err() {
            let _ = child.kill();
        }
    }
    let status = child.wait().map_err(doing())?;
    interrupt::check()?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Failed { command: "revocation_times".to_owned(), status }),
    }
}

fn findings(options: &Options, causes: Causes) -> Result<Findings, Error> {
    let worst = |share: f64| causes.everywhere().map(|times| times.quantile_ms(share)).fold(0.0, f64::max);
    let rows = [
        ("all_p50_ms", "refused at every worker, all causes: median", causes.all().quantile_ms(0.5), None),
        ("all_p99_ms", "the same: p99", causes.all().quantile_ms(0.99), None),
        ("worst_p50_ms", "the cause with the greatest median", worst(0.5), Some(Goal::AtMost(50.0))),
        ("worst_p99_ms", "the cause with the greatest p99", worst(0.99), Some(Goal::AtMost(1_000.0))),
    ];
    let mut figures = Vec::new();
    for (key, title, value, goal) in rows {
        figures.push(figure(key, title, "ms", value, goal)?);
    }
    let share = causes.share_of_same_second();
    figures.push(figure(
        "same_second_percent",
        "logins right afterwards that were in the same second",
        "%",
        share,
        None,
    )?);
    let drawings = vec![histogram::drawn(causes.histogram())];
    let issuer = options.sampler.with_file_name("bearward-issuer");
    Ok(Findings {
        benchmark: "revocation",
        machine: Machine::of(&versions(&issuer)),
        settings: vec![("samples_of_each_cause", json!(options.samples)), ("workers", json!(2)), ("replicas", json!(2))],
        figures,
        distributions: causes.into_distributions(),
        drawings,
        notes: vec![
            "Every sample has seen that the user's other sessions, a login right afterwards and somebody else's token passed at \
             every worker, and that what had ended stayed refused; else there would be no table."
                .to_owned(),
        ],
    })
}

fn figure(
    key: &'static str,
    title: &str,
    unit: &'static str,
    value: f64,
    goal: Option<Goal>,
) -> Result<Figure, Error> {
    let spread = Spread::of(vec![value])
        .ok_or_else(|| Error::unusable(format!("{key} was not measured"), "take more samples"))?;
    Ok(Figure { key, title: title.to_owned(), unit, spread, goal })
}

fn versions(issuer: &Path) -> Vec<(&'static str, String)> {
    let last_word = |text: String| text.rsplit(' ').next().unwrap_or_default().to_owned();
    let envoy = std::env::var_os("ENVOY").and_then(machine::envoy_version);
    let issuer = machine::said(issuer, &["--version"]).map(last_word);
    [("Envoy", envoy), ("bearward-issuer", issuer)]
        .into_iter()
        .filter_map(|(name, version)| Some((name, version?)))
        .collect()
}

/// A time out of a sample.
fn milliseconds(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(value.as_f64()? / 1_000.0).ok()
}

fn distribution(key: &'static str, title: &'static str, latencies: Latencies) -> Distribution {
    Distribution { key, title, latencies }
}
