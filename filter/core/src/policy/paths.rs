//! `paths`: what of a path is kept, replaced or folded because every server behind does the same.

use super::fields::Paths;
use super::read::Node;
use crate::path::PathSettings;
use crate::reading::Foldings;

/// The stricter word, which is the default, first.
pub(super) const REFUSE_OR_KEEP: [(&str, bool); 2] = [("refuse", false), ("keep", true)];
pub(super) const REFUSE_OR_REPLACE: [(&str, bool); 2] = [("refuse", false), ("replace", true)];
pub(super) const EXACT_OR_FOLDED: [(&str, bool); 2] = [("exact", false), ("folded", true)];

pub(super) fn read(node: &Node<'_>) -> Option<PathSettings> {
    let Paths { encoded_slash, parameters, non_canonical, letters, trailing_slash } = node.fields()?;
    let choice = |node: Option<Node<'_>>, words: [(&str, bool); 2]| match node {
        Some(node) => node.word(&words),
        None => Some(false),
    };
    let slash = choice(encoded_slash, REFUSE_OR_KEEP);
    let parameters = choice(parameters, REFUSE_OR_KEEP);
    let replace = choice(non_canonical, REFUSE_OR_REPLACE);
    let letters = choice(letters, EXACT_OR_FOLDED);
    let end = choice(trailing_slash, EXACT_OR_FOLDED);
    let fold = |folds: bool, folding| if folds { folding } else { Foldings::NONE };
    Some(PathSettings {
        keep_encoded_slash: slash?,
        keep_parameters: parameters?,
        replace: replace?,
        folded: fold(letters?, Foldings::LETTERS).and(fold(end?, Foldings::SLASH)),
    })
}
