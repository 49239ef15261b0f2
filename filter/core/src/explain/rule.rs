//! Which policy and rule a request comes to, and why not another.

use super::Note;
use super::words::{list, quoted};
use crate::decide::matching::{RequestLine, RuleMatch, ScopeMatch};
use crate::host_name::HostPattern;
use crate::path::CanonicalPath;
use crate::policy::{Access, Policy, Rule, Scope};
use crate::reading::{Foldings, Readings};

pub(super) fn of_scopes(
    policy: &Policy,
    scopes: &[ScopeMatch<'_>],
    line: &RequestLine<'_>,
    path: &CanonicalPath<'_>,
) -> Vec<Note> {
    let home = policy.paths.home();
    let closest = policy.scopes.iter().filter_map(|scope| scope.closeness(&line.host)).max();
    let own = scopes.iter().find(|found| found.readings.hold(home));
    let mut notes = Vec::new();
    for scope in &policy.scopes {
        let why = if own.is_some_and(|own| std::ptr::eq(own.scope, scope)) {
            continue;
        } else if scope.closeness(&line.host).is_none() {
            format!("is for the hosts {}, and this one is {}", hosts(scope), quoted(&line.host))
        } else if scope.closeness(&line.host) != closest {
            "gives way to one that names the host more closely".to_owned()
        } else if !scope.prefix.readings(path).hold(home) {
            format!("is for paths below {}", prefix(scope))
        } else {
            "gives way to one with a longer prefix".to_owned()
        };
        notes.push(Note::good(format!("policy {} {why}", quoted(scope.name.as_bytes()))));
    }
    match own {
        Some(own) => notes.push(Note::good(format!(
            "policy {} applies: hosts {}, paths below {}",
            quoted(own.scope.name.as_bytes()),
            hosts(own.scope),
            prefix(own.scope)
        ))),
        None => notes.push(Note::bad("no policy is for this host and path: what none names is refused")),
    }
    notes
}

pub(super) fn of_rules(
    policy: &Policy,
    matched: &[RuleMatch<'_>],
    scopes: &[ScopeMatch<'_>],
    line: &RequestLine<'_>,
    path: &CanonicalPath<'_>,
) -> Vec<Note> {
    let home = policy.paths.home();
    let Some(scope) = scopes.iter().find(|found| found.readings.hold(home)).map(|found| found.scope) else {
        return Vec::new();
    };
    let own = matched.iter().find(|found| found.readings.hold(home));
    let mut notes = Vec::new();
    for rule in scope.rules.iter().take_while(|rule| own.is_none_or(|own| !std::ptr::eq(own.rule, *rule))) {
        let why = why_not(rule, line, path, home);
        notes.push(Note::good(format!("rule {} does not match: {why}", quoted(rule.name.as_bytes()))));
    }
    let Some(own) = own else {
        notes.push(Note::bad(format!(
            "no rule of {} names {} of this path: what none names is refused",
            quoted(scope.name.as_bytes()),
            quoted(line.method)
        )));
        notes.extend(ambiguities(policy, None, matched));
        return notes;
    };
    let matches = |rule: &Rule| {
        let pattern = rule.paths.iter().find(|pattern| pattern.readings(path).hold(home));
        pattern.map(|pattern| quoted(pattern.to_string().as_bytes())).unwrap_or_default()
    };
    let name = quoted(own.rule.name.as_bytes());
    notes.push(Note::good(format!(
        "rule {name} matches by {}: {}",
        matches(own.rule),
        access(&own.rule.access)
    )));
    notes.extend(ambiguities(policy, Some(own), matched));
    notes
}

/// The readings of other servers that come to something stricter.
fn ambiguities(policy: &Policy, own: Option<&RuleMatch<'_>>, matched: &[RuleMatch<'_>]) -> Vec<Note> {
    let home = policy.paths.home();
    let read_so = |readings: Readings| readings.closest_to(home).map(|read| differences(home, read));
    let Some(own) = own else { return Vec::new() };
    let mut notes = Vec::new();
    for other in matched.iter().filter(|other| !own.is_as_strict_as(other)) {
        let how = read_so(other.readings).unwrap_or_default();
        notes.push(Note::bad(format!(
            "to a server that {how} it comes to rule {}, which may be stricter ({})",
            quoted(other.rule.name.as_bytes()),
            access(&other.rule.access)
        )));
    }
    let named = matched.iter().fold(Readings::NONE, |named, found| named.or(found.readings));
    let unnamed = policy.paths.possible().without(named);
    if let Some(how) = read_so(unnamed) {
        notes.push(Note::bad(format!("to a server that {how} it comes to no rule at all")));
    }
    notes
}

/// What a server does otherwise than the reading that decides.
fn differences(home: Foldings, other: Foldings) -> String {
    let words: Vec<_> = Foldings::WORDS
        .iter()
        .filter(|(folding, ..)| home.include(*folding) != other.include(*folding))
        .map(|(folding, does, does_not)| if other.include(*folding) { *does } else { *does_not })
        .collect();
    words.join(" and ")
}

fn why_not(rule: &Rule, line: &RequestLine<'_>, path: &CanonicalPath<'_>, home: Foldings) -> String {
    let has_path = rule.paths.iter().any(|pattern| pattern.readings(path).hold(home));
    let paths = rule.paths.iter().map(ToString::to_string);
    if has_path {
        let methods = rule.methods.iter().flatten();
        return format!("{} is not one of {}", quoted(line.method), list(methods));
    }
    let paths = list(paths);
    if rule.paths.len() == 1 {
        format!("the path is not {paths}")
    } else {
        format!("the path is none of {paths}")
    }
}

fn access(access: &Access) -> &'static str {
    match access {
        Access::Public => "everybody, no token is looked at",
        Access::Optional(_) => "everybody, but a token that is there must be good",
        Access::Authenticated(_, requirement) if requirement.is_empty() => "whoever has a valid token",
        Access::Authenticated(..) => "a valid token, and more is required",
    }
}

fn hosts(scope: &Scope) -> String {
    list(scope.hosts.iter().map(|host| match host {
        HostPattern::Any => "*".to_owned(),
        HostPattern::Below(suffix) => format!("*{suffix}"),
        HostPattern::Exactly(name) => name.clone(),
    }))
}

/// As the policy has it.
fn prefix(scope: &Scope) -> String {
    let pattern = scope.prefix.to_string();
    let prefix = pattern.strip_suffix("/**").unwrap_or(&pattern);
    quoted(if prefix.is_empty() { b"/" } else { prefix.as_bytes() })
}
