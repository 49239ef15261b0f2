//! `bearward schema`: the JSON Schema of the policy, for editors.

mod made;
mod ordered;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::output;

/// Print the JSON Schema of the policy, for editors.
///
/// It is made of the table of fields that the filter reads its policy by, so neither knows a field that the other does
/// not. An editor that has it completes fields, shows what each means and marks what is misspelled, missing or of the
/// wrong kind while it is written. What no schema can know (an issuer that is not there, a rule that never matches)
/// `bearward check` says: nothing that the schema refuses would load, but not all that it takes does.
///
/// Exits with 0 where the schema is written, with 2 where it cannot be.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Write into this file, at once and as a whole, instead of to the standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  bearward schema --output policy.schema.json

  In editors with the YAML language server (VS Code, Neovim, Emacs, Helix and others) the first line of a policy
  says where its schema is:
    # yaml-language-server: $schema=policy.schema.json
    version: 1

  Or the settings of VS Code say for which files it is:
    \"yaml.schemas\": { \"policy.schema.json\": [\"policies/*.yaml\"] }
    \"json.schemas\": [{ \"url\": \"./policy.schema.json\", \"fileMatch\": [\"policy.json\"] }]

  A member `$schema` in the policy itself is an unknown field: the filter would not load it.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let text = made::schema().to_string() + "\n";
    match output::write(text.as_bytes(), arguments.output.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}
