//! One case: its request decided, and what was expected held against that.

use std::path::Path;

use bearward_core::decide::Means;
use bearward_core::explain::Explanation;
use bearward_core::revocations::FeedRing;
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Edit, Edits, KeyRing, Policy, Request};

use super::file::{Case, File, Token};
use super::keys::Keys;
use crate::policy_file::Loaded;
use crate::{clock, input};

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// What came of a case.
pub(super) struct Outcome<'r> {
    pub(super) case: &'r Case<'r>,
    pub(super) explanation: Explanation<'r>,
    /// What was expected, each with what was found.
    pub(super) compared: Vec<Compared>,
}

/// One thing that was expected. `-` stands for nothing.
pub(super) struct Compared {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Outcome<'_> {
    pub(super) fn holds(&self) -> bool {
        self.compared.iter().all(|compared| compared.expected == compared.found)
    }

    /// The rule that decided.
    pub(super) fn rule(&self) -> Option<String> {
        self.explanation.verdict.rule.map(|(policy, rule)| format!("{policy}/{rule}"))
    }
}

/// Decides about the request of a case.
///
/// # Errors
/// Why its token cannot be had.
pub(super) fn run<'r>(
    case: &'r Case<'r>,
    file: &File<'_>,
    loaded: &'r Loaded,
    keys: &Keys,
    ring: &KeyRing,
    folder: &Path,
) -> Result<Outcome<'r>, String> {
    let policy = &loaded.policy;
    let now = case.at.or(file.at).unwrap_or_else(clock::now);
    // Nothing has ended early in a test of a policy.
    let feeds = FeedRing::quiet(policy, now);
    let means = Means { keys: ring, host: &NoSignatureHost, known: None, feeds: &feeds, now, subsec_ms: 0 };
    let mut headers: Headers =
        [(":method", case.method), (":path", case.target), (":authority", case.host)].map(owned).to_vec();
    headers.extend(case.headers.iter().map(|(name, value)| owned((name, value))));
    let token = match &case.token {
        None => None,
        Some(Token::Raw(token)) => Some((*token).as_bytes().to_vec()),
        Some(Token::Read(file)) => Some(input::read_token(&folder.join(file))?),
        Some(Token::Forged(forged)) => {
            let token = keys.token(forged, loaded, now);
            Some(token.map_err(|error| format!("case `{}`: {error}", case.name))?.into_bytes())
        }
    };
    if let Some(token) = token {
        headers = policy.with_token(&view(&headers), &token, means);
    }
    let explanation = policy.explain(&view(&headers), means);
    let compared = compare(case, &explanation, &headers, policy);
    Ok(Outcome { case, explanation, compared })
}

fn owned((name, value): (&str, &str)) -> (Vec<u8>, Vec<u8>) {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn view(headers: &Headers) -> Request<'_> {
    Request::new(headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect())
}

const NOTHING: &str = "-";

fn compare(case: &Case<'_>, explanation: &Explanation<'_>, sent: &Headers, policy: &Policy) -> Vec<Compared> {
    let verdict = &explanation.verdict;
    let expect = &case.expect;
    let mut compared = Vec::new();
    let mut is_so = |what: &str, expected: String, found: String| {
        compared.push(Compared { what: what.to_owned(), expected, found });
    };
    let word = |forward: bool| if forward { "forward" } else { "reject" }.to_owned();
    is_so("decision", word(expect.forward), word(matches!(verdict.decision, Decision::Forward(_))));
    let reason = verdict.rejection().map(|rejection| rejection.row().reason);
    // A refusal without a reason may have any; what is forwarded, one only where that is said.
    if expect.reason.is_some() || expect.forward {
        let expected = expect.reason.flatten().map_or(NOTHING, |rejection| rejection.row().reason);
        is_so("reason", expected.to_owned(), reason.unwrap_or(NOTHING).to_owned());
    }
    if let Some(status) = expect.status {
        let found = match verdict.decision {
            Decision::Reject(rejection) => rejection.row().status.to_string(),
            Decision::Forward(_) => NOTHING.to_owned(),
        };
        is_so("status", status.to_string(), found);
    }
    if let Some(rule) = expect.rule {
        let found = verdict.rule.map_or(NOTHING.to_owned(), |(policy, rule)| format!("{policy}/{rule}"));
        is_so("rule", rule.unwrap_or(NOTHING).to_owned(), found);
    }
    let seen = match &verdict.decision {
        Decision::Forward(edits) => forwarded(sent, edits, policy),
        Decision::Reject(_) => Headers::new(),
    };
    for (name, value) in &expect.headers {
        let lower = name.to_ascii_lowercase();
        let values: Vec<_> = seen
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(lower.as_bytes()))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        let found = if values.is_empty() { NOTHING.to_owned() } else { values.join(" | ") };
        is_so(name, value.unwrap_or(NOTHING).to_owned(), found);
    }
    compared
}

/// What the upstream sees of a request that goes on.
fn forwarded(sent: &Headers, edits: &Edits, policy: &Policy) -> Headers {
    let mut headers: Headers =
        sent.iter().filter(|(name, _)| !policy.forwarding().removes(name)).cloned().collect();
    for edit in edits.iter() {
        match edit {
            Edit::Remove { name } => headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name)),
            Edit::Set { name, value } => {
                headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name.as_bytes()));
                headers.push((name.as_bytes().to_vec(), value.to_vec()));
            }
            Edit::Tell { name, value } => headers.push((name.as_bytes().to_vec(), value.to_vec())),
        }
    }
    headers
}
