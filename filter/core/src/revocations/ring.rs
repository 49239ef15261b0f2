//! The feeds and deny lists of a policy, one place for each issuer: as [`KeyRing`](crate::KeyRing) is for keys.

use std::cell::RefCell;
use std::rc::Rc;

use super::{DenyList, Feed};
use crate::policy::IssuerId;

/// The feeds and deny lists at hand. Several policies of a VM may share one.
#[derive(Clone, Debug, Default)]
pub struct FeedRing {
    feeds: Vec<Option<Rc<RefCell<Feed>>>>,
    lists: Vec<Option<Rc<RefCell<DenyList>>>>,
}

impl FeedRing {
    /// None, for whoever has none.
    pub const NONE: &'static Self = &Self { feeds: Vec::new(), lists: Vec::new() };

    /// None yet: an issuer with a feed or a deny list has its tokens refused with 503.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the feed of an issuer in its place.
    pub fn set(&mut self, issuer: IssuerId, feed: Rc<RefCell<Feed>>) {
        put(&mut self.feeds, issuer, feed);
    }

    /// Puts the deny list of an issuer in its place.
    pub fn set_list(&mut self, issuer: IssuerId, list: Rc<RefCell<DenyList>>) {
        put(&mut self.lists, issuer, list);
    }

    /// The feed of an issuer.
    #[must_use]
    pub fn get(&self, issuer: IssuerId) -> Option<&Rc<RefCell<Feed>>> {
        self.feeds.get(issuer.0).and_then(Option::as_ref)
    }

    /// The deny list of an issuer.
    #[must_use]
    pub fn list(&self, issuer: IssuerId) -> Option<&Rc<RefCell<DenyList>>> {
        self.lists.get(issuer.0).and_then(Option::as_ref)
    }
}

fn put<T>(places: &mut Vec<Option<Rc<RefCell<T>>>>, issuer: IssuerId, value: Rc<RefCell<T>>) {
    let wanted = issuer.0.saturating_add(1);
    if places.len() < wanted {
        places.resize(wanted, None);
    }
    if let Some(place) = places.get_mut(issuer.0) {
        *place = Some(value);
    }
}

#[cfg(any(test, feature = "explain"))]
impl FeedRing {
    /// Every feed and deny list of a policy, each fresh at `now`, in seconds since the epoch, and nothing ended: for tests of a
    /// policy.
    #[must_use]
    pub fn quiet(policy: &crate::Policy, now: u64) -> Self {
        let mut ring = Self::new();
        for (id, trusted) in policy.issuers() {
            if let Some(source) = &trusted.revocations {
                let feed = Feed::holding(Vec::new(), source.stale_after_seconds, now.saturating_mul(1_000));
                ring.set(id, Rc::new(RefCell::new(feed)));
            }
            if trusted.deny_list.is_some() {
                let list = DenyList::holding(super::deny_list::Entries::default(), now);
                ring.set_list(id, Rc::new(RefCell::new(list)));
            }
        }
        ring
    }
}
