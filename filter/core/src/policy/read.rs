//! Reading a JSON document field by field: unknown members, wrong types and missing fields are all reported.
//!
//! serde's derive stops at the first thing that is wrong; a person who writes a policy wants to see all of them.

use serde_json::{Map, Value};

use crate::problem::Report;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
    report: &'v Report,
}

/// An object whose members are taken by name; what is left over at the end is unknown.
pub(super) struct Fields<'v> {
    members: &'v Map<String, Value>,
    path: String,
    report: &'v Report,
    known: Vec<&'static str>,
}

impl<'v> Node<'v> {
    pub(super) fn root(value: &'v Value, report: &'v Report) -> Self {
        Self { value, path: String::new(), report }
    }

    pub(super) fn problem(&self, text: impl Into<String>) {
        self.report.add(&self.path, text);
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.problem(format!("must be {what}, but is {}", kind(self.value)));
        None
    }

    pub(super) fn object(&self) -> Option<Fields<'v>> {
        match self.value {
            Value::Object(members) => {
                Some(Fields { members, path: self.path.clone(), report: self.report, known: Vec::new() })
            }
            _ => self.expected("an object"),
        }
    }

    /// The members of an object whose names are the user's own.
    pub(super) fn entries(&self) -> Option<Vec<(&'v str, Self)>> {
        match self.value {
            Value::Object(members) => Some(
                members
                    .iter()
                    .map(|(name, value)| (name.as_str(), self.below(value, &format!(".{name}"))))
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
                    .map(|(index, value)| self.below(value, &format!("[{index}]")))
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
            if items.iter().take(index).any(|earlier| earlier.value == item.value) {
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

    fn below(&self, value: &'v Value, step: &str) -> Self {
        let path = format!("{}{step}", self.path);
        Self { value, path: path.strip_prefix('.').map(str::to_owned).unwrap_or(path), report: self.report }
    }
}

impl<'v> Fields<'v> {
    /// The member, where it stands there. `null` is what YAML makes of a field whose value was forgotten: a problem,
    /// never the same as absent, which may mean something wider.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<Node<'v>> {
        self.known.push(name);
        let value = self.members.get(name)?;
        if value.is_null() {
            self.report.add(&self.place(name), "has no value: give it one, or leave the field out");
            return None;
        }
        Some(Node { value, path: self.place(name), report: self.report })
    }

    /// The member; a problem where it is missing.
    pub(super) fn required(&mut self, name: &'static str, why: &str) -> Option<Node<'v>> {
        let node = self.optional(name);
        if !self.members.contains_key(name) {
            self.report.add(&self.place(name), format!("is missing: {why}"));
        }
        node
    }

    pub(super) fn problem(&self, text: impl Into<String>) {
        self.report.add(&self.path, text);
    }

    /// Reports every member that nobody asked for.
    pub(super) fn finish(self) {
        for name in self.members.keys() {
            if !self.known.contains(&name.as_str()) {
                let close =
                    self.known.iter().map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
                let hint = match close {
                    Some((distance, known)) if distance <= 2 => format!("; did you mean `{known}`?"),
                    _ => format!("; known here: {}", self.known.join(", ")),
                };
                self.report
                    .add(&self.place(&name.escape_debug().to_string()), format!("unknown field{hint}"));
            }
        }
    }

    fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
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
