//! A list out of a file, for the command line: nothing is let in by it, and no signature is asked for.

use super::document::{self, Document};
use super::{Entries, ListRefusal, MAX_LIST_BYTES, Refused, parse_jws};

/// What stands in a file.
#[derive(Debug)]
pub struct Saved {
    /// In seconds since the epoch.
    pub iat: u64,
    /// What it denies.
    pub entries: Entries,
}

/// Reads a list, plain or signed. `iss`: whose it must be.
///
/// # Errors
/// Why it is none.
pub fn read_saved(text: &[u8], iss: &str) -> Result<Saved, Refused> {
    let Document { iat, entries } = match text.trim_ascii_start().first() {
        Some(b'{') if text.len() > MAX_LIST_BYTES => return Err(ListRefusal::Size.into()),
        Some(b'{') => document::read(text, iss)?,
        _ => document::read(&parse_jws(text)?.1, iss)?,
    };
    Ok(Saved { iat, entries })
}
