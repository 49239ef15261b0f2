//! `bearward`: know the verdict before the proxy does. It runs the very core that is in the module, offline.
//!
//! One command a file, its options at the top.
#![forbid(unsafe_code)]

mod bundle;
mod check;
mod clock;
mod deny_list;
mod document;
mod explain;
mod failure;
mod field;
mod forged;
mod input;
mod key_set;
mod output;
mod plugin;
mod policy_file;
mod printable;
mod schema;
mod snippet;
mod terminal;
mod test;
mod token;
mod yaml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Know the verdict before the proxy does.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Explain(explain::Arguments),
    Test(test::Arguments),
    Token(token::Arguments),
    Bundle(bundle::Arguments),
    Schema(schema::Arguments),
    DenyList(deny_list::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::DenyList(arguments) => deny_list::run(&arguments),
    }
}
