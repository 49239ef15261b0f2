//! `bearward deny-list`: whether a file is a deny list, before a proxy is asked to believe it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_core::revocations::deny_list::{MAX_AHEAD_SECONDS, Saved, read_saved};
use clap::Args;

use crate::{clock, input, output, printable};

/// Say whether a file is a deny list that proxies would take, and what it denies.
///
/// Reads it as the filter does, plain or signed; no signature is asked for. docs/deny-list.md says what it must be.
///
/// Exits with 0 where it is one, with 1 where it is none or its time is still to come, with 2 for wrong usage.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file, or - for the standard input.
    file: PathBuf,
    /// Whose tokens it must be about.
    #[arg(long)]
    iss: Option<String>,
    /// The time at which it is looked at: RFC 3339, or seconds since the epoch. By default now.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    at: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  bearward deny-list deny.json
  bearward deny-list deny.jwt --iss https://login.example.com/realms/staff
  curl -s https://files.example.com/deny.json | bearward deny-list -";

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let text = match input::read(&arguments.file) {
        Ok(text) => text,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    match look(&text, arguments) {
        Ok(report) => output::print(&report, 0),
        Err(problem) => {
            eprintln!("{}: {problem}", shown(&arguments.file));
            ExitCode::FAILURE
        }
    }
}

fn look(text: &[u8], arguments: &Arguments) -> Result<String, String> {
    let list = read_saved(text, arguments.iss.as_deref()).map_err(|refused| format!("the list {refused}"))?;
    let now = arguments.at.unwrap_or_else(clock::now);
    if list.iat > now.saturating_add(MAX_AHEAD_SECONDS) {
        return Err(format!(
            "the list is as of {}: no proxy would take it yet",
            clock::shown_from(list.iat, now)
        ));
    }
    Ok(report(&list, shown(&arguments.file), now))
}

fn report(list: &Saved, file: impl std::fmt::Display, now: u64) -> String {
    let mut report = String::new();
    let [tokens, sessions, users] = list.entries.counts();
    let _ = writeln!(
        report,
        "{file}: a deny list of {}, as of {}",
        printable::line(&list.iss.clone().into()),
        clock::shown_from(list.iat, now)
    );
    let _ = writeln!(report, "denied: tokens {tokens}, sessions {sessions}, users {users}");
    report
}

fn shown(path: &Path) -> impl std::fmt::Display {
    path.display()
}
