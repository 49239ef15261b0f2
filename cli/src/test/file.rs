//! The format of a test file: docs/policy-tests.md.

use std::path::PathBuf;

use bearward_core::Rejection;
use serde_json::{Map, Value};

use super::reader::{Problem, Reader};
use crate::clock;
use crate::document::Document;
use crate::field::{At, Path};
use crate::policy_file::Loaded;

/// The most cases of a file.
const MAX_CASES: usize = 10_000;
/// The host of a request that names none.
const HOST: &str = "bearward.test";

const FILE: [&str; 5] = ["config", "plugin", "at", "jwks", "cases"];
const CASE: [&str; 7] = ["name", "request", "host", "headers", "token", "at", "expect"];
const FORGED: [&str; 4] = ["issuer", "claims", "header", "signed_by"];
const TOKEN: [&str; 6] = ["issuer", "claims", "header", "signed_by", "raw", "file"];
const EXPECT: [&str; 5] = ["decision", "reason", "status", "rule", "headers"];
const DECISIONS: [(&str, bool); 2] = [("forward", true), ("reject", false)];
const SIGNERS: [(&str, Signer); 2] = [("issuer", Signer::Issuer), ("stranger", Signer::Stranger)];

/// What is tested, and how.
pub(super) struct File<'d> {
    /// Relative to the file.
    pub(super) config: PathBuf,
    pub(super) plugin: Option<usize>,
    pub(super) at: Option<u64>,
    /// Real keys: the issuer's name, and the file with them.
    pub(super) jwks: Vec<(&'d str, PathBuf)>,
    pub(super) cases: Vec<Case<'d>>,
    /// Names of issuers, and where they stand.
    named_issuers: Vec<At<'d>>,
    /// Names of rules, and where they stand.
    named_rules: Vec<At<'d>>,
}

/// A request, and what must be decided about it.
pub(super) struct Case<'d> {
    pub(super) path: Path<'d>,
    pub(super) name: &'d str,
    pub(super) method: &'d str,
    pub(super) target: &'d str,
    pub(super) host: &'d str,
    pub(super) headers: Vec<(String, &'d str)>,
    pub(super) token: Option<Token<'d>>,
    pub(super) at: Option<u64>,
    pub(super) expect: Expect<'d>,
}

pub(super) enum Token<'d> {
    Forged(Forged<'d>),
    /// As it stands.
    Raw(&'d str),
    /// Out of a file, relative to the test file.
    Read(PathBuf),
}

/// A token that is made for a case.
#[derive(Default)]
pub(super) struct Forged<'d> {
    pub(super) issuer: Option<&'d str>,
    pub(super) claims: Option<&'d Map<String, Value>>,
    pub(super) header: Option<&'d Map<String, Value>>,
    pub(super) signer: Signer,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Signer {
    #[default]
    Issuer,
    /// A key that is nobody's, under the name of the issuer's.
    Stranger,
}

/// What must be so; what is `None` may be anything.
pub(super) struct Expect<'d> {
    pub(super) forward: bool,
    /// `Some(None)`: none.
    pub(super) reason: Option<Option<Rejection>>,
    pub(super) status: Option<u16>,
    pub(super) rule: Option<Option<&'d str>>,
    /// What the upstream sees; `None`: no such header.
    pub(super) headers: Vec<(&'d str, Option<&'d str>)>,
}

/// Reads a test file.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(document: &Document) -> Result<File<'_>, Vec<Problem<'_>>> {
    let reader = Reader::default();
    let file = read_file(&reader, &document.root());
    match (file, reader.finish()) {
        (Some(file), problems) if problems.is_empty() => Ok(file),
        (_, problems) => Err(problems),
    }
}

/// What names something that the policy does not have.
pub(super) fn contradictions<'d>(file: &File<'d>, loaded: &Loaded) -> Vec<Problem<'d>> {
    let reader = Reader::default();
    let issuers: Vec<_> = loaded.policy.issuers().map(|(_, trusted)| trusted.name.as_str()).collect();
    for at in &file.named_issuers {
        if !at.value.as_str().is_some_and(|name| issuers.contains(&name)) {
            reader.problem(at, format!("the policy has no such issuer, but {}", issuers.join(", ")));
        }
    }
    let rules: Vec<_> = super::report::rules(loaded);
    for at in &file.named_rules {
        if !at.value.as_str().is_some_and(|name| rules.iter().any(|rule| rule == name) || is_preflight(name))
        {
            reader.problem(at, format!("the policy has no such rule, but {}", rules.join(", ")));
        }
    }
    reader.finish()
}

