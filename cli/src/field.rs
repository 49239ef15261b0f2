//! Values of a file, each with its path; and fields of Envoy's messages, which may be written in either of protobuf's two
//! spellings.

use std::fmt;

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

/// Where a value stands, from the top of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path<'a>(Vec<Step<'a>>);

impl<'a> Path<'a> {
    pub(crate) fn steps(&self) -> &[Step<'a>] {
        &self.0
    }

    /// Its member of this name, there or not.
    pub(crate) fn member(&self, name: &'a str) -> Self {
        self.then(Step::Member(name))
    }

    fn then(&self, step: Step<'a>) -> Self {
        Self(self.0.iter().copied().chain([step]).collect())
    }

    /// The first so many steps.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self(self.0.iter().copied().take(count).collect())
    }

    /// All but the first so many steps.
    pub(crate) fn without_first(&self, count: usize) -> Self {
        Self(self.0.iter().copied().skip(count).collect())
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if index == 0 => write!(formatter, "{}", name.escape_debug())?,
                Step::Member(name) => write!(formatter, ".{}", name.escape_debug())?,
                Step::Item(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: Path<'a>,
}

impl<'a> At<'a> {
    /// The field `vm_config`, also where it is written `vmConfig`.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        let members = self.value.as_object()?;
        let found = members.get_key_value(name).or_else(|| members.get_key_value(&lower_camel_case(name)));
        found.map(|(name, value)| Self { value, path: self.path.member(name) })
    }

    /// A field of a field.
    pub(crate) fn below(&self, names: &[&str]) -> Option<Self> {
        names.iter().try_fold(self.clone(), |at, name| at.get(name))
    }

    /// A field that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|field| field.value.as_str())
    }

    /// Whether a field is there and true.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|field| *field.value == Value::Bool(true))
    }

    /// The members, where it is an object.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), Self { value, path: self.path.member(name) }))
    }

    /// The items, where it is a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| Self { value, path: self.path.then(Step::Item(index)) })
    }

    /// The items of a field.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        self.get(name).iter().flat_map(Self::items).collect()
    }

    /// The value at a path that begins at the same top.
    pub(crate) fn follow(&self, path: &Path<'a>) -> Option<Self> {
        let value = path.0.iter().try_fold(self.value, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Item(index) => value.get(index),
        })?;
        Some(Self { value, path: path.clone() })
    }

    /// Shows every object in it to `visit`, the outer one first; what `visit` says no to is not looked into.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Self) -> bool) {
        if self.value.is_object() {
            if visit(self) {
                self.members().for_each(|(_, member)| member.walk(visit));
            }
        } else {
            self.items().for_each(|item| item.walk(visit));
        }
    }
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
