//! Finding Bearward in an Envoy configuration.

use serde_json::{Map, Value};

use crate::field::{field, text};

/// A plugin configuration that is Bearward's, and what is around it.
pub(crate) struct Plugin<'a> {
    /// Where it stands in the file, such as `static_resources.listeners[0]...config`; empty for a bare policy.
    pub(crate) path: String,
    /// Envoy's messages around it; `None` for a bare policy.
    pub(crate) surroundings: Option<Surroundings<'a>>,
    /// The policy, or why there is none.
    pub(crate) policy: Result<Policy<'a>, String>,
}

/// Envoy's messages around a policy.
pub(crate) struct Surroundings<'a> {
    /// `PluginConfig`
    pub(crate) config: &'a Map<String, Value>,
    /// The nearest `HttpConnectionManager`, where there is one: a filter may also come by discovery.
    pub(crate) connection_manager: Option<&'a Map<String, Value>>,
}

/// A policy document, in one of the forms in which Envoy carries it.
pub(crate) enum Policy<'a> {
    /// Part of the file.
    Inline(&'a Value),
    /// A string of JSON in the file.
    Text(&'a str),
}

/// Every Bearward plugin of a file, and the `vm_id`s of all other plugins. A bare policy is one without surroundings.
pub(crate) fn find(document: &Value) -> (Vec<Plugin<'_>>, Vec<&str>) {
    if is_policy(document) {
        return (
            vec![Plugin { path: String::new(), surroundings: None, policy: Ok(Policy::Inline(document)) }],
            vec![],
        );
    }
    let mut search = Search::default();
    search.walk(document, None);
    (search.found, search.other_vm_ids)
}

#[derive(Default)]
struct Search<'a> {
    path: Vec<String>,
    found: Vec<Plugin<'a>>,
    other_vm_ids: Vec<&'a str>,
}

impl<'a> Search<'a> {
    fn walk(&mut self, value: &'a Value, connection_manager: Option<&'a Map<String, Value>>) {
        match value {
            Value::Object(members) => {
                if field(members, "vm_config").is_some() {
                    return self.take(members, connection_manager);
                }
                let is_manager = field(members, "http_filters").is_some();
                let connection_manager = if is_manager { Some(members) } else { connection_manager };
                for (name, value) in members {
                    let step = if self.path.is_empty() { name.clone() } else { format!(".{name}") };
                    self.below(step, value, connection_manager);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    self.below(format!("[{index}]"), value, connection_manager);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: String, value: &'a Value, connection_manager: Option<&'a Map<String, Value>>) {
        self.path.push(step);
        self.walk(value, connection_manager);
        self.path.pop();
    }

    fn take(&mut self, config: &'a Map<String, Value>, connection_manager: Option<&'a Map<String, Value>>) {
        let policy = policy_of(config);
        if policy.is_ok() || names_us(config) {
            let surroundings = Some(Surroundings { config, connection_manager });
            self.found.push(Plugin { path: self.path.concat(), surroundings, policy });
        } else {
            self.other_vm_ids.push(vm_id(config));
        }
    }
}

/// The `vm_id` of a plugin; the empty one, where there is none, is one that all such plugins share.
pub(crate) fn vm_id(config: &Map<String, Value>) -> &str {
    field(config, "vm_config").and_then(Value::as_object).and_then(|vm| text(vm, "vm_id")).unwrap_or_default()
}

/// The policy of a `PluginConfig`: `configuration` is an Any that holds a Struct or a StringValue.
fn policy_of(config: &Map<String, Value>) -> Result<Policy<'_>, String> {
    let any = config.get("configuration").ok_or("configuration: is missing: it holds the policy")?;
    match (any.get("@type").and_then(Value::as_str), any.get("value")) {
        (Some("type.googleapis.com/google.protobuf.StringValue"), Some(Value::String(text)))
            if mentions_policy(text) =>
        {
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

const PARTS: [&str; 2] = ["issuers", "policies"];

fn is_policy(value: &Value) -> bool {
    PARTS.iter().any(|member| value.get(member).is_some())
}

fn mentions_policy(text: &str) -> bool {
    PARTS.iter().any(|member| text.contains(&format!("\"{member}\"")))
}

fn names_us(config: &Map<String, Value>) -> bool {
    let named = |member: &str| text(config, member).is_some_and(|name| name.contains("bearward"));
    named("name")
        || named("root_id")
        || field(config, "vm_config").is_some_and(|vm| vm.to_string().contains("bearward.wasm"))
}
