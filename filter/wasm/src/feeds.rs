//! Following the feeds of revocations: one VM of a proxy asks the issuer, the others read what it left in shared data.

mod attempt;
mod call;
mod keys;
mod leading;
mod poll;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use bearward_core::Policy;
use bearward_core::policy::{RevocationFeed, TrustedIssuer};
use bearward_core::revocations::{Feed, FeedRing};

use crate::answer::CallEnd;
use crate::metrics::Metrics;
use leading::{Leaders, Leading};
use poll::FeedPoll;

/// The feeds of a VM by the prefix of what they share, and by when they are stale.
type Known = BTreeMap<(String, u64), (Weak<RefCell<Feed>>, Leaders)>;

thread_local! {
    /// Several configurations of this VM share one.
    static FEEDS: RefCell<Known> = const { RefCell::new(BTreeMap::new()) };
}

/// The feeds of one policy.
pub(crate) struct Feeds {
    polls: Vec<FeedPoll>,
}

impl Feeds {
    /// Those of a policy, and where a decision finds them. `seed` differs between proxies.
    pub(crate) fn of(policy: &Policy, seed: u64) -> (Self, FeedRing) {
        let mut ring = FeedRing::new();
        let mut polls = Vec::new();
        for (issuer, trusted) in policy.issuers() {
            if let Some(config) = &trusted.revocations {
                let (feed, leaders) = shared(config, trusted);
                ring.set(issuer, Rc::clone(&feed));
                polls.push(FeedPoll::new(trusted, config.clone(), feed, Leading::among(leaders), seed));
            }
        }
        (Self { polls }, ring)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.polls.is_empty()
    }

    /// One step of each; each is bounded.
    pub(crate) fn tick(&mut self, now_ms: u64, metrics: &Metrics) {
        self.polls.iter_mut().for_each(|poll| poll.tick(now_ms, metrics));
    }

    /// Takes what other VMs have left; see [`FeedPoll::restore`].
    pub(crate) fn restore(&mut self, now_ms: u64, metrics: &Metrics) -> bool {
        // Each of them, and not only until one was.
        let restored: Vec<_> = self.polls.iter_mut().map(|poll| poll.restore(now_ms, metrics)).collect();
        restored.contains(&true)
    }

    /// Whether the answer was to one of these. One to a call that is not under way any more is dropped.
    pub(crate) fn on_answer(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) -> bool {
        let Some(poll) = self.polls.iter_mut().find(|poll| poll.awaits(end.token)) else { return false };
        poll.on_answer(end, now_ms, metrics);
        true
    }

    /// This configuration asks no more: whoever leads next need not wait until the lease has ended.
    pub(crate) fn retire(&mut self) {
        self.polls.iter_mut().for_each(FeedPoll::retire);
    }

    /// Whether there is more to do at once than waits for the next tick.
    pub(crate) fn is_busy(&self) -> bool {
        self.polls.iter().any(FeedPoll::is_busy)
    }
}

fn shared(config: &RevocationFeed, trusted: &TrustedIssuer) -> (Rc<RefCell<Feed>>, Leaders) {
    let prefix = config.shared_prefix(&trusted.issuer);
    FEEDS.with_borrow_mut(|feeds| {
        feeds.retain(|_, (feed, _)| feed.strong_count() > 0);
        let key = (prefix.clone(), config.stale_after_seconds);
        if let Some((feed, leaders)) = feeds.get(&key)
            && let Some(feed) = feed.upgrade()
        {
            return (feed, Rc::clone(leaders));
        }
        let feed = Rc::new(RefCell::new(Feed::new(prefix, config.stale_after_seconds)));
        let leaders = Leaders::default();
        feeds.insert(key, (Rc::downgrade(&feed), Rc::clone(&leaders)));
        (feed, leaders)
    })
}
