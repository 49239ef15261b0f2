//! Fetching deny lists: one VM of a proxy asks for each, the others read what it left in shared data.

mod fetch;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use bearward_core::Policy;
use bearward_core::revocations::{DenyList, FeedRing};

use crate::answer::CallEnd;
use crate::metrics::Metrics;
use fetch::ListFetch;

thread_local! {
    /// The lists of a VM by the prefix of what they share: several configurations share one.
    static LISTS: RefCell<BTreeMap<String, Weak<RefCell<DenyList>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The deny lists of one policy.
pub(crate) struct DenyLists {
    fetches: Vec<ListFetch>,
}

impl DenyLists {
    /// Those of a policy, each in its place in `ring`, where a decision finds it.
    pub(crate) fn of(policy: &Policy, ring: &mut FeedRing) -> Self {
        let mut fetches = Vec::new();
        for (issuer, trusted) in policy.issuers() {
            if let Some(source) = &trusted.deny_list {
                let list = shared(source.shared_prefix(&trusted.issuer));
                ring.set_list(issuer, Rc::clone(&list));
                fetches.push(ListFetch::new(trusted, source.clone(), list));
            }
        }
        Self { fetches }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fetches.is_empty()
    }

    /// One step of each; each is bounded.
    pub(crate) fn tick(&mut self, now_ms: u64, metrics: &Metrics) {
        self.fetches.iter_mut().for_each(|fetch| fetch.tick(now_ms, metrics));
    }

    /// Whether the answer was to one of these. One to a call that is not under way any more is dropped.
    pub(crate) fn on_answer(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) -> bool {
        let Some(fetch) = self.fetches.iter_mut().find(|fetch| fetch.awaits(end.token)) else { return false };
        fetch.on_answer(end, now_ms, metrics);
        true
    }

    /// This configuration asks no more: whoever leads next need not wait until the lease has ended.
    pub(crate) fn retire(&mut self) {
        self.fetches.iter_mut().for_each(ListFetch::retire);
    }
}

fn shared(prefix: String) -> Rc<RefCell<DenyList>> {
    LISTS.with_borrow_mut(|lists| {
        lists.retain(|_, list| list.strong_count() > 0);
        if let Some(list) = lists.get(&prefix).and_then(Weak::upgrade) {
            return list;
        }
        let list = Rc::new(RefCell::new(DenyList::new(prefix.clone())));
        lists.insert(prefix, Rc::downgrade(&list));
        list
    })
}
