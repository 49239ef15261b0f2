//! The key that a token names.

use super::Note;
use super::words::list;
use crate::keys::KeySet;
use crate::token::UnverifiedToken;

pub(super) fn notes(keys: Option<&KeySet>, token: &UnverifiedToken<'_>) -> Vec<Note> {
    let Some(keys) = keys else {
        return vec![Note::bad("no keys of this issuer are at hand")];
    };
    let wanted = match token.kid() {
        Some(kid) => format!("the token names the key {}", super::words::quoted(kid.as_bytes())),
        None => "the token names no key".to_owned(),
    };
    let skipped = match keys.skipped() {
        0 => String::new(),
        skipped => format!(" ({skipped} more are of a kind that is not used here)"),
    };
    let fits = keys.has_key_for(token.kid(), token.algorithm());
    let names = keys.names();
    let held = if names.is_empty() { "nothing".to_owned() } else { list(names) };
    vec![Note::of(fits, format!("{wanted}; the keys at hand are {held}{skipped}"))]
}
