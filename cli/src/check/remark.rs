//! One thing that is wrong or suspicious, and the field: before it is looked up where that stands.

use crate::check::kind::Kind;
use crate::field::Path;

/// What is to be said about a field.
pub(crate) struct Remark<'a> {
    /// `None`: it is wrong. Else it is suspicious.
    pub(crate) kind: Option<Kind>,
    pub(crate) field: Field<'a>,
    /// What is wrong, as the end of a sentence that begins with the field; what is suspicious, as a sentence. Never holds a
    /// secret.
    pub(crate) text: String,
}

/// A field, which may be missing.
pub(crate) enum Field<'a> {
    /// Of the policy, by its path as the core writes it.
    Policy(String),
    /// Of the file.
    File(Path<'a>),
}

impl<'a> Remark<'a> {
    /// Something wrong with the policy.
    pub(crate) fn of_policy(path: &str, text: impl Into<String>) -> Self {
        Self { kind: None, field: Field::Policy(path.to_owned()), text: text.into() }
    }

    /// Something wrong around it.
    pub(crate) fn problem(path: Path<'a>, text: impl Into<String>) -> Self {
        Self { kind: None, field: Field::File(path), text: text.into() }
    }

    /// Something suspicious around it.
    pub(crate) fn suspicion(kind: Kind, path: Path<'a>, text: impl Into<String>) -> Self {
        Self { kind: Some(kind), field: Field::File(path), text: text.into() }
    }
}
