//! `bearward check`: all that is wrong or suspicious with a policy and with what carries it.

mod capabilities;
mod carrier;
mod chain;
mod clusters;
mod kind;
mod numbers;
mod remark;
mod report;
mod routes;

use std::borrow::Cow;
use std::path::PathBuf;
use std::process::ExitCode;

use bearward_core::Policy as Compiled;
use bearward_core::policy::Secrets;
use clap::Args;
use serde_json::Value;

use self::kind::Kind;
use self::remark::{Field, Remark};
pub(crate) use self::report::Findings;
use crate::document::{self, Document};
use crate::field::At;
use crate::output;
use crate::plugin::{self, Plugin, Policy};

/// Check an Envoy configuration with the filter in it, or a bare policy.
///
/// Finds every Bearward plugin in the file, compiles its policy as the filter does, and looks at what surrounds it: the
/// failure policy, the vm_id, the list of allowed capabilities, the filters and routes behind it, the clusters that its
/// keys come from. Everything is reported at once, each with its line. What keeps the policy from loading, or the gate
/// from being closed, is an error; what may be meant, but weakens the gate, is a warning, with a name for `--allow`.
///
/// No secret of the file is shown.
///
/// Exits with 0 where nothing is wrong, with 1 where something is (with --strict also where something is suspicious),
/// with 2 where the file cannot be read or holds neither.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file, in YAML or JSON.
    file: PathBuf,
    /// Print a JSON object: {"plugins": N, "problems": [{"plugin", "path", "line", "column", "text"}], "suspicions":
    /// [{"kind", "plugin", "path", "line", "column", "text"}]}.
    ///
    /// `plugin` is the path of the plugin in the file, empty for a bare policy, and null for what is around all plugins.
    /// `path` is that of the field: within the policy as the filter's log says it, for other fields from the top of the
    /// file. Lines and columns count from 1.
    #[arg(long)]
    json: bool,
    /// Exit with 1 also where something is suspicious.
    #[arg(long)]
    strict: bool,
    /// Leave out a kind of suspicion that is known and meant. May be given several times.
    #[arg(long, value_name = "KIND")]
    allow: Vec<Kind>,
}

const EXAMPLES: &str = "\
Examples:
  bearward check envoy.yaml
  bearward check policy.json --json

  In CI: nothing wrong, and nothing suspicious but what is known.
  bearward check envoy.yaml --strict --allow observe --allow jwt_type

  One line for each problem:
  bearward check policy.yaml --json | jq -r '.problems[] | \"\\(.line): \\(.text)\"'";

/// The stand-in for a secret that only the proxy's environment holds: fit, and never used.
const UNKNOWN_SECRET: &[u8] = b"stand-in-for-a-secret-that-only-the-proxy-knows-and-as-long-as-any-hash";

/// The largest file that is read, in bytes: an Envoy configuration holds more than a policy.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let file = arguments.file.as_path();
    let document = match document::open(file, MAX_FILE_BYTES) {
        Ok(document) => document,
        Err(document::Unreadable::File(problem)) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
        Err(document::Unreadable::Syntax(error)) => {
            return output::print(&report::syntax(&error, arguments.json), 1);
        }
    };
    let root = document.root();
    let (plugins, other_vm_ids) = plugin::find(&root);
    if plugins.is_empty() {
        eprintln!("{}: neither a policy nor an Envoy configuration with Bearward in it", file.display());
        return ExitCode::from(2);
    }
    let mut all: Vec<_> = plugins
        .iter()
        .map(|plugin| {
            Findings::locate(&document, Some(plugin), examine(&root, plugin, &plugins, &other_vm_ids))
        })
        .collect();
    let mut around = routes::unguarded(&root, &plugins);
    around.extend(clusters::open_admin(&root));
    all.push(Findings::locate(&document, None, around));
    report::once(&mut all);
    all.iter_mut().for_each(|findings| findings.allow(&arguments.allow));
    let is_good = |findings: &Findings<'_>| {
        findings.problems.is_empty() && (findings.suspicions.is_empty() || !arguments.strict)
    };
    let status = u8::from(!all.iter().all(is_good));
    let report = if arguments.json { report::json(&all) } else { report::text(&document, &all) };
    output::print(&report, status)
}

/// Every variable has a secret that is fit.
pub(crate) fn any_secret(_: &str) -> Option<Vec<u8>> {
    Some(UNKNOWN_SECRET.to_vec())
}

fn examine<'a>(
    root: &At<'a>,
    plugin: &Plugin<'a>,
    all: &[Plugin<'a>],
    other_vm_ids: &[&str],
) -> Vec<Remark<'a>> {
    let (compiled, mut remarks) = match compile_chosen(plugin, &any_secret) {
        Ok(compiled) => (Some(compiled), Vec::new()),
        Err(problems) => (None, problems),
    };
    if let Some(around) = &plugin.surroundings {
        remarks.extend(carrier::remarks(&around.config, other_vm_ids));
        if let Some(policy) = plugin.policy.as_ref().ok().and_then(value_of) {
            remarks.extend(carrier::of_secrets(&around.config, &policy));
        }
        if let Ok(Policy::Inline(at)) = &plugin.policy {
            remarks.extend(numbers::handed_over_as_text(at.value));
        }
        if let Some(chain) = &around.chain {
            remarks.extend(chain::remarks(root, chain, &around.config, all));
            remarks.extend(routes::remarks(&chain.manager, compiled.as_ref()));
        }
        remarks.extend(compiled.iter().flat_map(|policy| clusters::of_keys(root, policy)));
    }
    let suspicions = compiled.iter().flat_map(Compiled::suspicions);
    remarks.extend(suspicions.map(|found| Remark {
        kind: Some(found.kind.into()),
        field: Field::Policy(found.path),
        text: found.text,
    }));
    remarks
}

/// The document of a policy; `None` where its text is no JSON, which is reported elsewhere.
fn value_of<'a>(policy: &Policy<'a>) -> Option<Cow<'a, Value>> {
    match policy {
        Policy::Inline(at) => Some(Cow::Borrowed(at.value)),
        Policy::Text(_, text) => bearward_core::json::parse(text.as_bytes()).ok().map(Cow::Owned),
    }
}

/// The policy of one plugin.
///
/// # Errors
/// All that is wrong with it.
fn compile_chosen<'a>(plugin: &Plugin<'a>, secrets: &Secrets<'_>) -> Result<Compiled, Vec<Remark<'a>>> {
    let compiled = match &plugin.policy {
        Err(text) => return Err(vec![Remark::problem(plugin.path.member("configuration"), *text)]),
        Ok(Policy::Inline(at)) => Compiled::compile(at.value, secrets),
        Ok(Policy::Text(_, text)) => Compiled::parse(text.as_bytes(), secrets),
    };
    let remark = |found: &bearward_core::problem::Problem| Remark::of_policy(&found.path, &found.text);
    compiled.map_err(|problems| problems.iter().map(remark).collect())
}

/// The policy of one plugin, as [`compile_chosen`] makes it.
///
/// # Errors
/// All that is wrong with it, and where.
pub(crate) fn compile<'a>(
    document: &Document,
    plugin: &'a Plugin<'a>,
    secrets: &Secrets<'_>,
) -> Result<Compiled, Findings<'a>> {
    compile_chosen(plugin, secrets).map_err(|problems| Findings::locate(document, Some(plugin), problems))
}
