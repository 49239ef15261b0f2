//! What is wrong with a configuration: all of it at once, each with the path of its field.

use std::cell::RefCell;
use std::fmt;

/// The most problems that are reported of one document.
pub const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong, where, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the field, such as `policies[0].rules[2].paths[0]`; empty for the whole document.
    pub path: String,
    /// What is wrong with it. Never holds a secret.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.text),
            path => write!(formatter, "{path}: {}", self.text),
        }
    }
}

/// All that is wrong with a document; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// One problem of the whole document.
    #[must_use]
    pub fn of_document(text: impl Into<String>) -> Self {
        Self(vec![Problem { path: String::new(), text: text.into() }])
    }

    /// The problems, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: RefCell<Vec<Problem>>,
}

impl Report {
    pub(crate) fn add(&self, path: &str, text: impl Into<String>) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS {
            problems.push(Problem { path: path.to_owned(), text: text.into() });
        }
    }

    /// `value`, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        let problems = self.problems.into_inner();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ if problems.is_empty() => Err(Problems::of_document("cannot be read")),
            _ => Err(Problems(problems)),
        }
    }
}
