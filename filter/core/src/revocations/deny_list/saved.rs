//! A list out of a file, for the command line: nothing is let in by it, and no signature is asked for.

use super::document::{self, Document};
use super::{Entries, ListRefusal, MAX_LIST_BYTES, Refused, parse_jws};

/// What stands in a file.
#[derive(Debug)]
pub struct Saved {
    /// Whose tokens it is about.
    pub iss: String,
    /// In seconds since the epoch.
    pub iat: u64,
    /// What it denies.
    pub entries: Entries,
}

/// Reads a list, plain or signed. `iss`: whose it must be, where that is known.
///
/// # Errors
/// Why it is none.
pub fn read_saved(text: &[u8], iss: Option<&str>) -> Result<Saved, Refused> {
    let (named, Document { iat, entries }) = match text.trim_ascii_start().first() {
        Some(b'{') if text.len() > MAX_LIST_BYTES => return Err(ListRefusal::Size.into()),
        Some(b'{') => document::read_any(text)?,
        _ => document::read_any(&parse_jws(text)?.1)?,
    };
    if iss.is_some_and(|iss| iss != named) {
        return Err(ListRefusal::Issuer.into());
    }
    Ok(Saved { iss: named, iat, entries })
}
