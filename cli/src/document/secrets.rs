//! No line of a file is shown with a secret in it.

use serde_json::Value;

use super::node::{self, Content, Extent, Node};

/// Members whose every value is secret: variables of a VM, and what Envoy keeps in its own.
const HOLDERS: [&str; 8] = [
    "key_values",
    "keyValues",
    "private_key",
    "privateKey",
    "password",
    "token_secret",
    "tokenSecret",
    "hmac_secret",
];

/// Members that hold names of variables, where somebody may have written the secret itself.
const NAMES: [&str; 2] = ["secrets_env", "credential_env"];

/// Members of a JWK that are private (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The text with every secret masked, byte for byte.
pub(super) fn masked(text: &str, value: &Value, root: &Node) -> String {
    let mut found = Vec::new();
    collect(value, root, &mut found);
    found.sort_unstable_by_key(|extent: &Extent| extent.start);
    let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
    for Extent { start, end } in found {
        let start = start.max(done);
        if let (Some(before), Some(secret)) = (text.get(done..start), text.get(start..end)) {
            masked.push_str(before);
            secret.chars().for_each(|character| match character {
                '\n' | '\r' => masked.push(character),
                other => masked.extend(std::iter::repeat_n('*', other.len_utf8())),
            });
            done = end;
        }
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    masked
}

/// Whether a text that cannot be read might hold one.
pub(super) fn may_hold(text: &str) -> bool {
    HOLDERS.iter().any(|name| text.contains(name))
        || text.contains("kty")
        || NAMES.iter().any(|name| text.contains(name))
}

/// Whether a text is fit to be the name of a variable, and so no secret.
pub(crate) fn is_variable_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn collect(value: &Value, node: &Node, found: &mut Vec<Extent>) {
    match (&node.content, value) {
        (Content::Object(members), Value::Object(values)) => {
            let is_key = values.contains_key("kty");
            for member in members {
                let Some(value) = values.get(&member.name) else { continue };
                let name = member.name.as_str();
                let is_misplaced = NAMES.contains(&name) && !names_variables(value);
                if HOLDERS.contains(&name) || (is_key && PRIVATE.contains(&name)) || is_misplaced {
                    scalars(&member.node, found);
                } else {
                    collect(value, &member.node, found);
                }
            }
        }
        (Content::List(items), Value::Array(values)) => {
            items.iter().zip(values).for_each(|(item, value)| collect(value, item, found));
        }
        // A policy as a text of JSON.
        (Content::Scalar, Value::String(text)) if may_hold(text) => {
            let holds = match node::parse(text) {
                // A text that is nothing but itself, such as `secrets_env` in a list of names: there is nothing within.
                Ok((Value::String(same), _)) if same == *text => false,
                Ok((value, inner)) => {
                    let mut within = Vec::new();
                    collect(&value, &inner, &mut within);
                    !within.is_empty()
                }
                Err(_) => true,
            };
            if holds {
                found.push(node.at);
            }
        }
        _ => {}
    }
}

fn names_variables(value: &Value) -> bool {
    let is_name = |item: &Value| item.as_str().is_some_and(is_variable_name);
    is_name(value) || value.as_array().is_some_and(|items| items.iter().all(is_name))
}

fn scalars(node: &Node, found: &mut Vec<Extent>) {
    match &node.content {
        Content::Scalar => found.push(node.at),
        Content::List(items) => items.iter().for_each(|item| scalars(item, found)),
        Content::Object(members) => members.iter().for_each(|member| scalars(&member.node, found)),
    }
}
