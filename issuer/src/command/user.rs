//! `bearward-issuer user import`: users who come from another application, with their password hashes.

mod import;
mod lines;

use std::fs::File;
use std::io::{BufReader, Read, Write, stdin, stdout};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, runtime};
use crate::settings::{self, DatabaseSettings, Sources};
use crate::store::connect;

#[cfg(test)]
pub(crate) use import::testing;
use import::{Import, Report};

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The users, one JSON object a line; `-` is standard input.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Says what would be done and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object for each line, and one with the sums at the end.
    #[arg(long)]
    json: bool,
}

/// No log is begun: standard output is the report's alone.
pub(super) fn import(sources: &Sources, arguments: &ImportArguments) -> Result<(), Failure> {
    let database = settings::read(sources, DatabaseSettings::read)?;
    let input = BufReader::new(open(arguments)?);
    runtime()?.block_on(async {
        // Waits for the database; what it finds there is up to `migrate`.
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        let mut report = Report::new(arguments.json);
        let done = Import::new(&store, arguments.dry_run)
            .run(input, |number, outcome| tell(&report.line(number, &outcome)))
            .await;
        // Told also where it stopped: what was done until then is done.
        tell(&report.sums());
        done.map_err(Failure::new)?;
        match report.refused() {
            0 => Ok(()),
            1 => Err(Failure::new("a line was refused: correct it and import the file again")),
            n => Err(Failure::new(format!("{n} lines were refused: correct them and import the file again"))),
        }
    })
}

fn open(arguments: &ImportArguments) -> Result<Box<dyn Read>, Failure> {
    if arguments.file.as_os_str() == "-" {
        return Ok(Box::new(stdin()));
    }
    let opened = File::open(&arguments.file);
    let why = |error| Failure::usage(format!("{}: {error}; nothing was imported", arguments.file.display()));
    Ok(Box::new(opened.map_err(why)?))
}

/// What is done is done, whoever reads this.
fn tell(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}
