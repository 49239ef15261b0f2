//! Following the feeds of revocations: one VM of a proxy asks the issuer, the others read what it left in shared data.

mod poll;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use bearward_core::Policy;
use bearward_core::policy::{IssuerId, RevocationFeed, TrustedIssuer};
use bearward_core::revocations::{Feed, FeedRing, Freshness};

use crate::metrics::Metrics;
use poll::FeedPoll;

/// The feeds of a VM by the prefix of what they share, and by when they are stale.
type Known = BTreeMap<(String, u64), Weak<RefCell<Feed>>>;

thread_local! {
    /// Several configurations of this VM share one.
    static FEEDS: RefCell<Known> = const { RefCell::new(BTreeMap::new()) };
}

/// The feeds of one policy.
pub(crate) struct Feeds {
    polls: Vec<FeedPoll>,
    known: Vec<bool>,
}

impl Feeds {
    /// Those of a policy, and where a decision finds them. `holder` tells this configuration in this VM from all others.
    pub(crate) fn of(policy: &Policy, holder: u64) -> (Self, FeedRing) {
        let mut ring = FeedRing::new();
        let mut polls = Vec::new();
        for (issuer, trusted) in policy.issuers() {
            if let Some(config) = &trusted.revocations {
                let feed = shared(config, trusted);
                ring.set(issuer, Rc::clone(&feed));
                polls.push(FeedPoll::new(issuer, trusted, config.clone(), feed, holder));
            }
        }
        let known = vec![false; polls.len()];
        (Self { polls, known }, ring)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.polls.is_empty()
    }

    /// One step of each; each is bounded. Of which issuers something is known from now on.
    pub(crate) fn tick(&mut self, now_ms: u64, metrics: &Metrics) -> Vec<IssuerId> {
        self.polls.iter_mut().for_each(|poll| poll.tick(now_ms, metrics));
        self.news(now_ms)
    }

    /// An answer to a call that is not under way any more is dropped; `None` where it is none of these.
    pub(crate) fn on_answer(
        &mut self,
        token: u32,
        answered: bool,
        body_size: usize,
        now_ms: u64,
        metrics: &Metrics,
    ) -> Option<Vec<IssuerId>> {
        let poll = self.polls.iter_mut().find(|poll| poll.awaits(token))?;
        poll.on_answer(token, answered, body_size, now_ms, metrics);
        Some(self.news(now_ms))
    }

    /// Whether there is more to do at once than waits for the next tick.
    pub(crate) fn is_busy(&self) -> bool {
        self.polls.iter().any(FeedPoll::is_busy)
    }

    fn news(&mut self, now_ms: u64) -> Vec<IssuerId> {
        let mut news = Vec::new();
        for (poll, known) in self.polls.iter().zip(&mut self.known) {
            let is_known = poll.freshness(now_ms) != Freshness::Unknown;
            if is_known && !*known {
                news.push(poll.issuer());
            }
            *known = is_known;
        }
        news
    }
}

fn shared(config: &RevocationFeed, trusted: &TrustedIssuer) -> Rc<RefCell<Feed>> {
    let prefix = config.shared_prefix(&trusted.issuer);
    FEEDS.with_borrow_mut(|feeds| {
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let key = (prefix.clone(), config.stale_after_seconds);
        if let Some(feed) = feeds.get(&key).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Rc::new(RefCell::new(Feed::new(prefix, config.stale_after_seconds)));
        feeds.insert(key, Rc::downgrade(&feed));
        feed
    })
}
