//! `cargo xtask bless SUBJECT`: has a test write down what it measured, instead of comparing it.

use super::build::{self, Variant};
use crate::error::Error;
use crate::report::Report;
use crate::workspace::NATIVE;
use crate::{process, workspace};

/// What can be blessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// docs/fuel.md: the instructions that the dearest input for each bound costs.
    Fuel,
}

impl Subject {
    /// Its name for the test, and the test.
    fn test(self) -> (&'static str, &'static str) {
        match self {
            Subject::Fuel => ("fuel", "hosted::fuel::no_input_costs_more_instructions_than_the_table_says"),
        }
    }
}

/// Builds the filter and rewrites the subject's document.
pub fn bless(subject: Subject, report: &mut Report) -> Result<(), Error> {
    report.step("build the filter", |report| build::build(&[Variant::Plain], report))?;
    let (name, test) = subject.test();
    report.step(&format!("measure {name}"), |_| {
        let mut command = workspace::cargo();
        command
            .args(["test", "--quiet"])
            .args(NATIVE)
            .args(["--test", "acceptance", "--", "--exact", test])
            .env("BEARWARD_WASM", Variant::Plain.path()?)
            .env("BEARWARD_BLESS", name);
        process::run(command)
    })?;
    report.note("look at the difference before it is committed: git diff docs");
    Ok(())
}
