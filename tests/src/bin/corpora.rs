//! What `cargo xtask fuzz` needs to know of corpora: `unpack FOLDER` writes the seeds and the kept inputs of every target
//! into a folder each, `pack FOLDER TARGET..` keeps what is in these.

#![forbid(unsafe_code)]

use std::env;
use std::path::Path;
use std::process::ExitCode;

use bearward_fuzz::target::TARGETS;
use bearward_tests::seeds;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["unpack", folder] => TARGETS.iter().try_for_each(|target| {
            let count = seeds::unpack(target, &Path::new(folder).join(target.name))?;
            println!("{}: {count} inputs to begin with", target.name);
            Ok(())
        }),
        ["pack", folder, names @ ..] => {
            let chosen = TARGETS.iter().filter(|target| names.contains(&target.name));
            chosen.into_iter().try_for_each(|target| {
                let count = seeds::pack(target, &Path::new(folder).join(target.name))?;
                println!("{}: {count} inputs kept", target.name);
                Ok(())
            })
        }
        _ => Err(std::io::Error::other("corpora unpack FOLDER | corpora pack FOLDER TARGET..")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
