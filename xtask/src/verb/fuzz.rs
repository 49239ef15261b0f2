//! `cargo xtask fuzz`: the fuzz targets, with all that they need, and their corpora brought up to date.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::report::{Report, print};
use crate::workspace::NATIVE;
use crate::{process, workspace};

/// The version that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";
/// The longest input that is tried, in bytes: longer ones cost speed, and what is long has tests of its own.
const MAX_INPUT_BYTES: usize = 4096;
/// An input that takes longer is a finding, in seconds.
const MAX_INPUT_SECONDS: u64 = 10;
/// How often a person is told where it stands.
const PULSE: Duration = Duration::from_secs(20);

/// What became of a target.
struct Outcome {
    target: String,
    executions: u64,
    found: bool,
}

/// Runs one target or all for so many minutes each, and keeps what is worth keeping in `fuzz/corpus`.
pub fn fuzz(target: Option<&str>, minutes: u64, report: &mut Report) -> Result<ExitCode, Error> {
    let targets = chosen(target)?;
    let program = report.step("provide cargo-fuzz", provide)?;
    let corpora = workspace::target()?.join("fuzz/corpus");
    let names: Vec<&str> = targets.iter().map(String::as_str).collect();
    report.step("make seeds", |_| run_corpora("unpack", &corpora, &names))?;
    let mut outcomes = Vec::new();
    for target in &targets {
        let corpus = corpora.join(target);
        let outcome = report.step(&format!("fuzz {target} for {minutes} min"), |_| {
            one(&program, target.clone(), &corpus, minutes)
        })?;
        if !outcome.found {
            report.step(&format!("minimize {target}"), |_| minimize(&program, target, &corpus))?;
            run_corpora("pack", &corpora, &[target])?;
        }
        outcomes.push(outcome);
    }
    Ok(conclude(&outcomes))
}

/// The targets are the files in `fuzz/fuzz_targets`.
fn chosen(wanted: Option<&str>) -> Result<Vec<String>, Error> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(Error::file("read", &folder))?;
    let stem = |path: PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    let mut all: Vec<String> = entries.filter_map(|entry| stem(entry.ok()?.path())).collect();
    all.sort();
    match wanted {
        None => Ok(all),
        Some(wanted) if all.iter().any(|target| target == wanted) => Ok(vec![wanted.to_owned()]),
        Some(wanted) => Err(Error::unusable(
            format!("there is no fuzz target `{wanted}`"),
            format!("name one of {}, or none for all", all.join(", ")),
        )),
    }
}

/// The one on this machine, else one of our own.
fn provide(report: &mut Report) -> Result<PathBuf, Error> {
    let tools = workspace::target()?.join("tools");
    let own = tools.join("bin/cargo-fuzz");
    if let Some(program) = [PathBuf::from("cargo-fuzz"), own.clone()].into_iter().find(|path| works(path)) {
        return Ok(program);
    }
    report.note(&format!("cargo-fuzz {CARGO_FUZZ} is installed into {}", tools.display()));
    let mut command = workspace::cargo();
    command.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"]).arg(&tools);
    process::run(command)?;
    Ok(own)
}

fn works(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// `cargo-fuzz VERB`. No sanitizer: the code that is tried forbids `unsafe`, so panics and broken promises are what can
/// be found, and without one five times as many inputs are tried. The flags for coverage need no nightly compiler, but
/// to be allowed.
fn cargo_fuzz(program: &Path, verb: &str) -> Result<Command, Error> {
    let mut command = Command::new("sh");
    // libFuzzer speaks on stderr.
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(program);
    command.current_dir(workspace::root()).env("RUSTC_BOOTSTRAP", "1");
    command.args([verb, "--sanitizer", "none", "--target-dir"]).arg(workspace::target()?.join("fuzz"));
    Ok(command)
}

fn one(program: &Path, target: String, corpus: &Path, minutes: u64) -> Result<Outcome, Error> {
    let mut command = cargo_fuzz(program, "run")?;
    command.arg(&target).arg(corpus).arg("--").args([
        format!("-max_total_time={}", minutes.saturating_mul(60)),
        format!("-max_len={MAX_INPUT_BYTES}"),
        format!("-timeout={MAX_INPUT_SECONDS}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let mut executions = 0;
    let mut shown: Option<Instant> = None;
    let status = process::run_lines(command, |line| {
        executions = executed(line).unwrap_or(executions);
        // A line for every input that was worth keeping: one in a while says enough.
        if !line.starts_with('#') || shown.is_none_or(|shown| shown.elapsed() >= PULSE) {
            eprintln!("{line}");
            shown = line.starts_with('#').then(Instant::now).or(shown);
        }
    })?;
    Ok(Outcome { target, executions, found: !status.success() })
}

/// Leaves the fewest and shortest inputs that come to every place, each once: how often they do would make ten times as
/// many. A corpus is kept to be replayed, and from there the next run finds the others again.
fn minimize(program: &Path, target: &str, corpus: &Path) -> Result<(), Error> {
    let mut command = cargo_fuzz(program, "cmin")?;
    command.arg(target).arg(corpus).arg("--");
    command.args([format!("-max_len={MAX_INPUT_BYTES}"), "-use_counters=0".to_owned()]);
    process::run(command)
}

/// `stat::number_of_executed_units: 12345`; while it runs, `#12345 REDUCE cov: ...`
fn executed(line: &str) -> Option<u64> {
    let number = match line.strip_prefix("stat::number_of_executed_units:") {
        Some(number) => number.trim(),
        None => line.strip_prefix('#')?.split_whitespace().next()?,
    };
    number.parse().ok()
}

/// Seeds and kept inputs are the affair of the tests' package, which knows the vectors.
fn run_corpora(verb: &str, folder: &Path, targets: &[&str]) -> Result<(), Error> {
    let mut build = workspace::cargo();
    build.arg("build").args(NATIVE).args(["--bin", "corpora"]);
    process::run(build)?;
    let mut command = Command::new(workspace::binary("corpora")?);
    command.current_dir(workspace::root()).arg(verb).arg(folder).args(targets);
    process::run(command)
}

fn conclude(outcomes: &[Outcome]) -> ExitCode {
    for Outcome { target, executions, found } in outcomes {
        let result = match found {
            false => "nothing found".to_owned(),
            true => format!(
                "SOMETHING FOUND: the input is in fuzz/artifacts/{target}, what it broke stands above"
            ),
        };
        print(&format!("{target:<14} {executions:>12} executions  {result}"));
    }
    if outcomes.iter().any(|outcome| outcome.found) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_what_libfuzzer_says() {
        assert_eq!(executed("stat::number_of_executed_units: 846211"), Some(846_211));
        assert_eq!(executed("#366628\tREDUCE cov: 2282 ft: 5016 corp: 1007/189Kb"), Some(366_628));
        assert_eq!(executed("stat::new_units_added:          4685"), None);
        assert_eq!(executed("thread panicked"), None);
    }

    #[test]
    fn the_targets_are_known_and_another_is_refused_by_name() {
        assert!(chosen(None).unwrap().contains(&"token".to_owned()));
        assert_eq!(chosen(Some("path")).unwrap(), ["path"]);
        let error = chosen(Some("paths")).unwrap_err().to_string();
        assert!(error.contains("`paths`") && error.contains("claims, configuration"), "{error}");
    }
}
