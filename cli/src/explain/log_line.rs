//! A line of the access log, in words.
//!
//! The format is that of `envoy.yaml`: `[time] METHOD path protocol status details N ms request-id` and the filter's four
//! words. A test holds the two together.

use std::fmt::Write as _;

use bearward_core::decide::Means;
use bearward_core::explain::quoted;
use bearward_core::revocations::FeedRing;
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{KeyRing, Policy, Rejection};
use serde_json::{Value, json};

use super::advice::Advice;
use super::{print, request};
use crate::terminal::{BAD, FAINT, GOOD, HEADING, SUSPICIOUS, styled, wrapped};

/// The longest line that is read, in bytes: a path, and what is around it.
const MAX_LINE_BYTES: usize = 16 * 1024;
/// What stands in a log in the place of nothing.
const NOTHING: &str = "-";
/// What the filter's response code details begin with.
const OURS: &str = "bearward.";

/// A line, taken apart.
pub(super) struct Line {
    time: String,
    method: String,
    path: String,
    status: String,
    details: String,
    verdict: Option<Words>,
}

/// The filter's four words; `None` stands for `-`.
struct Words {
    decision: Decision,
    reason: Option<Rejection>,
    rule: Option<String>,
    issuer: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Forward,
    Reject,
    Observe,
}

const DECISIONS: [(&str, Decision); 3] =
    [("forward", Decision::Forward), ("reject", Decision::Reject), ("observe", Decision::Observe)];

/// Reads one line; white space around it, and lines without any text, count for nothing.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Line, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next().ok_or("--log-line: holds no line")?;
    if lines.next().is_some() {
        return Err("--log-line: takes one line; choose it with `grep` and `head -1`".to_owned());
    }
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("--log-line: longer than {MAX_LINE_BYTES} bytes"));
    }
    // A collector may have put something before the line.
    let (_, line) = line.split_once('[').ok_or_else(not_ours)?;
    let (time, rest) = line.split_once(']').ok_or_else(not_ours)?;
    let words: Vec<_> = rest.split_whitespace().collect();
    let [method, path, _protocol, status, details, duration, _request_id, verdict @ ..] = words.as_slice()
    else {
        return Err(not_ours());
    };
    if status.parse::<u16>().is_err() || !duration.ends_with("ms") {
        return Err(not_ours());
    }
    let verdict = match verdict {
        [NOTHING] | [] => None,
        [decision, reason, rule, issuer] => {
            Some(Words::read(decision, reason, rule, issuer).ok_or_else(not_ours)?)
        }
        _ => return Err(not_ours()),
    };
    let owned = |text: &str| text.to_owned();
    Ok(Line {
        time: owned(time),
        method: owned(method),
        path: owned(path),
        status: owned(status),
        details: owned(details),
        verdict,
    })
}

fn not_ours() -> String {
    "--log-line: not a line as `envoy.yaml` writes it: [time] METHOD path protocol status details N ms request-id, then the \
     filter's four words, such as `reject role_missing restaurant/menu-edit bearward`"
        .to_owned()
}

impl Words {
    fn read(decision: &str, reason: &str, rule: &str, issuer: &str) -> Option<Self> {
        let some = |text: &str| (text != NOTHING).then(|| text.to_owned());
        Some(Self {
            decision: DECISIONS.iter().find(|(name, _)| *name == decision)?.1,
            reason: match reason {
                NOTHING => None,
                name => Some(*Rejection::ALL.iter().find(|rejection| rejection.row().reason == name)?),
            },
            rule: some(rule),
            issuer: some(issuer),
        })
    }
}

/// Says what happened and what to change.
///
/// # Errors
/// What cannot be asked of the policy.
pub(super) fn report(line: &Line, policy: &Policy, host: &str, as_json: bool) -> Result<String, String> {
    let told = Told::of(line, policy, host)?;
    Ok(if as_json { format!("{}\n", told.json(line)) } else { told.text(line) })
}

/// What is said of a line.
struct Told {
    decision: &'static str,
    happened: String,
    change: Vec<(&'static str, String)>,
    /// Which rule the policy at hand comes to for this method and path.
    rule_now: Option<String>,
    steps: String,
}

impl Told {
    fn of(line: &Line, policy: &Policy, host: &str) -> Result<Self, String> {
        let asked = request::read(&format!("{} {}", line.method, line.path), host, &[])?;
        let keys = KeyRing::of(policy);
        // The rule does not depend on the time.
        let means = Means {
            keys: &keys,
            host: &NoSignatureHost,
            known: None,
            feeds: &FeedRing::new(),
            now: 0,
            subsec_ms: 0,
        };
        let explanation = policy.explain(&asked.view(), means);
        let rule_now = explanation.verdict.rule.map(|(policy, rule)| format!("{policy}/{rule}"));
        let steps = print::steps(&explanation.until(bearward_core::decide::Step::Rule));
        let (decision, happened, mut change) = match &line.verdict {
            None => without_verdict(line),
            Some(words) => of_verdict(words, line),
        };
        let rule_then = line.verdict.as_ref().and_then(|words| words.rule.as_ref());
        if line.verdict.is_some() && rule_then != rule_now.as_ref() {
            let shown =
                |rule: Option<&String>| rule.map_or("no rule".to_owned(), |rule| quoted(rule.as_bytes()));
            change.push((
                "note",
                format!(
                    "the line says {}, and this policy comes to {} for this request: the proxy had another policy, or the \
                     client asked for another host (--host)",
                    shown(rule_then),
                    shown(rule_now.as_ref())
                ),
            ));
        }
        Ok(Self { decision, happened, change, rule_now, steps })
    }

