//! The one policy that a command is about, out of any file that `bearward check` reads.

use std::path::Path;
use std::process::ExitCode;

use bearward_core::Policy;
use bearward_core::policy::Secrets;
use serde_json::Value;

use crate::check::{self, MAX_FILE_BYTES};
use crate::document::{self, SyntaxError, Unreadable};
use crate::snippet::{self, Severity};
use crate::{plugin, terminal};

/// A policy, compiled and as it was written.
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) document: Value,
}

/// Loads the policy of a file; where it holds several, the one that `number` counts, from 1, in the order of the file.
///
/// # Errors
/// What the process ends with; why has been printed: 1 where the policy has problems, 2 where there is none to look at.
pub(crate) fn load(file: &Path, number: Option<usize>, secrets: &Secrets<'_>) -> Result<Loaded, ExitCode> {
    let usage = |text: String| {
        eprintln!("{text}");
        ExitCode::from(2)
    };
    let document = document::open(file, MAX_FILE_BYTES).map_err(|unreadable| match unreadable {
        Unreadable::File(text) => usage(text),
        Unreadable::Syntax(error) => {
            let SyntaxError { source, place, text } = *error;
            let columns = terminal::error_columns();
            anstream::eprintln!("{}", snippet::shown(&source, Severity::Error, &text, &place, columns));
            ExitCode::from(1)
        }
    })?;
    let root = document.root();
    let (plugins, _) = plugin::find(&root);
    let shown = file.display();
    let chosen = match (plugins.as_slice(), number) {
        ([], _) => {
            return Err(usage(format!(
                "{shown}: neither a policy nor an Envoy configuration with Bearward in it"
            )));
        }
        ([only], None) => only,
        (all, None) => {
            let places: Vec<_> = all
                .iter()
                .enumerate()
                .map(|(index, plugin)| format!("  {}: {}", index + 1, plugin.path))
                .collect();
            return Err(usage(format!(
                "{shown}: holds several policies; say which by --plugin NUMBER:\n{}",
                places.join("\n")
            )));
        }
        (all, Some(number)) => number.checked_sub(1).and_then(|index| all.get(index)).ok_or_else(|| {
            usage(format!("{shown}: there is no policy {number}: --plugin counts from 1 to {}", all.len()))
        })?,
    };
    let policy = check::compile(&document, chosen, secrets).map_err(|found| {
        let columns = terminal::error_columns();
        found
            .problems
            .iter()
            .for_each(|problem| anstream::eprintln!("{}\n", problem.shown(&document, columns)));
        eprintln!("{shown}: the policy does not load");
        ExitCode::from(1)
    })?;
    let document = match &chosen.policy {
        Ok(plugin::Policy::Inline(at)) => at.value.clone(),
        Ok(plugin::Policy::Text(_, text)) => serde_json::from_str(text).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    Ok(Loaded { policy, document })
}
