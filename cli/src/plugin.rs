//! Finding Bearward in an Envoy configuration.

use serde_json::Value;

use crate::field::{At, Path, Step};

/// A plugin configuration that is Bearward's, and what is around it.
pub(crate) struct Plugin<'a> {
    /// Where it stands in the file, such as `static_resources.listeners[0]...config`; empty for a bare policy.
    pub(crate) path: Path<'a>,
    /// Envoy's messages around it; `None` for a bare policy.
    pub(crate) surroundings: Option<Surroundings<'a>>,
    /// The policy, or why there is none.
    pub(crate) policy: Result<Policy<'a>, &'static str>,
}

/// Envoy's messages around a policy.
pub(crate) struct Surroundings<'a> {
    /// `PluginConfig`
    pub(crate) config: At<'a>,
    /// The chain of filters that it is part of, where there is one: a filter may also come by discovery.
    pub(crate) chain: Option<Chain<'a>>,
}

/// A chain of HTTP filters with Bearward in it.
pub(crate) struct Chain<'a> {
    /// The `HttpConnectionManager`.
    pub(crate) manager: At<'a>,
    /// Its filters, or those of one of its `upgrade_configs`.
    pub(crate) filters: Vec<At<'a>>,
    /// Bearward's position among them.
    pub(crate) position: usize,
    /// Bearward's own.
    pub(crate) filter: At<'a>,
}

/// A policy document, in one of the forms in which Envoy carries it.
pub(crate) enum Policy<'a> {
    /// Part of the file.
    Inline(At<'a>),
    /// A string of JSON in the file.
    Text(At<'a>, &'a str),
}

/// Every Bearward plugin of a file, and the `vm_id`s of all other plugins. A bare policy is one without surroundings.
pub(crate) fn find<'a>(root: &At<'a>) -> (Vec<Plugin<'a>>, Vec<&'a str>) {
    if is_policy(root.value) {
        let policy = Ok(Policy::Inline(root.clone()));
        return (vec![Plugin { path: Path::default(), surroundings: None, policy }], vec![]);
    }
    let (mut found, mut other_vm_ids) = (Vec::new(), Vec::new());
    root.walk(&mut |at| {
        if at.get("vm_config").is_none() {
            return true;
        }
        let policy = policy_of(at);
        if policy.is_ok() || names_us(at) {
            let surroundings = Some(Surroundings { config: at.clone(), chain: chain_of(root, &at.path) });
            found.push(Plugin { path: at.path.clone(), surroundings, policy });
        } else {
            other_vm_ids.push(vm_id(at));
        }
        false
    });
    (found, other_vm_ids)
}

/// The `vm_id` of a plugin; the empty one, where there is none, is one that all such plugins share.
pub(crate) fn vm_id<'a>(config: &At<'a>) -> &'a str {
    config.get("vm_config").and_then(|vm| vm.text("vm_id")).unwrap_or_default()
}

/// The innermost chain around a plugin.
fn chain_of<'a>(root: &At<'a>, plugin: &Path<'a>) -> Option<Chain<'a>> {
    (0..plugin.steps().len()).rev().find_map(|end| {
        let (before, rest) = plugin.steps().split_at_checked(end)?;
        let manager_end = match (before, rest) {
            (
                [.., Step::Member("upgrade_configs" | "upgradeConfigs"), Step::Item(_)],
                [Step::Member("filters"), ..],
            ) => end - 2,
            (_, [Step::Member("http_filters" | "httpFilters"), ..]) => end,
            _ => return None,
        };
        let [_, Step::Item(position), ..] = rest else { return None };
        let filters: Vec<_> = root.follow(&plugin.first(end + 1))?.items().collect();
        Some(Chain {
            manager: root.follow(&plugin.first(manager_end))?,
            filter: filters.get(*position)?.clone(),
            filters,
            position: *position,
        })
    })
}

/// The policy of a `PluginConfig`: `configuration` is an Any that holds a Struct or a StringValue.
fn policy_of<'a>(config: &At<'a>) -> Result<Policy<'a>, &'static str> {
    let any = config.get("configuration").ok_or("is missing: it holds the policy")?;
    let value = any.get("value");
    match (any.text("@type"), value.as_ref().map(|at| (at, at.value))) {
        (Some("type.googleapis.com/google.protobuf.StringValue"), Some((at, Value::String(text))))
            if mentions_policy(text) =>
        {
            Ok(Policy::Text(at.clone(), text))
        }
        (Some("type.googleapis.com/google.protobuf.Struct"), Some((at, value))) if is_policy(value) => {
            Ok(Policy::Inline(at.clone()))
        }
        _ => Err("must be a google.protobuf.Struct or StringValue whose `value` is the policy"),
    }
}

const PARTS: [&str; 2] = ["issuers", "policies"];

fn is_policy(value: &Value) -> bool {
    PARTS.iter().any(|member| value.get(member).is_some())
}

fn mentions_policy(text: &str) -> bool {
    PARTS.iter().any(|member| text.contains(&format!("\"{member}\"")))
}

fn names_us(config: &At<'_>) -> bool {
    let named = |member: &str| config.text(member).is_some_and(|name| name.contains("bearward"));
    named("name")
        || named("root_id")
        || config.get("vm_config").is_some_and(|vm| vm.value.to_string().contains("bearward.wasm"))
}
