//! `bearward test`: cases, and what a policy must decide about them.

mod case;
mod file;
mod keys;
mod reader;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use bearward_core::Policy;
use clap::Args;
use serde_json::Value;

use self::keys::Keys;
use crate::document::{self, Document, Unreadable};
use crate::failure::Failure;
use crate::policy_file::{self, Loaded};
use crate::snippet::{self, Severity};
use crate::{bundle, output, terminal};

/// The largest test file, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Test a policy: requests and tokens, and what must be decided about them.
///
/// The file names a policy and lists cases; docs/policy-tests.md describes every field. Tokens are made for each case, signed
/// with keys that are thrown away and take the place of the issuers' own. Each case is decided by the core that is in the
/// filter, offline. A case that fails shows what was expected and what was found, and the way to it.
///
/// At the end stand the rules that no case reaches; --strict makes them a failure.
///
/// Exits with 0 where every case holds, with 1 where one does not or the policy does not load, with 2 where the file is wrong.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file with the cases, in YAML or JSON.
    file: PathBuf,
    /// Fail where a rule is reached by no case.
    #[arg(long)]
    strict: bool,
    /// Print one JSON object: {"passed", "failed", "cases": [{"name", "ok", "expected", "found"}], "unreached"}.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  policy-tests.yaml:
    config: envoy.yaml
    cases:
      - name: a customer may not delete from the menu
        request: DELETE /api/menu/1
        token: { claims: { sub: u1, roles: [customer] } }
        expect: { decision: reject, reason: role_missing, rule: restaurant/menu-edit }
      - name: an expired token is refused
        request: GET /api/orders
        token: { claims: { exp: now-60 } }
        expect: { decision: reject, reason: token_expired }

  bearward test policy-tests.yaml
  bearward test policy-tests.yaml --strict --json";

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    test(arguments).unwrap_or_else(Failure::end)
}

fn test(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let document = open(arguments)?;
    let file = file::read(&document).map_err(|problems| in_file(&document, &problems))?;
    let keys = Keys::default();
    let folder = arguments.file.parent().unwrap_or(std::path::Path::new(""));
    let loaded = load(&file, &folder.join(&file.config), &keys)?;
    let problems = file::contradictions(&file, &loaded);
    if !problems.is_empty() {
        return Err(in_file(&document, &problems));
    }
    let ring = keys.ring(&file, &loaded, folder)?;
    let outcomes: Vec<_> = file
        .cases
        .iter()
        .map(|case| case::run(case, &file, &loaded, &keys, &ring, folder))
        .collect::<Result<_, _>>()?;
    let unreached = report::unreached(&loaded, &outcomes);
    let all_hold = outcomes.iter().all(case::Outcome::holds);
    let report = if arguments.json {
        report::json(&outcomes, &unreached)
    } else {
        report::text(&document, &outcomes, &unreached)
    };
    Ok(output::print(&report, u8::from(!all_hold || (arguments.strict && !unreached.is_empty()))))
}

fn open(arguments: &Arguments) -> Result<Document, Failure> {
    document::open(&arguments.file, MAX_FILE_BYTES).map_err(|unreadable| match unreadable {
        Unreadable::File(text) => Failure::Usage(text),
        Unreadable::Syntax(error) => {
            let columns = terminal::error_columns();
            let shown = snippet::shown(&error.source, Severity::Error, &error.text, &error.place, columns);
            anstream::eprintln!("{shown}");
            Failure::Ends(ExitCode::from(2))
        }
    })
}

/// All that is wrong with the test file, each where it stands.
fn in_file(document: &Document, problems: &[reader::Problem<'_>]) -> Failure {
    let columns = terminal::error_columns();
    for problem in problems {
        let text = match problem.path.to_string().as_str() {
            "" => problem.text.clone(),
            path => format!("{path}: {}", problem.text),
        };
        let shown =
            snippet::shown(&document.source, Severity::Error, &text, &document.place(&problem.path), columns);
        anstream::eprintln!("{shown}\n");
    }
    Failure::Ends(ExitCode::from(2))
}

fn load(file: &file::File<'_>, config: &std::path::Path, keys: &Keys) -> Result<Loaded, Failure> {
    let secrets = |name: &str| keys.secret(name);
    if !config.is_dir() {
        return policy_file::load(config, file.plugin, &secrets).map_err(Failure::Ends);
    }
    let document: Value = bundle::joined(config).map_err(Failure::Ends)?;
    let policy = Policy::parse(document.to_string().as_bytes(), &secrets);
    let policy = policy.map_err(|problems| Failure::Usage(format!("{}: {problems}", config.display())))?;
    Ok(Loaded { policy, document })
}
