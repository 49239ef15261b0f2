//! What has ended early, as far as files say it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use bearward_core::Policy;
use bearward_core::revocations::{Feed, FeedRing, answer};

use crate::input;

/// The feeds that are given, each as fresh as may be at `now`, and a sentence for each issuer that has none.
///
/// # Errors
/// What is wrong with `--revocations`.
pub(super) fn at_hand(
    policy: &Policy,
    given: &[String],
    now: u64,
) -> Result<(FeedRing, Vec<String>), String> {
    let mut ring = FeedRing::new();
    let mut seen = BTreeSet::new();
    for given in given {
        let (name, file) =
            given.split_once('=').ok_or_else(|| format!("--revocations {given}: write ISSUER=FILE"))?;
        let found = policy.issuers().find(|(_, trusted)| trusted.name == name);
        let feed = found.and_then(|(id, trusted)| Some((id, trusted, trusted.revocations.as_ref()?)));
        let Some((id, trusted, source)) = feed else {
            return Err(format!(
                "--revocations {given}: the policy has no issuer `{name}` with `revocations`"
            ));
        };
        if !seen.insert(name) {
            return Err(format!("--revocations {given}: those of `{name}` are given twice"));
        }
        let text = input::read(Path::new(file))?;
        let records =
            answer::read_saved(&text, trusted.issuer.iss().unwrap_or_default()).map_err(|refusal| {
                format!(
                    "{file}: neither a list of records nor an answer of the feed of `{name}`: it {}",
                    refusal.text()
                )
            })?;
        let feed = Feed::holding(records, source.stale_after_seconds, now.saturating_mul(1_000));
        ring.set(id, Rc::new(RefCell::new(feed)));
    }
    let missing = policy.issuers().filter(|(id, _)| ring.get(*id).is_none());
    let hints = missing.filter_map(|(_, trusted)| {
        let (feed, name) = (trusted.revocations.as_ref()?, &trusted.name);
        Some(format!(
            "the proxy follows what `{name}` has revoked at {}://{}{}: save an answer, or write `[]` for nothing, and say \
             --revocations {name}=FILE",
            feed.scheme, feed.authority, feed.path
        ))
    });
    let hints = hints.collect();
    Ok((ring, hints))
}
