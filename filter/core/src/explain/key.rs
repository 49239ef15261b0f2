//! The key that a token names.

use super::Note;
use super::words::{list, quoted};
use crate::keys::KeySet;
use crate::token::{UnverifiedJws, UnverifiedToken};

pub(super) fn notes(keys: Option<&KeySet>, token: &UnverifiedToken<'_>) -> Vec<Note> {
    let Some(keys) = keys else {
        return vec![Note::bad("no keys of this issuer are at hand")];
    };
    let fits = keys.has_key_for(token.kid(), token.algorithm());
    vec![Note::of(fits, sentence(keys, token.jws()))]
}

/// Which key is asked for, and which there are.
pub(super) fn sentence(keys: &KeySet, token: &UnverifiedJws<'_>) -> String {
    let wanted = match token.kid() {
        Some(kid) => format!("the token names the key {}", quoted(kid.as_bytes())),
        None => "the token names no key".to_owned(),
    };
    let skipped = match keys.skipped() {
        0 => String::new(),
        skipped => format!(" ({skipped} more are of a kind that is not used here)"),
    };
    let names = keys.names();
    let held = if names.is_empty() { "nothing".to_owned() } else { list(names) };
    format!("{wanted}; the keys at hand are {held}{skipped}")
}
