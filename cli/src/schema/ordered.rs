//! JSON whose members stand in the order in which they were written, so that the same table makes the same bytes.

use std::fmt;

use serde_json::Value;

/// As many columns a value has at most on one line.
const MAX_COLUMNS: usize = 120;
const STEP: usize = 2;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Json {
    /// A text, a number or a truth value.
    Flat(Value),
    List(Vec<Json>),
    Object(Members),
}

/// The members of an object, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Vec<(String, Json)>);

impl Members {
    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The same, where there is a value.
    pub(super) fn with_some(self, name: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn and(mut self, others: Members) -> Self {
        self.0.extend(others.0);
        self
    }
}

impl FromIterator<(String, Json)> for Members {
    fn from_iter<T: IntoIterator<Item = (String, Json)>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        Self::Object(members)
    }
}

/// Members of an object have the order of their names, whatever order a map keeps.
impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> =
                    members.into_iter().map(|(name, value)| (name, Self::from(value))).collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Self::Object(Members(members))
            }
            Value::Array(items) => items.into_iter().collect(),
            flat => Self::Flat(flat),
        }
    }
}

impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

macro_rules! flat {
    ($($kind:ty),+) => {
        $(impl From<$kind> for Json {
            fn from(value: $kind) -> Self {
                Self::Flat(Value::from(value))
            }
        })+
    };
}
flat!(&str, String, bool, u64, i64, usize);

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written(0, 0))
    }
}

impl Json {
    /// On one line where it fits there, which begins after so many columns; else indented. Depth is that of the table.
    fn written(&self, indent: usize, begun: usize) -> String {
        let line = self.line();
        if begun + line.chars().count() <= MAX_COLUMNS {
            return line;
        }
        let inner = indent + STEP;
        match self {
            Self::Flat(_) => line,
            Self::List(items) => {
                let items = items.iter().map(|item| item.written(inner, inner + 1));
                block(['[', ']'], indent, items)
            }
            Self::Object(Members(members)) => {
                let members = members.iter().map(|(name, value)| {
                    let name = Value::from(name.as_str()).to_string();
                    let begun = inner + name.chars().count() + 3;
                    format!("{name}: {}", value.written(inner, begun))
                });
                block(['{', '}'], indent, members)
            }
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Flat(value) => value.to_string(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::line).collect::<Vec<_>>().join(", ")),
            Self::Object(Members(members)) if members.is_empty() => "{}".to_owned(),
            Self::Object(Members(members)) => {
                let member = |(name, value): &(String, Self)| {
                    format!("{}: {}", Value::from(name.as_str()), value.line())
                };
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn block([open, close]: [char; 2], indent: usize, lines: impl Iterator<Item = String>) -> String {
    let margin = " ".repeat(indent + STEP);
    let lines: Vec<_> = lines.map(|line| format!("{margin}{line}")).collect();
    format!("{open}\n{}\n{}{close}", lines.join(",\n"), " ".repeat(indent))
}
