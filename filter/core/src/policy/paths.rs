//! `paths`: what of a path is kept, replaced or folded because every server behind does the same.

use super::read::Node;
use crate::path::PathSettings;
use crate::reading::Foldings;

pub(super) fn read(node: &Node<'_>) -> Option<PathSettings> {
    let mut fields = node.object()?;
    let mut choice = |name, words: [(&str, bool); 2]| match fields.optional(name) {
        Some(node) => node.word(&words),
        None => Some(false),
    };
    let slash = choice("encoded_slash", [("refuse", false), ("keep", true)]);
    let parameters = choice("parameters", [("refuse", false), ("keep", true)]);
    let replace = choice("non_canonical", [("refuse", false), ("replace", true)]);
    let letters = choice("letters", [("exact", false), ("folded", true)]);
    let end = choice("trailing_slash", [("exact", false), ("folded", true)]);
    fields.finish();
    let fold = |folds: bool, folding| if folds { folding } else { Foldings::NONE };
    Some(PathSettings {
        keep_encoded_slash: slash?,
        keep_parameters: parameters?,
        replace: replace?,
        folded: fold(letters?, Foldings::LETTERS).and(fold(end?, Foldings::SLASH)),
    })
}
