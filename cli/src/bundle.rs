//! `bearward bundle`: the policies of several teams as one document.

mod files;
mod join;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use bearward_core::Policy;

use self::join::{Joined, Problem};
use crate::{check, yaml};

const HEAD: &str = "# Joined by `bearward bundle`: edit the files that it was made of.\n";

/// Runs the command: the document to the standard output or into a file, problems to the standard error.
pub(crate) fn run(directory: &Path, as_json: bool, output: Option<&Path>) -> ExitCode {
    let parts = match files::read(directory, output) {
        Ok(parts) => parts,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            return ExitCode::from(2);
        }
    };
    let joined = join::join(&parts);
    let problems = all_problems(&joined);
    if !problems.is_empty() {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        return ExitCode::from(1);
    }
    let text = if as_json {
        format!("{:#}\n", joined.document)
    } else {
        HEAD.to_owned() + &yaml::text(&joined.document)
    };
    match write(text.as_bytes(), output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// What is wrong between the files, and what the core says of the whole.
fn all_problems(joined: &Joined<'_>) -> Vec<Problem> {
    let mut problems = joined.conflicts.clone();
    if let Err(found) = Policy::parse(joined.document.to_string().as_bytes(), &check::any_secret) {
        problems.extend(found.iter().map(|problem| joined.origins.problem(problem)));
    }
    problems
}

/// A file is replaced as a whole: whoever reads it meanwhile gets the old document or the new one.
fn write(text: &[u8], output: Option<&Path>) -> Result<(), String> {
    let Some(file) = output else {
        return io::stdout().write_all(text).map_err(|error| format!("the standard output: {error}"));
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    fs::write(&new, text).and_then(|()| fs::rename(&new, file)).map_err(|error| {
        // What is left of it helps nobody; that it could not be removed is no news after this.
        let _ = fs::remove_file(&new);
        format!("{}: {error}", file.display())
    })
}
