//! `challenge`: what a refused client is told of whom to ask.

use super::fields::Challenge;
use super::read::Node;

/// The longest text of the challenge that a policy may set, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 256;
/// The realm where none is set.
const DEFAULT_REALM: &str = "bearward";

/// Parameters of the `WWW-Authenticate` challenge. Nothing in them can end a quoted string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeSettings {
    /// The protection space (RFC 9110 section 11.5).
    pub realm: String,
    /// Where the metadata of the protected resource stand (RFC 9728 section 5.1).
    pub resource_metadata: Option<String>,
}

impl Default for ChallengeSettings {
    fn default() -> Self {
        Self { realm: DEFAULT_REALM.to_owned(), resource_metadata: None }
    }
}

/// Reads the settings; what is not set is as in `outer`.
pub(super) fn read(node: &Node<'_>, outer: &ChallengeSettings) -> Option<ChallengeSettings> {
    let Challenge { realm, resource_metadata } = node.fields()?;
    if realm.is_none() && resource_metadata.is_none() {
        node.problem("must hold `realm` or `resource_metadata`");
    }
    let realm = realm.map(|node| quotable(&node));
    let metadata = resource_metadata.map(|node| read_uri(&node));
    Some(ChallengeSettings {
        realm: realm.unwrap_or_else(|| Some(outer.realm.clone()))?,
        resource_metadata: metadata
            .map_or_else(|| Some(outer.resource_metadata.clone()), |uri| uri.map(Some))?,
    })
}

fn read_uri(node: &Node<'_>) -> Option<String> {
    let uri = quotable(node)?;
    let after = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    if after.is_none_or(str::is_empty) || uri.contains([' ', '#']) {
        node.problem("must be an absolute https or http URI without a fragment");
        return None;
    }
    Some(uri)
}

fn quotable(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let fine = text.len() <= MAX_TEXT_BYTES
        && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\');
    if !fine {
        node.problem(format!(
            "must be at most {MAX_TEXT_BYTES} characters of printable ASCII, without quotes and backslashes"
        ));
        return None;
    }
    Some(text.to_owned())
}