    fn json(&self, line: &Line) -> Value {
        let words = line.verdict.as_ref();
        let change: serde_json::Map<_, _> =
            self.change.iter().map(|(who, what)| ((*who).to_owned(), what.clone().into())).collect();
        json!({
            "time": line.time, "method": line.method, "path": line.path,
            "decision": self.decision,
            "reason": words.and_then(|words| words.reason).map(|reason| reason.row().reason),
            "status": line.status.parse::<u16>().ok(),
            "rule": words.and_then(|words| words.rule.clone()),
            "issuer": words.and_then(|words| words.issuer.clone()),
            "happened": self.happened, "change": change, "rule_now": self.rule_now,
        })
    }

    fn text(&self, line: &Line) -> String {
        let mut text = String::new();
        let plain = |text: &str| quoted(text.as_bytes()).trim_matches('`').to_owned();
        let request = format!("{} {}", plain(&line.method), plain(&line.path));
        let _ = writeln!(
            text,
            "{} {}",
            styled(HEADING, &request),
            styled(FAINT, &format!("at {}", plain(&line.time)))
        );
        let style = match self.decision {
            "forward" => GOOD,
            "reject" => BAD,
            _ => SUSPICIOUS,
        };
        let mut headline = format!("{} {}", self.decision, plain(&line.status));
        if let Some(words) = &line.verdict {
            headline.extend(words.reason.map(|reason| format!(" {}", reason.row().reason)));
            headline.extend(words.rule.as_ref().map(|rule| format!(" by {}", plain(rule))));
            headline.extend(words.issuer.as_ref().map(|issuer| format!(", token of {}", plain(issuer))));
        }
        let _ = writeln!(text, "{}", styled(style, &headline));
        let _ = writeln!(text, "{}", wrapped("  ", &self.happened));
        for (who, what) in &self.change {
            let _ = writeln!(text, "{}", wrapped(&format!("  {:10}", format!("{who}:")), what));
        }
        let _ = writeln!(text, "By this policy the request comes here:");
        text.push_str(&self.steps);
        text
    }
}

type Parts = (&'static str, String, Vec<(&'static str, String)>);

fn of_verdict(words: &Words, line: &Line) -> Parts {
    let issuer = words
        .issuer
        .as_ref()
        .map(|issuer| format!(" The token said that it is of the issuer {}.", quoted(issuer.as_bytes())));
    let issuer = issuer.unwrap_or_default();
    let advice = words.reason.map(Advice::of);
    let change = advice.as_ref().map_or_else(Vec::new, |advice| {
        vec![("client", advice.client.to_owned()), ("operator", advice.operator.to_owned())]
    });
    let happened = advice.map(|advice| advice.happened).unwrap_or_default();
    match words.decision {
        Decision::Forward => {
            let status = quoted(line.status.as_bytes());
            (
                "forward",
                format!(
                    "The filter let the request through: {status} is the upstream's own answer, or Envoy's where it could not be reached ({}).{issuer}",
                    quoted(line.details.as_bytes())
                ),
                Vec::new(),
            )
        }
        Decision::Reject => ("reject", format!("{happened}{issuer}"), change),
        Decision::Observe => (
            "observe",
            format!(
                "The request went on, because its policy or rule only observes. Enforced, it would be refused: {happened}{issuer}"
            ),
            change,
        ),
    }
}

/// A line on which the filter has left nothing.
fn without_verdict(line: &Line) -> Parts {
    let ours = line
        .details
        .strip_prefix(OURS)
        .and_then(|reason| Rejection::ALL.iter().find(|rejection| rejection.row().reason == reason));
    if let Some(reason) = ours {
        let advice = Advice::of(*reason);
        let change = vec![("client", advice.client.to_owned()), ("operator", advice.operator.to_owned())];
        return ("reject", advice.happened.to_owned(), change);
    }
    let operator = "see Envoy's documentation of response code details, and its log at that time";
    (
        "none",
        format!(
            "The filter has left no verdict: Envoy answered by itself before it came to the filter, or the filter failed ({}).",
            quoted(line.details.as_bytes())
        ),
        vec![("operator", operator.to_owned())],
    )
}
