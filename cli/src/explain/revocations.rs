//! What has ended early, as far as files say it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use bearward_core::Policy;
use bearward_core::policy::TrustedIssuer;
use bearward_core::revocations::{DenyList, Feed, FeedRing, answer, deny_list};

use crate::input;

/// The feeds and deny lists that are given, feeds as fresh as may be at `now`, and a sentence for each issuer that has none.
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
        let found = policy.issuers().find(|(_, trusted)| {
            trusted.name == name && (trusted.revocations.is_some() || trusted.deny_list.is_some())
        });
        let Some((id, trusted)) = found else {
            return Err(format!(
                "--revocations {given}: the policy has no issuer `{name}` with `revocations` or a `deny_list`"
            ));
        };
        if !seen.insert(name) {
            return Err(format!("--revocations {given}: those of `{name}` are given twice"));
        }
        let text = input::read(Path::new(file))?;
        match &trusted.revocations {
            Some(source) => {
                let feed = feed_of(&text, file, trusted, source.stale_after_seconds, now)?;
                ring.set(id, Rc::new(RefCell::new(feed)));
            }
            None => ring.set_list(id, Rc::new(RefCell::new(list_of(&text, file, trusted, now)?))),
        }
    }
    let hints =
        policy.issuers().filter_map(|(id, trusted)| match (&trusted.revocations, &trusted.deny_list) {
            (Some(feed), _) if ring.get(id).is_none() => {
                Some(missing(&trusted.name, &feed.scheme, &feed.authority, &feed.path, FEED))
            }
            (_, Some(list)) if ring.list(id).is_none() => {
                Some(missing(&trusted.name, &list.scheme, &list.authority, &list.path, LIST))
            }
            _ => None,
        });
    let hints = hints.collect();
    Ok((ring, hints))
}

/// What the proxy does, and what to do here.
const FEED: (&str, &str) = ("follows what", "save an answer, or write `[]` for nothing,");
const LIST: (&str, &str) = ("fetches the deny list of", "save it");

fn missing(name: &str, scheme: &str, authority: &str, path: &str, words: (&str, &str)) -> String {
    let (does, save) = words;
    let has = if words == FEED { " has revoked" } else { "" };
    format!(
        "the proxy {does} `{name}`{has} at {scheme}://{authority}{path}: {save} and say --revocations {name}=FILE"
    )
}

fn feed_of(
    text: &[u8],
    file: &str,
    trusted: &TrustedIssuer,
    stale_after_seconds: u64,
    now: u64,
) -> Result<Feed, String> {
    let records = answer::read_saved(text, trusted.issuer.iss().unwrap_or_default()).map_err(|refusal| {
        format!(
            "{file}: neither a list of records nor an answer of the feed of `{}`: it {}",
            trusted.name,
            refusal.text()
        )
    })?;
    Ok(Feed::holding(records, stale_after_seconds, now.saturating_mul(1_000)))
}

/// A list says itself how old it is.
fn list_of(text: &[u8], file: &str, trusted: &TrustedIssuer, now: u64) -> Result<DenyList, String> {
    let wrong =
        |what: &dyn std::fmt::Display| format!("{file}: no deny list of `{}`: it {what}", trusted.name);
    let saved = deny_list::read_saved(text, trusted.issuer.iss()).map_err(|refused| wrong(&refused))?;
    if saved.iat > now.saturating_add(deny_list::MAX_AHEAD_SECONDS) {
        return Err(wrong(&deny_list::ListRefusal::Ahead.text()));
    }
    Ok(DenyList::holding(saved.entries, saved.iat))
}