/// The rule by which a preflight is let through has a name of its own.
fn is_preflight(name: &str) -> bool {
    name.ends_with("/cors_preflight")
}

fn read_file<'d>(reader: &Reader<'d>, root: &At<'d>) -> Option<File<'d>> {
    reader.object(root, &FILE)?;
    let config = reader.needed(root, "config", "the policy or Envoy configuration that is tested");
    let config = config.and_then(|at| reader.text(&at));
    let plugin = reader.field(root, "plugin").and_then(|at| reader.whole(&at, 1, 1000));
    let at = reader.field(root, "at").and_then(|at| time(reader, &at));
    let mut named_issuers = Vec::new();
    let mut jwks = Vec::new();
    if let Some(at) = reader.field(root, "jwks") {
        if !at.value.is_object() {
            reader.problem(&at, "must be an object: the name of an issuer, and a file with its JWK Set");
        }
        for (name, value) in at.value.as_object().into_iter().flatten() {
            let file = At { value, path: at.path.member(name) };
            jwks.extend(reader.text(&file).map(|file| (name.as_str(), PathBuf::from(file))));
        }
    }
    let cases_at = reader.needed(root, "cases", "list at least one")?;
    let mut named_rules = Vec::new();
    let items: Vec<_> = cases_at.items().collect();
    if items.is_empty() || items.len() > MAX_CASES {
        reader.problem(&cases_at, format!("must be a list of 1 to {MAX_CASES} cases"));
    }
    let mut cases: Vec<Case<'d>> = Vec::new();
    for item in items.iter().take(MAX_CASES) {
        let Some(case) = read_case(reader, item, &mut named_issuers, &mut named_rules) else { continue };
        if cases.iter().any(|other| other.name == case.name) {
            reader.problem(item, format!("two cases are called `{}`", case.name));
        }
        cases.push(case);
    }
    let config = PathBuf::from(config?);
    let plugin = plugin.and_then(|number| usize::try_from(number).ok());
    Some(File { config, plugin, at, jwks, cases, named_issuers, named_rules })
}

fn read_case<'d>(
    reader: &Reader<'d>,
    at: &At<'d>,
    named_issuers: &mut Vec<At<'d>>,
    named_rules: &mut Vec<At<'d>>,
) -> Option<Case<'d>> {
    reader.object(at, &CASE)?;
    let name =
        reader.needed(at, "name", "say what must be so, in a sentence").and_then(|at| reader.text(&at));
    let request = reader.needed(at, "request", "write method and request target, as in GET /api/orders");
    let request = request.and_then(|at| {
        let parts = reader.text(&at)?.split_once(' ');
        if parts.is_none() {
            reader.problem(&at, "must be method and request target, as in GET /api/orders");
        }
        parts
    });
    let host = reader.field(at, "host").map_or(Some(HOST), |at| reader.text(&at));
    let headers = reader.field(at, "headers").map(|at| read_headers(reader, &at)).unwrap_or_default();
    let token = reader.field(at, "token").map(|at| read_token(reader, &at, named_issuers));
    let time = reader.field(at, "at").and_then(|at| time(reader, &at));
    let expect = reader.needed(at, "expect", "say at least `decision`");
    let expect = expect.and_then(|at| read_expect(reader, &at, named_rules));
    let (method, target) = request?;
    let path = at.path.clone();
    Some(Case {
        path,
        name: name?,
        method,
        target,
        host: host?,
        headers,
        token: token.flatten(),
        at: time,
        expect: expect?,
    })
}

/// An object, or a list of pairs where one comes twice.
fn read_headers<'d>(reader: &Reader<'d>, at: &At<'d>) -> Vec<(String, &'d str)> {
    let shape = "must be an object of texts, or a list of [name, value]";
    let mut headers = Vec::new();
    match at.value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(value) => headers.push((name.to_ascii_lowercase(), value)),
                    None => reader.problem(&At { value, path: at.path.member(name) }, shape),
                }
            }
        }
        Value::Array(_) => {
            for item in at.items() {
                match item.value.as_array().map(Vec::as_slice) {
                    Some([Value::String(name), Value::String(value)]) => {
                        headers.push((name.to_ascii_lowercase(), value.as_str()));
                    }
                    _ => reader.problem(&item, shape),
                }
            }
        }
        _ => reader.problem(at, shape),
    }
    headers
}

