//! `policies`: hosts, prefix and rules.

use super::compile::SettingsFields;
use super::issuers::revocations::WHEN_STALE;
use super::issuers::{TrustedIssuer, check_name};
use super::read::Node;
use super::{Access, IssuerId, Mode, Rule, Scope, Settings, compile, fields, methods, requirement};
use crate::decide::index::RuleIndex;
use crate::host_name::HostPattern;
use crate::pattern::Pattern;
use crate::reading::Foldings;
use crate::requirement::Requirement;

/// The most policies in a document, and the most rules and paths in each list.
pub(super) const MAX_ITEMS: usize = 1000;
/// The longest name of a policy or a rule.
const MAX_NAME: usize = 64;

/// Whether a CORS preflight needs no token.
pub(super) const REFUSE_OR_ALLOW: [(&str, bool); 2] = [("refuse", false), ("allow", true)];

pub(super) const ACCESS: [(&str, Word); 3] =
    [("authenticated", Word::Authenticated), ("optional", Word::Optional), ("public", Word::Public)];

/// `issuers` and `outer` are `None` where they themselves are wrong: then no issuer can be looked up by name.
pub(super) fn read(
    node: &Node<'_>,
    issuers: Option<&[TrustedIssuer]>,
    outer: Option<&Settings>,
    folded: Foldings,
) -> Option<Vec<Scope>> {
    let known = Known { issuers: issuers.unwrap_or_default(), complete: issuers.is_some(), outer, folded };
    let scopes: Vec<_> =
        node.distinct_items(MAX_ITEMS)?.iter().map(|node| read_scope(node, &known)).collect();
    scopes.into_iter().collect()
}

struct Known<'a> {
    issuers: &'a [TrustedIssuer],
    complete: bool,
    outer: Option<&'a Settings>,
    folded: Foldings,
}

fn read_scope(node: &Node<'_>, known: &Known<'_>) -> Option<Scope> {
    let fields::Scope {
        name,
        hosts,
        prefix,
        issuers,
        mode,
        credentials,
        challenge,
        cors_preflight,
        rules: rules_node,
    } = node.fields()?;
    let name = name.and_then(|node| read_name(&node));
    let hosts = hosts.and_then(|node| parsed_list(&node, HostPattern::parse));
    let prefix = prefix.and_then(|node| parsed(&node, Pattern::parse_prefix));
    let trusted = issuers.and_then(|node| issuer_ids(&node, known));
    let settings = SettingsFields { mode, credentials, challenge }.read(known.outer);
    let preflight = cors_preflight.map(|node| node.word(&REFUSE_OR_ALLOW));
    let mode = settings.as_ref().map_or(Mode::Enforce, |settings| settings.mode);
    let rules: Option<Vec<_>> =
        rules_node.as_ref().and_then(|node| node.distinct_items(MAX_ITEMS)).map(|nodes| {
            nodes
                .iter()
                .map(|node| read_rule(node, prefix.as_ref(), trusted.as_deref(), mode, known))
                .collect()
        });
    let rules: Vec<Rule> = rules?.into_iter().collect::<Option<_>>()?;
    if let Some(node) = &rules_node {
        refuse_conflicts(node, &rules, known.folded);
    }
    Some(Scope {
        name: name?,
        hosts: hosts?,
        prefix: prefix?,
        index: RuleIndex::of(&rules),
        rules,
        settings: settings?,
        allows_preflight: preflight.unwrap_or(Some(false))?,
    })
}

/// Two rules of one name, and rules that can never match because an earlier one takes all of theirs. What the servers
/// behind fold is the same.
fn refuse_conflicts(node: &Node<'_>, rules: &[Rule], folded: Foldings) {
    let as_read = |rule: &Rule| Rule {
        paths: rule.paths.iter().map(|path| path.folded(folded)).collect(),
        ..rule.clone()
    };
    let rules: Vec<Rule> = rules.iter().map(as_read).collect();
    for (index, rule) in rules.iter().enumerate() {
        for earlier in rules.iter().take(index) {
            if earlier.name == rule.name {
                node.problem(format!(
                    "two rules are called `{}`: their verdicts could not be told apart",
                    rule.name
                ));
            }
            if earlier.covers(rule) {
                let (rule, earlier) = (&rule.name, &earlier.name);
                node.problem(format!(
                    "the rule `{rule}` can never match: `{earlier}` stands before it and takes all of it"
                ));
            }
        }
    }
}

