//! The JWK Set of an issuer, out of a file of one's own.

use std::path::Path;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::KeySet;

use crate::input;

/// Reads the keys of the issuer `name`, whose tokens have one of these algorithms, as the filter would; `oct` keys where
/// they are secrets.
///
/// # Errors
/// What is wrong with the file, or with each of its keys.
pub(crate) fn read(file: &Path, name: &str, algorithms: &[AlgorithmName]) -> Result<KeySet, String> {
    let text = input::read(file)?;
    let unfit = |why: &str| format!("{}: cannot be used as the keys of `{name}`:{why}", file.display());
    let set = if algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
        KeySet::parse_with_secrets(&text, algorithms)
    } else {
        KeySet::parse(&text, algorithms)
    };
    let set = set.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        unfit(&problems.concat())
    })?;
    if set.is_empty() {
        let listed: Vec<_> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
        return Err(unfit(&format!("\n  none of its keys is for {}", listed.join(", "))));
    }
    Ok(set)
}