fn read_token<'d>(reader: &Reader<'d>, at: &At<'d>, named_issuers: &mut Vec<At<'d>>) -> Option<Token<'d>> {
    let members = reader.object(at, &TOKEN)?;
    let raw = reader.field(at, "raw");
    let file = reader.field(at, "file");
    let is_forged = FORGED.iter().any(|name| members.contains_key(*name));
    if usize::from(raw.is_some()) + usize::from(file.is_some()) + usize::from(is_forged) > 1 {
        reader.problem(at, "is either given whole, by `raw` or `file`, or made, of the other fields");
    }
    if let Some(raw) = raw {
        return reader.text(&raw).map(Token::Raw);
    }
    if let Some(file) = file {
        return reader.text(&file).map(|file| Token::Read(PathBuf::from(file)));
    }
    let issuer = reader.field(at, "issuer");
    let object = |name| {
        let at = reader.field(at, name)?;
        let members = at.value.as_object();
        if members.is_none() {
            reader.problem(&at, "must be an object");
        }
        members
    };
    let signer = reader.field(at, "signed_by").map_or(Some(Signer::Issuer), |at| reader.word(&at, &SIGNERS));
    let forged = Forged {
        issuer: issuer.as_ref().and_then(|at| reader.text(at)),
        claims: object("claims"),
        header: object("header"),
        signer: signer?,
    };
    named_issuers.extend(issuer);
    Some(Token::Forged(forged))
}

fn read_expect<'d>(reader: &Reader<'d>, at: &At<'d>, named_rules: &mut Vec<At<'d>>) -> Option<Expect<'d>> {
    reader.object(at, &EXPECT)?;
    let decision = reader.needed(at, "decision", "write forward or reject");
    let decision = decision.and_then(|at| reader.word(&at, &DECISIONS));
    let reasons: Vec<_> =
        Rejection::ALL.iter().map(|rejection| (rejection.row().reason, *rejection)).collect();
    let reason = reader
        .field(at, "reason")
        .map(|at| if at.value.is_null() { Some(None) } else { reader.word(&at, &reasons).map(Some) });
    let status = reader.field(at, "status").and_then(|at| reader.whole(&at, 400, 599));
    let rule = reader.field(at, "rule").map(|at| {
        if at.value.is_null() {
            return Some(None);
        }
        let rule = reader.text(&at);
        named_rules.push(at);
        rule.map(Some)
    });
    let mut headers = Vec::new();
    if let Some(at) = reader.field(at, "headers") {
        if !at.value.is_object() {
            reader.problem(&at, "must be an object: names of headers, and texts, or null for none");
        }
        for (name, value) in at.value.as_object().into_iter().flatten() {
            match value {
                Value::Null => headers.push((name.as_str(), None)),
                Value::String(value) => headers.push((name.as_str(), Some(value.as_str()))),
                _ => reader.problem(
                    &At { value, path: at.path.member(name) },
                    "must be a text, or null for no such header",
                ),
            }
        }
    }
    let forward = decision?;
    if forward && status.is_some() {
        reader.problem(at, "`status` goes with a refusal: what the upstream answers is its own affair");
    }
    if !forward && !headers.is_empty() {
        reader.problem(
            at,
            "`headers` are what the upstream sees, and a request that is refused does not come there",
        );
    }
    let status = status.and_then(|status| u16::try_from(status).ok());
    Some(Expect { forward, reason: reason.flatten(), status, rule: rule.flatten(), headers })
}

/// RFC 3339, or seconds since the epoch.
fn time<'d>(reader: &Reader<'d>, at: &At<'d>) -> Option<u64> {
    let time = match at.value {
        Value::Number(number) => number.as_u64().ok_or_else(|| "must not be before 1970".to_owned()),
        Value::String(text) => clock::parse(text),
        _ => Err("write it as 2026-11-26T09:00:00Z, or in seconds since the epoch".to_owned()),
    };
    time.map_err(|text| reader.problem(at, text)).ok()
}