fn read_rule(
    node: &Node<'_>,
    prefix: Option<&Pattern>,
    trusted: Option<&[IssuerId]>,
    outer_mode: Mode,
    known: &Known<'_>,
) -> Option<Rule> {
    let fields::Rule {
        name,
        methods,
        paths,
        access,
        issuers,
        require: require_node,
        when_stale: stale_node,
        mode,
    } = node.fields()?;
    let name = name.and_then(|node| read_name(&node));
    let methods = methods.map(|node| methods::read(&node));
    let paths = paths.and_then(|node| {
        let paths = parsed_list(&node, Pattern::parse)?;
        if prefix.is_some_and(|prefix| paths.iter().any(|path| !path.lies_below(prefix))) {
            node.problem("a path outside the policy's `prefix` can never match");
        }
        Some(paths)
    });
    let word = access.map(|node| node.word(&ACCESS));
    let own_issuers = issuers.map(|node| {
        let ids = issuer_ids(&node, known)?;
        if trusted.is_some_and(|trusted| ids.iter().any(|id| !trusted.contains(id))) {
            node.problem("a rule can only narrow its policy's `issuers`");
        }
        Some(ids)
    });
    let requirement = require_node.as_ref().map(requirement::read);
    let mode = mode.map(|node| compile::mode(&node));
    let when_stale = stale_node.as_ref().map(|node| node.word(&WHEN_STALE));
    let word = word.unwrap_or(Some(Word::Authenticated));
    if let Some(node) = &require_node
        && word.is_some_and(|word| word != Word::Authenticated)
    {
        node.problem("only goes with `access: authenticated`, the default: nobody else has roles");
    }
    if word == Some(Word::Public) && own_issuers.is_some() {
        node.problem("`access: public` looks at no token: `issuers` means nothing here");
    }
    if word == Some(Word::Public)
        && let Some(node) = &stale_node
    {
        node.problem("`access: public` looks at no token: `when_stale` means nothing here");
    }
    if let (Some(node), Some(Some(requirement)), Some(paths)) = (&require_node, &requirement, &paths) {
        refuse_unknown_parameters(node, requirement, paths);
    }
    let issuers = own_issuers.unwrap_or_else(|| trusted.map(<[_]>::to_vec));
    if let (Some(node), Some(Some(requirement)), Some(ids)) = (&require_node, &requirement, &issuers) {
        refuse_unattainable(node, requirement, ids, known);
        refuse_claims_of_several(node, requirement, ids, known);
    }
    if let (Some(node), Some(ids)) = (&stale_node, &issuers) {
        refuse_without_feed(node, ids, known);
    }
    let access = match word? {
        Word::Public => Access::Public,
        Word::Optional => Access::Optional(issuers?),
        Word::Authenticated => {
            Access::Authenticated(issuers?, requirement.unwrap_or_else(|| Some(Requirement::default()))?)
        }
    };
    Some(Rule {
        name: name?,
        methods: methods.map_or(Some(None), |methods| methods.map(Some))?,
        paths: paths?,
        access,
        mode: mode.unwrap_or(Some(outer_mode))?,
        when_stale: when_stale.map_or(Some(None), |word| word.map(Some))?,
    })
}

fn refuse_without_feed(node: &Node<'_>, ids: &[IssuerId], known: &Known<'_>) {
    let mut trusted = ids.iter().filter_map(|id| known.issuers.get(id.0));
    if known.complete && trusted.all(|trusted| trusted.revocations.is_none() && trusted.deny_list.is_none()) {
        node.problem("none of the issuers here has `revocations` or a `deny_list`, so nothing is ever stale");
    }
}

/// Identity is the issuer together with the subject, and a claim means what its issuer means by it: two issuers may give
/// one subject, tenant or scope to two people. And roles are only what an issuer may grant.
fn refuse_claims_of_several(node: &Node<'_>, requirement: &Requirement, ids: &[IssuerId], known: &Known<'_>) {
    if requirement.conditions.is_empty() || !known.complete {
        return;
    }
    if ids.len() > 1 {
        node.problem(
            "`claims` goes with one issuer, or one issuer's tokens would pass for another's: narrow the rule's `issuers`",
        );
    }
    for trusted in ids.iter().filter_map(|id| known.issuers.get(id.0)) {
        if requirement.conditions.iter().any(|condition| trusted.issuer.claims.hold_granted(&condition.claim))
        {
            node.problem(
                "the roles of this issuer are only what it may grant: use `any_role` or `all_roles`",
            );
        }
    }
}

/// A parameter that one of the rule's paths lacks makes a rule that nobody passes there.
fn refuse_unknown_parameters(node: &Node<'_>, requirement: &Requirement, paths: &[Pattern]) {
    for name in requirement.parameters() {
        if !paths.iter().all(|path| path.has_parameter(name)) {
            node.problem(format!(
                "every path of the rule needs the parameter `{{{name}}}` that `equals_param` names"
            ));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Authenticated,
    Optional,
    Public,
}

/// A role that none of the rule's issuers may grant makes a rule that nobody passes.
fn refuse_unattainable(node: &Node<'_>, requirement: &Requirement, ids: &[IssuerId], known: &Known<'_>) {
    let grantable = |role: &String| {
        let mut issuers = ids.iter().filter_map(|id| known.issuers.get(id.0));
        issuers.any(|trusted| trusted.issuer.claims.could_grant(role))
    };
    if known.complete {
        for role in requirement.any_role.iter().chain(&requirement.all_roles).filter(|role| !grantable(role))
        {
            node.problem(format!("none of the issuers here may grant the role `{role}`: look at their role_prefix, granted_roles and role_separator"));
        }
    }
}

fn issuer_ids(node: &Node<'_>, known: &Known<'_>) -> Option<Vec<IssuerId>> {
    let names = node.distinct_items(MAX_ITEMS)?;
    let find = |node: &Node<'_>| {
        let name = node.text()?;
        let found = known.issuers.iter().position(|issuer| issuer.name == name).map(IssuerId);
        if found.is_none() && known.complete {
            let list: Vec<_> = known.issuers.iter().map(|issuer| format!("`{}`", issuer.name)).collect();
            node.problem(format!(
                "`{}` is not one of the `issuers`: {}",
                name.escape_debug(),
                list.join(", ")
            ));
        }
        found
    };
    let ids: Vec<_> = names.iter().map(find).collect();
    ids.into_iter().collect()
}

fn read_name(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    check_name(name, MAX_NAME, node);
    Some(name.to_owned())
}

fn parsed<T>(node: &Node<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    parse(node.text()?).map_err(|text| node.problem(text)).ok()
}

pub(super) fn parsed_list<T>(node: &Node<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
    let items: Vec<_> = node.distinct_items(MAX_ITEMS)?.iter().map(|item| parsed(item, &parse)).collect();
    items.into_iter().collect()
}
