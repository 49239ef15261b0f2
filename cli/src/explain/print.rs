//! An explanation, for people and for programs.

use std::fmt::Write as _;

use bearward_core::explain::{Explained, Explanation, quoted};
use bearward_core::{Decision, Edit, Policy};
use serde_json::{Map, Value, json};

use super::advice::Advice;
use super::request::Asked;
use crate::clock;
use crate::terminal::{BAD, FAINT, GOOD, HEADING, SUSPICIOUS, styled, wrapped};

/// The widest name of a step.
const NAME_COLUMNS: usize = 11;

/// `{"decision", "reason", "status", "rule", "headers", "steps"}`. `reason` and `status` are null where nothing speaks
/// against the request; `headers` are those that the upstream is told.
pub(super) fn json(explanation: &Explanation<'_>, policy: &Policy) -> Value {
    let verdict = &explanation.verdict;
    let (decision, status) = match &verdict.decision {
        Decision::Forward(_) => ("forward", None),
        Decision::Reject(rejection) => ("reject", Some(rejection.row().status)),
    };
    let step = |explained: &Explained| {
        let notes: Vec<_> = explained.notes.iter().map(|note| note.text.as_str()).collect();
        json!({ "step": explained.step.name(), "ok": explained.ok, "detail": notes.join("; ") })
    };
    json!({
        "decision": decision,
        "reason": verdict.rejection().map(|rejection| rejection.row().reason),
        "status": status,
        "rule": verdict.rule.map(|(policy, rule)| format!("{policy}/{rule}")),
        "headers": told(explanation, policy),
        "steps": explanation.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

/// What the upstream is told of the caller. No other header is shown: it may hold what nobody should read.
fn told(explanation: &Explanation<'_>, policy: &Policy) -> Map<String, Value> {
    let Decision::Forward(edits) = &explanation.verdict.decision else { return Map::new() };
    let own = edits
        .iter()
        .filter_map(Edit::as_set)
        .filter(|(name, _)| policy.forwarding().removes(name.as_bytes()));
    own.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into())).collect()
}

/// The steps, one note a line.
pub(crate) fn steps(explanation: &Explanation<'_>) -> String {
    let mut text = String::new();
    for explained in &explanation.steps {
        let (mark, style) = if explained.ok { ("ok", GOOD) } else { ("no", BAD) };
        let mut first = format!(" {} {:NAME_COLUMNS$}  ", styled(style, mark), explained.step.name());
        let blank = " ".repeat(mark.len() + NAME_COLUMNS + 4);
        for note in &explained.notes {
            // What passed a step is beside the point where something did not.
            let shown = wrapped(&blank, &note.text);
            let shown = shown.strip_prefix(&blank).unwrap_or(&shown);
            let shown = if note.ok { shown.to_owned() } else { styled(BAD, shown) };
            let _ = writeln!(text, "{first}{shown}");
            first.clone_from(&blank);
        }
    }
    text
}

pub(super) fn text(
    explanation: &Explanation<'_>,
    policy: &Policy,
    asked: &Asked,
    now: u64,
    hints: &[String],
) -> String {
    let mut text = String::new();
    let verdict = &explanation.verdict;
    // The query may hold anything.
    let target = asked.pseudo(":path").split(|byte| *byte == b'?').next().unwrap_or_default();
    let line = format!("{} {}", plain(asked.pseudo(":method")), plain(target));
    let host = plain(asked.pseudo(":authority"));
    let _ = writeln!(
        text,
        "{} {}",
        styled(HEADING, &line),
        styled(FAINT, &format!("at {host}, {}", clock::shown(now)))
    );
    text.push_str(&steps(explanation));
    let by = verdict.rule.map_or_else(String::new, |(policy, rule)| format!(" by {policy}/{rule}"));
    let headline = match (&verdict.decision, verdict.rejection()) {
        (Decision::Forward(_), None) => styled(GOOD, &format!("forward{by}")),
        (Decision::Forward(_), Some(rejection)) => styled(
            SUSPICIOUS,
            &format!(
                "forward{by}, only observed: it would be {} {}",
                rejection.row().status,
                rejection.row().reason
            ),
        ),
        (Decision::Reject(rejection), _) => {
            styled(BAD, &format!("reject {} {}{by}", rejection.row().status, rejection.row().reason))
        }
    };
    let _ = writeln!(text, "{headline}");
    for (name, value) in told(explanation, policy) {
        let _ = writeln!(text, "  {name}: {}", value.as_str().unwrap_or_default());
    }
    if let Decision::Forward(edits) = &verdict.decision {
        for edit in edits.iter() {
            match edit {
                Edit::Remove { name } => {
                    let _ = writeln!(text, "  without {}", quoted(name));
                }
                Edit::Set { name, .. } => {
                    let _ = writeln!(text, "  with another {}", quoted(name.as_bytes()));
                }
                Edit::Tell { .. } => {}
            }
        }
    }
    if let Some(rejection) = verdict.rejection() {
        let advice = Advice::of(rejection);
        let _ = writeln!(text, "{}", wrapped("  client:   ", advice.client));
        let _ = writeln!(text, "{}", wrapped("  operator: ", advice.operator));
        for hint in hints {
            let _ = writeln!(text, "{}", wrapped("  here:     ", hint));
        }
    }
    text
}

/// Without the backquotes.
fn plain(bytes: &[u8]) -> String {
    quoted(bytes).trim_matches('`').to_owned()
}
