//! The feeds of a policy, one place for each issuer: as [`KeyRing`](crate::KeyRing) is for keys.

use std::cell::RefCell;
use std::rc::Rc;

use super::Feed;
use crate::policy::IssuerId;
#[cfg(any(test, feature = "explain"))]
use crate::policy::Policy;

/// The feeds at hand. Several policies of a VM may share one.
#[derive(Clone, Debug, Default)]
pub struct FeedRing {
    feeds: Vec<Option<Rc<RefCell<Feed>>>>,
}

impl FeedRing {
    /// None yet: an issuer with a feed has its tokens refused with 503.
    #[must_use]
    pub const fn new() -> Self {
        Self { feeds: Vec::new() }
    }

    /// Puts the feed of an issuer in its place.
    pub fn set(&mut self, issuer: IssuerId, feed: Rc<RefCell<Feed>>) {
        let wanted = issuer.0.saturating_add(1);
        if self.feeds.len() < wanted {
            self.feeds.resize(wanted, None);
        }
        if let Some(place) = self.feeds.get_mut(issuer.0) {
            *place = Some(feed);
        }
    }

    /// The feed of an issuer.
    #[must_use]
    pub fn get(&self, issuer: IssuerId) -> Option<&Rc<RefCell<Feed>>> {
        self.feeds.get(issuer.0).and_then(Option::as_ref)
    }
}

#[cfg(any(test, feature = "explain"))]
impl FeedRing {
    /// Fresh ones at the time `now`, in seconds since the epoch, for every issuer of a policy that has one, with these records:
    /// for explanations.
    #[must_use]
    pub fn fresh(policy: &Policy, now: u64, records: impl Fn(IssuerId) -> Vec<super::Record>) -> Self {
        let mut ring = Self::new();
        for (id, trusted) in policy.issuers() {
            if let Some(feed) = &trusted.revocations {
                let now_ms = now.saturating_mul(1_000);
                let feed = Feed::holding(records(id), feed.stale_after_seconds, now_ms);
                ring.set(id, Rc::new(RefCell::new(feed)));
            }
        }
        ring
    }
}
