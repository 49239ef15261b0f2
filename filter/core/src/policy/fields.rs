//! The shape of the document: each of its objects and each field of it, in one table.
//!
//! [`object`] makes of an object both its description and the struct that the reader takes apart, which has a member for
//! each field. So a field that is read stands in the table; and one that stands there is read, or the compiler says so. The
//! reference in `docs/policy.md` is made of the descriptions. They are constants that only documentation uses: of the table
//! the module holds names, and what is said where a field is missing.

mod credentials;
mod deny_list;
mod document;
mod forward;
mod issuer;
mod requirement;
mod revocations;
mod text;

pub(super) use credentials::Credential;
pub(super) use deny_list::{DenyList, DenyListKeys};
pub use document::DOCUMENT;
pub(super) use document::{Challenge, Document, Paths, Rule, Scope};
pub(super) use forward::{Forward, IdentityHeader};
pub(super) use issuer::{Claims, Issuer, Keys, Remote};
pub(super) use requirement::{Condition, Requirement};
pub(super) use revocations::{RevocationKeys, Revocations};

use super::read::Node;

/// An object with fields of its own.
#[derive(Debug)]
pub struct Object {
    /// Its name in this table: no two have the same.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// In the order of the documentation.
    pub fields: &'static [Field],
    /// What must hold between its fields.
    pub together: &'static [Together],
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name in the document.
    pub name: &'static str,
    /// What holds where it is not there.
    pub without: Without,
    /// What it holds.
    pub shape: Shape,
    /// What it means, in one or two sentences of Markdown.
    pub about: &'static str,
    /// A value that it may hold, in JSON.
    pub example: &'static str,
}

/// What holds where a field is not there. `null` is always an error.
#[derive(Clone, Copy, Debug)]
pub enum Without {
    /// An error, and how it ends.
    Error(&'static str),
    /// The same, unless a list names it: how it ends, and which list by which word.
    ErrorUnless(&'static str, Named),
    /// As if this stood there, in JSON.
    Value(&'static str),
    /// As if this number stood there.
    Whole(u64),
    /// This, in words.
    Words(&'static str),
}

/// A word in a list of words that is a field of the same object.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The field.
    pub field: &'static str,
    /// The word.
    pub word: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Text(Text),
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A whole number, from the first to the last.
    Whole(u64, u64),
    /// A string, a whole number or a truth value that a claim is compared with.
    Scalar {
        /// The longest string, in bytes.
        max_bytes: usize,
        /// The greatest number; the least is as far from 0.
        max_whole: u64,
    },
    /// A list of at least one.
    List {
        /// What it holds.
        of: &'static Shape,
        /// The most items.
        most: usize,
        /// Whether two may be the same.
        may_repeat: bool,
    },
    /// An object whose names are the user's own.
    Map {
        /// What the names may be.
        names: Text,
        /// What they lead to.
        of: &'static Shape,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// An object of this table.
    Object(&'static Object),
    /// An object that a standard describes.
    Standard {
        /// What it is called there.
        name: &'static str,
        /// The clause.
        clause: &'static str,
        /// The member that it must have: a list of objects.
        list: &'static str,
    },
}

/// What a string may be. Never empty.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// In words.
    pub form: &'static str,
    /// A regular expression (ECMA-262) that matches all that is accepted, and perhaps more.
    pub pattern: Option<&'static str>,
    /// The most bytes; `None` where only the size of the document bounds it.
    pub max_bytes: Option<usize>,
}

/// What must hold between the fields of an object.
#[derive(Clone, Copy, Debug)]
pub enum Together {
    /// Exactly one of these is there.
    ExactlyOne(&'static [&'static str]),
    /// One of these is there, or several.
    AtLeastOne(&'static [&'static str]),
    /// One of these is there, or none.
    AtMostOne(&'static [&'static str]),
    /// The first is there only where the second is.
    Needs(&'static str, &'static str),
    /// The first is there only where the second is one of these words, or has one of them where it is not there.
    OnlyWhere(&'static str, &'static str, &'static [&'static str]),
}

impl Shape {
    /// A list in which nothing stands twice.
    const fn distinct(of: &'static Self, most: usize) -> Self {
        Self::List { of, most, may_repeat: false }
    }
}

/// What the readers need of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// How the error ends where it is missing.
    pub(super) why: Option<&'static str>,
    /// Whether the reader says by itself when it is missing.
    pub(super) depends: bool,
}

impl Field {
    const fn known(&self) -> Known {
        let (why, depends) = match self.without {
            Without::Error(why) => (Some(why), false),
            Without::ErrorUnless(why, _) => (Some(why), true),
            Without::Value(_) | Without::Whole(_) | Without::Words(_) => (None, false),
        };
        Known { name: self.name, why, depends }
    }
}

/// The fields of an object, taken apart: a struct that [`object`] makes.
pub(super) trait Fields<'v>: Sized {
    const KNOWN: &'static [Known];

    /// Asks for each by its name.
    fn take(field: impl FnMut(&'static str) -> Option<Node<'v>>) -> Self;
}

/// The first parts of pairs, as [`Shape::Word`] wants them.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which has no iterators there")]
pub(super) const fn names<T: Copy, const N: usize>(words: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = words[index].0;
        index += 1;
    }
    names
}

/// Describes an object, and makes the struct of its fields.
macro_rules! object {
    (
        $(#[$attribute:meta])*
        $visibility:vis $description:ident $fields:ident
        about: $about:expr,
        together: $together:expr,
        $($field:ident { $($part:ident: $value:expr),+ $(,)? })+
    ) => {
        $(#[$attribute])*
        $visibility const $description: $crate::policy::fields::Object = $crate::policy::fields::Object {
            name: stringify!($fields),
            about: $about,
            fields: &[$(
                $crate::policy::fields::Field { name: stringify!($field), $($part: $value),+ },
            )+],
            together: $together,
        };

        $(#[$attribute])*
        pub(in crate::policy) struct $fields<'v> {
            $(pub(in crate::policy) $field: Option<$crate::policy::read::Node<'v>>,)+
        }

        impl<'v> $crate::policy::fields::Fields<'v> for $fields<'v> {
            const KNOWN: &'static [$crate::policy::fields::Known] = &[$(
                $crate::policy::fields::Field { name: stringify!($field), $($part: $value),+ }.known(),
            )+];

            fn take(
                mut field: impl FnMut(&'static str) -> Option<$crate::policy::read::Node<'v>>,
            ) -> Self {
                Self { $($field: field(stringify!($field)),)+ }
            }
        }
    };
}
use object;

#[cfg(test)]
mod tests;
