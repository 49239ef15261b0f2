//! Fields of Envoy's messages, which may be written in either of protobuf's two spellings.

use serde_json::{Map, Value};

/// The field `vm_config`, also where it is written `vmConfig`.
pub(crate) fn field<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    message.get(name).or_else(|| message.get(&lower_camel_case(name)))
}

/// As [`field`], where it is a string.
pub(crate) fn text<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    field(message, name).and_then(Value::as_str)
}

/// As [`field`], whether it is there and true.
pub(crate) fn is_true(message: &Map<String, Value>, name: &str) -> bool {
    field(message, name) == Some(&Value::Bool(true))
}

fn lower_camel_case(name: &str) -> String {
    let mut upper = false;
    let letter = |character: char| {
        let raised = if upper { character.to_ascii_uppercase() } else { character };
        upper = character == '_';
        (!upper).then_some(raised)
    };
    name.chars().filter_map(letter).collect()
}
