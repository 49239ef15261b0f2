//! What came of the cases, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bearward_core::explain::quoted;
use serde_json::{Map, Value, json};

use super::case::Outcome;
use crate::document::Document;
use crate::explain;
use crate::policy_file::Loaded;
use crate::terminal::{BAD, FAINT, GOOD, HEADING, SUSPICIOUS, styled, wrapped};

/// Every rule, as verdicts name it, in the order of the document.
pub(super) fn rules(loaded: &Loaded) -> Vec<String> {
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let policies = list(&loaded.document, "policies");
    let rules = policies.iter().flat_map(|policy| {
        list(policy, "rules").into_iter().map(move |rule| format!("{}/{}", name(policy), name(&rule)))
    });
    rules.collect()
}

/// The rules that no case reaches.
pub(super) fn unreached(loaded: &Loaded, outcomes: &[Outcome<'_>]) -> Vec<String> {
    let reached: BTreeSet<_> = outcomes.iter().filter_map(Outcome::rule).collect();
    rules(loaded).into_iter().filter(|rule| !reached.contains(rule)).collect()
}

pub(super) fn json(outcomes: &[Outcome<'_>], unreached: &[String]) -> String {
    let case = |outcome: &Outcome<'_>| {
        let side = |of: fn(&super::case::Compared) -> &String| {
            let members =
                outcome.compared.iter().map(|compared| (compared.what.clone(), of(compared).clone().into()));
            members.collect::<Map<String, Value>>()
        };
        json!({
            "name": outcome.case.name, "ok": outcome.holds(),
            "expected": side(|compared| &compared.expected), "found": side(|compared| &compared.found),
        })
    };
    let (passed, failed) = counts(outcomes);
    let cases: Vec<_> = outcomes.iter().map(case).collect();
    format!("{}\n", json!({ "passed": passed, "failed": failed, "cases": cases, "unreached": unreached }))
}

pub(super) fn text(document: &Document, outcomes: &[Outcome<'_>], unreached: &[String]) -> String {
    let mut text = String::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.holds()) {
        failure(document, outcome, &mut text);
    }
    for rule in unreached {
        let first = format!("{} ", styled(SUSPICIOUS, "unreached:"));
        let _ = writeln!(text, "{}", wrapped(&first, &format!("no case reaches the rule {}", plain(rule))));
    }
    let (passed, failed) = counts(outcomes);
    let style = if failed == 0 { GOOD } else { BAD };
    let _ = writeln!(text, "{}", styled(style, &format!("{passed} passed, {failed} failed")));
    text
}

fn failure(document: &Document, outcome: &Outcome<'_>, text: &mut String) {
    let case = outcome.case;
    let line = document.place(&case.path).line;
    let name = wrapped(&format!("{} ", styled(BAD, "failed:")), &styled(HEADING, &plain(case.name)));
    let _ = writeln!(text, "{name}");
    let place = format!("  {}:{line}", document.source.name);
    let _ = writeln!(text, "{}", styled(FAINT, &place));
    let _ = writeln!(text, "{}", wrapped("  ", &format!("{} {}", plain(case.method), plain(case.target))));
    for compared in &outcome.compared {
        let what = plain(&compared.what);
        let (expected, found) = (plain(&compared.expected), plain(&compared.found));
        if compared.expected == compared.found {
            let _ = writeln!(text, "    {what}: {found}");
        } else {
            let _ = writeln!(text, "  {}", styled(BAD, &format!("- {what}: {expected}")));
            let _ = writeln!(text, "  {}", styled(GOOD, &format!("+ {what}: {found}")));
        }
    }
    let _ = writeln!(text, "{}", explain::steps(&outcome.explanation));
}

fn counts(outcomes: &[Outcome<'_>]) -> (usize, usize) {
    let passed = outcomes.iter().filter(|outcome| outcome.holds()).count();
    (passed, outcomes.len() - passed)
}

/// As it can be shown, without backquotes.
fn plain(text: &str) -> String {
    quoted(text.as_bytes()).trim_matches('`').to_owned()
}
