//! Reading a JSON document field by field: unknown members, wrong types and missing fields are all reported.
//!
//! serde's derive stops at the first thing that is wrong; a person who writes a policy wants to see all of them.

use serde_json::{Map, Value};

use super::fields::{Fields, Known};
use crate::problem::Report;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
    report: &'v Report,
}

impl<'v> Node<'v> {
    pub(super) fn root(value: &'v Value, report: &'v Report) -> Self {
        Self { value, path: String::new(), report }
    }

    #[inline(never)] // a hundred callers, none of which is in a hurry: 3 KiB less of module
    pub(super) fn problem(&self, text: impl Into<String>) {
        self.report.add(&self.path, text);
    }

    /// A problem of something inside this value, which is read by somebody else: its path from here.
    pub(super) fn problem_below(&self, path: &str, text: &str) {
        self.report.add(&self.place(path), text);
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.problem(format!("must be {what}, but is {}", kind(self.value)));
        None
    }

    /// The fields of an object. Every one that is unknown, missing or without a value is reported.
    pub(super) fn fields<T: Fields<'v>>(&self) -> Option<T> {
        let members = self.members(T::KNOWN)?;
        Some(T::take(|name| self.field(members, name)))
    }

    /// The members of an object with these fields.
    fn members(&self, known: &[Known]) -> Option<&'v Map<String, Value>> {
        let Value::Object(members) = self.value else {
            return self.expected("an object");
        };
        for name in members.keys().filter(|name| known.iter().all(|known| known.name != *name)) {
            self.report.add(&self.place(&name.escape_debug().to_string()), unknown(name, known));
        }
        for known in known.iter().filter(|known| !known.depends) {
            self.report_missing(members, known);
        }
        Some(members)
    }

    /// Reports that a field is missing, where that depends on others.
    pub(super) fn demand<T: Fields<'v>>(&self, name: &str) {
        if let (Value::Object(members), Some(known)) =
            (self.value, T::KNOWN.iter().find(|known| known.name == name))
        {
            self.report_missing(members, known);
        }
    }

    fn report_missing(&self, members: &Map<String, Value>, known: &Known) {
        if let Some(why) = known.why
            && !members.contains_key(known.name)
        {
            self.report.add(&self.place(known.name), format!("is missing: {why}"));
        }
    }

    /// The member, where it stands there. `null` is what YAML makes of a field whose value was forgotten: a problem,
    /// never the same as absent, which may mean something wider.
    fn field(&self, members: &'v Map<String, Value>, name: &str) -> Option<Self> {
        let value = members.get(name)?;
        if value.is_null() {
            self.report.add(&self.place(name), "has no value: give it one, or leave the field out");
            return None;
        }
        Some(Self { value, path: self.place(name), report: self.report })
    }

    /// The members of an object whose names are the user's own.
    pub(super) fn entries(&self) -> Option<Vec<(&'v str, Self)>> {
        match self.value {
            Value::Object(members) => Some(
                members
                    .iter()
                    .map(|(name, value)| {
                        (name.as_str(), Self { value, path: self.place(name), report: self.report })
                    })
                    .collect(),
            ),
            _ => self.expected("an object"),
        }
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self.value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        let path = format!("{}[{index}]", self.path);
                        Self { value, path, report: self.report }
                    })
                    .collect(),
            ),
            _ => self.expected("a list"),
        }
    }

    /// A list with 1 to `most` items, and no item twice.
    pub(super) fn distinct_items(&self, most: usize) -> Option<Vec<Self>> {
        let items = self.items()?;
        if items.is_empty() {
            self.problem("must not be empty");
            return None;
        }
        if items.len() > most {
            self.problem(format!("must have at most {most} items"));
            return None;
        }
        for (index, item) in items.iter().enumerate() {
            if items.iter().take(index).any(|earlier| is_same(earlier.value, item.value)) {
                item.problem("stands in the list twice");
            }
        }
        Some(items)
    }

    pub(super) fn text(&self) -> Option<&'v str> {
        match self.value {
            Value::String(text) if text.is_empty() => {
                self.problem("must not be empty");
                None
            }
            Value::String(text) => Some(text),
            _ => self.expected("a string"),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.problem(format!("`{}` is not one of {}", text.escape_debug(), list.join(", ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A whole number. Envoy hands numbers over as doubles, so `30.0` is one.
    pub(super) fn whole_number(&self, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value {
            Value::Number(number) => number.as_u64().or_else(|| {
                number
                    .as_f64()
                    .filter(|double| double.fract() == 0.0 && (0.0..9e15).contains(double))
                    .map(|double| double as u64)
            }),
            _ => return self.expected("a whole number"),
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                self.problem(format!("must be a whole number from {} to {}", range.start(), range.end()));
                None
            }
        }
    }

    fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// Whether two values are one to a host that has doubles for numbers, as Envoy has: `1` and `1.0` are. Depth is that of the
/// document, which its reader has bounded.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}

fn unknown(name: &str, known: &[Known]) -> String {
    let names = || known.iter().map(|known| known.name);
    let close = names().map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
    match close {
        Some((distance, known)) if distance <= 2 => format!("unknown field; did you mean `{known}`?"),
        _ => format!("unknown field; known here: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
