//! The whole document, and what must hold between its parts.

use serde_json::Value;

use super::fields::Document;
use super::read::Node;
use super::{Mode, Policy, Scope, Secrets, Settings, challenge, credentials, forward, issuers, paths, rules};
use crate::credentials::Source;
use crate::path::PathSettings;
use crate::problem::{Problems, Report};
use crate::reading::Foldings;

/// The version of the policy language that this filter reads.
pub(super) const VERSION: u64 = 1;

pub(super) const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("observe", Mode::Observe)];

pub(super) fn compile(document: &Value, secrets: &Secrets<'_>) -> Result<Policy, Problems> {
    let report = Report::default();
    let policy = read(&Node::root(document, &report), secrets);
    report.finish(policy)
}

fn read(root: &Node<'_>, secrets: &Secrets<'_>) -> Option<Policy> {
    let Document { version, issuers, policies, mode, credentials, challenge, paths, forward } =
        root.fields()?;
    let version = version.and_then(|version| version.whole_number(VERSION..=VERSION));
    let issuers = issuers.and_then(|node| issuers::read(&node, secrets));
    let defaults = SettingsFields { mode, credentials, challenge }.read(None);
    let paths = match paths {
        Some(node) => paths::read(&node),
        None => Some(PathSettings::default()),
    };
    let folded = paths.unwrap_or_default().folded;
    // Rules are read even where the issuers are wrong, so that both are reported.
    let scopes =
        policies.as_ref().and_then(|node| rules::read(node, issuers.as_deref(), defaults.as_ref(), folded));
    let forwarding = match forward {
        Some(node) => forward::read(&node, issuers.as_deref().unwrap_or_default()),
        None => Some(forward::Forwarding::default()),
    };
    if let (Some(node), Some(scopes)) = (&policies, &scopes) {
        refuse_ties(node, scopes);
        refuse_paths_of_others(node, scopes, folded);
    }
    version?;
    let (scopes, defaults) = (scopes?, defaults?);
    let mut policy = Policy {
        issuers: issuers?,
        sources: all_sources(&scopes, &defaults),
        scopes,
        forwarding: forwarding?,
        paths: paths?,
        defaults,
    };
    if policy.names_hosts() {
        policy.forwarding.remove_hosts();
    }
    refuse_removed_sources(root, &policy);
    Some(policy)
}

/// Each place once.
fn all_sources(scopes: &[Scope], defaults: &Settings) -> Vec<Source> {
    let mut all: Vec<Source> = Vec::new();
    let settings = scopes.iter().map(|scope| &scope.settings).chain([defaults]);
    for source in settings.flat_map(|settings| &settings.credentials) {
        if !all.contains(source) {
            all.push(source.clone());
        }
    }
    all
}

/// What the document sets for all of its policies, and each of them for itself.
pub(super) struct SettingsFields<'v> {
    pub(super) mode: Option<Node<'v>>,
    pub(super) credentials: Option<Node<'v>>,
    pub(super) challenge: Option<Node<'v>>,
}

impl SettingsFields<'_> {
    /// What is not set is as in `outer`.
    pub(super) fn read(self, outer: Option<&Settings>) -> Option<Settings> {
        let mode = self.mode.map(|node| mode(&node));
        let credentials = self.credentials.map(|node| credentials::read(&node));
        let outer_challenge = outer.map(|outer| outer.challenge.clone()).unwrap_or_default();
        let challenge = self.challenge.map(|node| challenge::read(&node, &outer_challenge));
        let outer_credentials =
            || outer.map_or_else(|| vec![Source::bearer()], |outer| outer.credentials.clone());
        Some(Settings {
            mode: mode.unwrap_or_else(|| Some(outer.map_or(Mode::Enforce, |outer| outer.mode)))?,
            credentials: credentials.unwrap_or_else(|| Some(outer_credentials()))?,
            challenge: challenge.unwrap_or(Some(outer_challenge))?,
        })
    }
}

pub(super) fn mode(node: &Node<'_>) -> Option<Mode> {
    node.word(&MODES)
}

/// A header that is removed from every request before anything else never holds a token.
fn refuse_removed_sources(root: &Node<'_>, policy: &Policy) {
    for source in &policy.sources {
        if let Source::Header { name, .. } = source
            && policy.forwarding.removes(name.as_bytes())
        {
            root.problem(format!("`{name}` is removed from what clients send, and cannot hold a token"));
        }
    }
}

/// A path below a longer prefix, for every host that its policy names, can never match: the other policy takes all of it.
fn refuse_paths_of_others(node: &Node<'_>, scopes: &[Scope], folded: Foldings) {
    let prefixes: Vec<_> = scopes.iter().map(|scope| (scope, scope.prefix.folded(folded))).collect();
    for scope in scopes {
        let others = prefixes.iter().filter(|(other, _)| other.prefix.depth() > scope.prefix.depth());
        let others: Vec<_> = others.collect();
        for rule in &scope.rules {
            for path in rule.paths.iter().map(|path| path.folded(folded)) {
                let is_taken = |host| {
                    others.iter().any(|(other, prefix)| path.lies_below(prefix) && other.hosts.contains(host))
                };
                if !others.is_empty() && scope.hosts.iter().all(is_taken) {
                    node.problem(format!(
                        "a path of the rule `{}/{}` can never match: a policy with a longer prefix takes all of it",
                        scope.name, rule.name
                    ));
                }
            }
        }
    }
}

/// One policy applies to a request: the one with the closest host, then the longest prefix. Two that tie are an error, also
/// if only for some server.
fn refuse_ties(node: &Node<'_>, scopes: &[Scope]) {
    for (index, scope) in scopes.iter().enumerate() {
        for earlier in scopes.iter().take(index) {
            if scope.prefix.may_be(&earlier.prefix)
                && earlier.hosts.iter().any(|host| scope.hosts.contains(host))
            {
                node.problem(format!(
                    "`{}` and `{}` name the same host and the same prefix, or one that some server takes for it: join them, or \
                     set them apart by host or prefix",
                    earlier.name, scope.name
                ));
            }
            if earlier.name == scope.name {
                node.problem(format!(
                    "two policies are called `{}`: their verdicts could not be told apart",
                    scope.name
                ));
            }
        }
    }
}
