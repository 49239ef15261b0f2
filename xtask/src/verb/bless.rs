//! `cargo xtask bless SUBJECT`: has a test write down what it found, instead of comparing it.

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
    /// docs/policy.md: the reference of the policy's fields.
    Policy,
    /// docs/policy.schema.json: the JSON Schema of the policy.
    Schema,
    /// What the documents show of the command line.
    Docs,
    /// docs/check.md: the kinds of suspicions.
    Check,
    /// docs/performance.md and its chart: what records of revocations take of a worker.
    Records,
}

impl Subject {
    /// Its name for the test, and the test.
    fn test(self) -> (&'static str, &'static str) {
        match self {
            Subject::Fuel => ("fuel", "hosted::fuel::no_input_costs_more_instructions_than_the_table_says"),
            Subject::Records => (
                "records",
                "hosted::record_sizes::a_hundred_thousand_records_take_at_most_eight_mebibytes_of_a_worker_and_no_callback_is_long",
            ),
            Subject::Check => {
                ("check", "check::kinds::the_documentation_lists_the_kinds_that_the_help_names")
            }
            Subject::Policy => (
                "policy",
                "documentation::the_reference_in_the_documentation_is_what_the_table_of_fields_says",
            ),
            Subject::Schema => {
                ("schema", "schema::the_schema_in_the_documentation_is_the_one_that_the_command_prints")
            }
            Subject::Docs => (
                "docs",
                "documentation::console::what_the_documents_show_of_the_command_line_is_what_it_prints",
            ),
        }
    }
}

/// Rewrites the subject's document. What is measured is measured on the filter, which is built before.
pub fn bless(subject: Subject, report: &mut Report) -> Result<(), Error> {
    let (name, test) = subject.test();
    let mut command = workspace::cargo();
    command
        .args(["test", "--quiet"])
        .args(NATIVE)
        .args(["--test", "acceptance", "--", "--exact", test])
        .env("BEARWARD_BLESS", name);
    if matches!(subject, Subject::Schema | Subject::Docs | Subject::Check) {
        report.step("build the programs", |_| workspace::build_programs())?;
    }
    if matches!(subject, Subject::Fuel | Subject::Records) {
        report.step("build the filter", |report| build::build(&[Variant::Plain], report))?;
        command.env("BEARWARD_WASM", Variant::Plain.path()?);
    }
    report.step(&format!("write {name}"), |_| process::run(command))?;
    report.note("look at the difference before it is committed: git diff docs");
    Ok(())
}
