//! Writing a policy as YAML: fields in the order of the documentation, one spelling for each value, so that the same policy
//! is the same bytes. What a reader of some version of YAML could take for another thing than a string is quoted.

use bearward_core::policy::fields::{DOCUMENT, Object, Shape};
use serde_json::{Map, Value};

/// Words that are no strings to some reader.
const OTHERS: [&str; 12] =
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// A policy as YAML.
pub(crate) fn text(policy: &Value) -> String {
    let mut text = String::new();
    match policy {
        Value::Object(members) => object(members, Some(&DOCUMENT), 0, &mut text),
        other => text = scalar(other) + "\n",
    }
    text
}

/// Depth is that of the document, which its reader has bounded.
fn object(members: &Map<String, Value>, described: Option<&Object>, indent: usize, text: &mut String) {
    for (name, value, shape) in in_order(members, described) {
        text.push_str(&" ".repeat(indent));
        member(name, value, shape, indent, text);
    }
}

/// A member, from its name on.
fn member(name: &str, value: &Value, shape: Option<&Shape>, indent: usize, text: &mut String) {
    text.push_str(&string(name));
    text.push(':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('\n');
            below(members, shape, indent + 2, text);
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push('\n');
            let shape = match shape {
                Some(Shape::List { of, .. }) => Some(*of),
                _ => None,
            };
            items.iter().for_each(|item| list_item(item, shape, indent + 2, text));
        }
        flat => {
            text.push(' ');
            text.push_str(&scalar(flat));
            text.push('\n');
        }
    }
}

fn below(members: &Map<String, Value>, shape: Option<&Shape>, indent: usize, text: &mut String) {
    match shape {
        Some(Shape::Object(described)) => object(members, Some(described), indent, text),
        Some(Shape::Map { of, .. }) => {
            for (name, value) in members {
                text.push_str(&" ".repeat(indent));
                member(name, value, Some(of), indent, text);
            }
        }
        _ => object(members, None, indent, text),
    }
}

fn list_item(item: &Value, shape: Option<&Shape>, indent: usize, text: &mut String) {
    text.push_str(&" ".repeat(indent));
    text.push_str("- ");
    match item {
        Value::Object(members) if !members.is_empty() => {
            let mut inner = String::new();
            below(members, shape, indent + 2, &mut inner);
            text.push_str(inner.trim_start());
        }
        other => {
            text.push_str(&scalar(other));
            text.push('\n');
        }
    }
}

type Member<'v, 's> = (&'v str, &'v Value, Option<&'s Shape>);

/// The members as the table has them, then those that it does not know.
fn in_order<'v, 's>(members: &'v Map<String, Value>, described: Option<&'s Object>) -> Vec<Member<'v, 's>> {
    let fields = described.map(|object| object.fields).unwrap_or_default();
    let known = fields.iter().filter_map(|field| {
        members.get_key_value(field.name).map(|(name, value)| (name.as_str(), value, Some(&field.shape)))
    });
    let others = members.iter().filter(|(name, _)| fields.iter().all(|field| field.name != **name));
    known.chain(others.map(|(name, value)| (name.as_str(), value, None))).collect()
}

/// A value on one line.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", string(name), scalar(value));
            let members: Vec<_> = members.iter().map(member).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
        other => other.to_string(),
    }
}

fn string(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            ' '..='~' => quoted.push(character),
            letter if letter.is_alphanumeric() => quoted.push(letter),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    quoted + "\""
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "/._-+".contains(character))
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str())
}
