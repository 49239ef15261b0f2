//! Names of headers as servers fold them: CGI and WSGI read `x_user_id` as `x-user-id`, PHP also `x.user.id`, some every byte that is
//! no letter and no digit.

use crate::wide::is_same;

/// Whether a server that folds names may take one for the other.
pub(crate) fn folds_to(name: &[u8], other: &str) -> bool {
    let folded = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    let is_folded = || name.iter().copied().map(folded).eq(other.bytes().map(folded));
    name.len() == other.len() && (is_same(name, other.as_bytes()) || is_folded())
}

/// Several names, of which most others differ by their length alone: every header of every request is looked for among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoldedNames {
    names: Vec<String>,
    /// By length, as far as the longest: whether one has it.
    lengths: Vec<bool>,
}

impl FoldedNames {
    pub(crate) fn of(names: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        let longest = names.iter().map(String::len).max();
        let has = |length: usize| names.iter().any(|name| name.len() == length);
        let lengths = longest.into_iter().flat_map(|longest| (0..=longest).map(has)).collect();
        Self { names, lengths }
    }

    /// These and others.
    pub(crate) fn and(&self, others: impl Iterator<Item = String>) -> Self {
        Self::of(self.names.iter().cloned().chain(others))
    }

    /// Whether some server takes this name for one of them.
    pub(crate) fn hold(&self, name: &[u8]) -> bool {
        self.lengths.get(name.len()) == Some(&true) && self.names.iter().any(|own| folds_to(name, own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_held_in_every_spelling_and_no_other() {
        let longest = "x".repeat(64);
        let own = ["x-user-id".to_owned(), longest.clone()];
        let names = FoldedNames::of(own.into_iter()).and(["x-host".to_owned()].into_iter());
        for name in ["x-user-id", "X_User.Id", "x~host", longest.as_str()] {
            assert!(names.hold(name.as_bytes()), "{name}");
        }
        for name in ["", "x-user-ix", "x-user-ids", "xxhost", &"x".repeat(63), &format!("{longest}x")] {
            assert!(!names.hold(name.as_bytes()), "{name}");
        }
    }
}
