//! Names of cookies and parameters, as the widest of servers reads them.

use crate::percent::decoded;

/// Whether some server takes one name for the other. ASP.NET reads names without case; PHP decodes them, reads spaces and
/// dots as `_` and cuts at `[`; other frameworks do a part of that.
pub(super) fn may_be(own: &[u8], name: &str) -> bool {
    let plain: Vec<u8> = decoded(own).map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    let bare = plain.split(|byte| *byte == b'[').next().unwrap_or_default().trim_ascii();
    bare.len() == name.len() && bare.iter().copied().map(folded).eq(name.bytes().map(folded))
}

fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}
