//! What `cargo xtask fuzz` needs to know of corpora: `unpack FOLDER TARGET..` writes the seeds and the kept inputs
//! of these targets into a folder each, `pack FOLDER TARGET..` keeps what is in these.

#![forbid(unsafe_code)]

use std::env;
use std::io::Error;
use std::path::Path;
use std::process::ExitCode;

use bearward_fuzz::target::{TARGETS, Target};
use bearward_tests::seeds;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["unpack", folder, names @ ..] => each(names, |target| {
            let count = seeds::unpack(target, &Path::new(folder).join(target.name))?;
            Ok(format!("{}: {count} inputs to begin with", target.name))
        }),
        ["pack", folder, names @ ..] => each(names, |target| {
            let count = seeds::pack(target, &Path::new(folder).join(target.name))?;
            Ok(format!("{}: {count} inputs kept", target.name))
        }),
        _ => Err(Error::other("corpora unpack FOLDER TARGET.. | corpora pack FOLDER TARGET..")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn each(names: &[&str], work: impl Fn(&Target) -> Result<String, Error>) -> Result<(), Error> {
    for target in TARGETS.iter().filter(|target| names.contains(&target.name)) {
        println!("{}", work(target)?);
    }
    Ok(())
}
