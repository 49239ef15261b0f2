//! Finding Bearward in an Envoy configuration.

use serde_json::{Map, Value};

/// A plugin configuration that is Bearward's, and the policy in it.
pub(crate) struct Plugin<'a> {
    /// Where it stands in the file, such as `static_resources.listeners[0]...config`; empty for a bare policy.
    pub(crate) path: String,
    /// Envoy's `PluginConfig`; `None` for a bare policy.
    pub(crate) config: Option<&'a Map<String, Value>>,
    /// The policy, or why there is none.
    pub(crate) policy: Result<Policy<'a>, String>,
}

/// A policy document, in one of the forms in which Envoy carries it.
pub(crate) enum Policy<'a> {
    /// Part of the file.
    Inline(&'a Value),
    /// A string of JSON in the file.
    Text(&'a str),
}

/// Every Bearward plugin of a file. A bare policy is one without surroundings.
pub(crate) fn find(document: &Value) -> Vec<Plugin<'_>> {
    if is_policy(document) {
        return vec![Plugin { path: String::new(), config: None, policy: Ok(Policy::Inline(document)) }];
    }
    let mut found = Vec::new();
    walk(document, &mut Vec::new(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, path: &mut Vec<String>, found: &mut Vec<Plugin<'a>>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("vm_config") {
                let policy = policy_of(members);
                let ours = policy.is_ok() || names_us(members);
                if ours {
                    found.push(Plugin { path: path.concat(), config: Some(members), policy });
                }
                return;
            }
            for (name, value) in members {
                path.push(if path.is_empty() { name.clone() } else { format!(".{name}") });
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push(format!("[{index}]"));
                walk(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The policy of a `PluginConfig`: `configuration` is an Any that holds a Struct or a StringValue.
fn policy_of(config: &Map<String, Value>) -> Result<Policy<'_>, String> {
    let any = config.get("configuration").ok_or("configuration: is missing: it holds the policy")?;
    match (any.get("@type").and_then(Value::as_str), any.get("value")) {
        (Some("type.googleapis.com/google.protobuf.StringValue"), Some(Value::String(text))) => {
            Ok(Policy::Text(text))
        }
        (Some("type.googleapis.com/google.protobuf.Struct"), Some(value)) if is_policy(value) => {
            Ok(Policy::Inline(value))
        }
        _ => {
            Err("configuration: must be a google.protobuf.Struct or StringValue whose `value` is the policy"
                .to_owned())
        }
    }
}

fn is_policy(value: &Value) -> bool {
    ["issuers", "policies"].iter().any(|member| value.get(member).is_some())
}

fn names_us(config: &Map<String, Value>) -> bool {
    let named = |member: &str| {
        config.get(member).and_then(Value::as_str).is_some_and(|name| name.contains("bearward"))
    };
    named("name")
        || named("root_id")
        || config.get("vm_config").is_some_and(|vm| vm.to_string().contains("bearward.wasm"))
}
