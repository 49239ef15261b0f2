//! The feeds of a policy, one place for each issuer: as [`KeyRing`](crate::KeyRing) is for keys.

use std::cell::RefCell;
use std::rc::Rc;

use super::Feed;
use crate::policy::IssuerId;

/// The feeds at hand. Several policies of a VM may share one.
#[derive(Clone, Debug, Default)]
pub struct FeedRing {
    feeds: Vec<Option<Rc<RefCell<Feed>>>>,
}

impl FeedRing {
    /// None, for whoever has none.
    pub const NONE: &'static Self = &Self { feeds: Vec::new() };

    /// None yet: an issuer with a feed has its tokens refused with 503.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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
    /// Every feed of a policy, each fresh at `now`, in seconds since the epoch, and nothing ended: for tests of a policy.
    #[must_use]
    pub fn quiet(policy: &crate::Policy, now: u64) -> Self {
        let mut ring = Self::new();
        for (id, trusted) in policy.issuers() {
            if let Some(source) = &trusted.revocations {
                let feed = Feed::holding(Vec::new(), source.stale_after_seconds, now.saturating_mul(1_000));
                ring.set(id, Rc::new(RefCell::new(feed)));
            }
        }
        ring
    }
}
