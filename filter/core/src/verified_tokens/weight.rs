//! How much memory a known token takes.

use serde_json::{Map, Value};

use super::Entry;
use crate::edit::Edit;

/// A node of an ordered map, which has room for eleven members.
const NODE_BYTES: usize = 512;
/// A node of the list, its place in the table, and what an allocator adds to a handful of allocations.
const ENTRY_BYTES: usize = 256;

/// An estimate of what an entry takes: rather too much than too little.
pub(super) fn weight(token: &[u8], entry: &Entry) -> usize {
    let claims = &entry.claims;
    let roles = claims.roles().iter().map(|role| ITEM_BYTES.saturating_add(role.len()));
    let told = entry.told.iter().flat_map(|told| told.iter()).filter_map(Edit::as_set);
    let told = told.map(|(_, value)| ITEM_BYTES.saturating_add(value.len()));
    let payload = claims.payload().iter().map(|(_, value)| match value {
        // All of it stands in the list.
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(_) | Value::Array(_) | Value::Object(_) => value_bytes(value),
    });
    let own = [ENTRY_BYTES, token.len(), claims.subject().len(), claims.payload().own_bytes()];
    own.into_iter().chain(payload).chain(roles).chain(told).fold(0, usize::saturating_add)
}

/// A string or a value in an array.
const ITEM_BYTES: usize = 48;

fn members(members: &Map<String, Value>) -> usize {
    let nodes = NODE_BYTES.saturating_mul(members.len().div_ceil(6).max(1));
    members.iter().map(|(name, value)| member(name, value)).fold(nodes, usize::saturating_add)
}

fn member(name: &str, value: &Value) -> usize {
    ITEM_BYTES.saturating_add(name.len()).saturating_add(value_bytes(value))
}

/// As deep as JSON in a token may be nested: the parser has a bound.
fn value_bytes(value: &Value) -> usize {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_bytes).fold(0, usize::saturating_add),
        Value::Object(inner) => members(inner),
    };
    ITEM_BYTES.saturating_add(inner)
}
