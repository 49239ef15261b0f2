//! The whole document, and what must hold between its parts.

use serde_json::Value;

use super::read::Node;
use super::{Policy, Scope, Secrets, forward, issuers, rules};
use crate::problem::{Problems, Report};

/// The version of the policy language that this filter reads.
const VERSION: u64 = 1;

pub(super) fn compile(document: &Value, secrets: &Secrets<'_>) -> Result<Policy, Problems> {
    let report = Report::default();
    let policy = read(&Node::root(document, &report), secrets);
    report.finish(policy)
}

fn read(root: &Node<'_>, secrets: &Secrets<'_>) -> Option<Policy> {
    let mut fields = root.object()?;
    let version = fields
        .required("version", "write `version: 1`")
        .and_then(|version| version.whole_number(VERSION..=VERSION));
    let issuers_node = fields.required("issuers", "name at least one issuer whose tokens are trusted");
    let issuers = issuers_node.as_ref().and_then(|node| issuers::read(node, secrets));
    let policies_node = fields.required("policies", "without a policy every request is refused");
    // Rules are read even where the issuers are wrong, so that both are reported.
    let known = issuers.as_deref().unwrap_or_default();
    let scopes = policies_node.as_ref().and_then(|node| rules::read(node, known, issuers.is_some()));
    let forwarding = match fields.optional("forward") {
        Some(node) => forward::read(&node, known.len() > 1),
        None => Some(forward::Forwarding::default()),
    };
    fields.finish();
    if let (Some(node), Some(scopes)) = (&policies_node, &scopes) {
        refuse_ties(node, scopes);
    }
    version?;
    Some(Policy { issuers: issuers?, scopes: scopes?, forwarding: forwarding? })
}

/// One policy applies to a request: the one with the closest host, then the longest prefix. Two that tie are an error.
fn refuse_ties(node: &Node<'_>, scopes: &[Scope]) {
    for (index, scope) in scopes.iter().enumerate() {
        for earlier in scopes.iter().take(index) {
            if earlier.prefix == scope.prefix && earlier.hosts.iter().any(|host| scope.hosts.contains(host)) {
                node.problem(format!(
                    "`{}` and `{}` name the same host and the same prefix: join them, or set them apart by host or prefix",
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
