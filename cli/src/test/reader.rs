//! Reading a file field by field: all that is wrong with it at once, each with its place.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::field::{At, Path};

/// The most problems that are told of one file.
const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong, and where.
pub(super) struct Problem<'d> {
    pub(super) path: Path<'d>,
    pub(super) text: String,
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Reader<'d> {
    problems: RefCell<Vec<Problem<'d>>>,
}

impl<'d> Reader<'d> {
    pub(super) fn problem(&self, at: &At<'d>, text: impl Into<String>) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS {
            problems.push(Problem { path: at.path.clone(), text: text.into() });
        }
    }

    pub(super) fn finish(self) -> Vec<Problem<'d>> {
        self.problems.into_inner()
    }

    /// An object with no other fields than these.
    pub(super) fn object(&self, at: &At<'d>, known: &[&str]) -> Option<&'d Map<String, Value>> {
        let Some(members) = at.value.as_object() else {
            self.problem(at, format!("must be an object with {}", list(known)));
            return None;
        };
        for (name, value) in members {
            if !known.contains(&name.as_str()) {
                let unknown = At { value, path: at.path.member(name) };
                self.problem(&unknown, format!("unknown field; known here: {}", known.join(", ")));
            }
        }
        Some(members)
    }

    /// A field, where it is there.
    pub(super) fn field(&self, at: &At<'d>, name: &str) -> Option<At<'d>> {
        let (name, value) = at.value.as_object()?.get_key_value(name)?;
        Some(At { value, path: at.path.member(name) })
    }

    /// A field that must be there.
    pub(super) fn needed(&self, at: &At<'d>, name: &str, why: &str) -> Option<At<'d>> {
        let found = self.field(at, name);
        if found.is_none() && at.value.is_object() {
            self.problem(at, format!("`{name}` is missing: {why}"));
        }
        found
    }

    pub(super) fn text(&self, at: &At<'d>) -> Option<&'d str> {
        let text = at.value.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(at, "must be a text");
        }
        text
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, at: &At<'d>, words: &[(&str, T)]) -> Option<T> {
        let word = at.value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if word.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.problem(at, format!("must be {}", list(&words)));
        }
        word.map(|(_, value)| *value)
    }

    pub(super) fn whole(&self, at: &At<'d>, least: u64, most: u64) -> Option<u64> {
        let number = at.value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.problem(at, format!("must be a whole number from {least} to {most}"));
        }
        number
    }
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
