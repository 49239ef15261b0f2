//! `bearward token`: tokens by themselves.

mod forge;
mod inspect;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Look into a token, or make one for a test.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Arguments),
    Forge(Box<forge::Arguments>),
}

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let result = match &arguments.command {
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Forge(arguments) => forge::run(arguments),
    };
    result.unwrap_or_else(|Failure { text, status }| {
        eprintln!("{text}");
        ExitCode::from(status)
    })
}

/// Why there is no result, in a sentence, and what the process ends with.
struct Failure {
    text: String,
    status: u8,
}

/// Wrong usage.
impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self { text, status: 2 }
    }
}
