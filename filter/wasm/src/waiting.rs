//! Requests that wait for a fetch of keys: their tokens name one that is not in the set.

use bearward_core::policy::IssuerId;

/// The most requests that wait for one issuer in a VM. Who comes after them is told that nobody can tell.
const MAX_WAITING: usize = 256;

/// A request that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    /// Its stream context.
    pub(crate) stream: u32,
    pub(crate) issuer: IssuerId,
    /// Whether a body or trailers follow its headers.
    pub(crate) has_more: bool,
    /// When it came, in milliseconds since the epoch.
    pub(crate) since_ms: u64,
    /// How long it waits at most, in milliseconds.
    pub(crate) patience_ms: u64,
}

impl Waiter {
    /// Also where the clock was set back.
    pub(crate) fn is_over(&self, now_ms: u64) -> bool {
        now_ms.abs_diff(self.since_ms) >= self.patience_ms
    }
}

/// All that wait in a VM for one configuration.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    waiters: Vec<Waiter>,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Whether there was room.
    pub(crate) fn admit(&mut self, waiter: Waiter) -> bool {
        let before = self.waiters.iter().filter(|other| other.issuer == waiter.issuer).count();
        if before < MAX_WAITING {
            self.waiters.push(waiter);
        }
        before < MAX_WAITING
    }

    /// Its stream has ended.
    pub(crate) fn remove(&mut self, stream: u32) {
        self.waiters.retain(|waiter| waiter.stream != stream);
    }

    /// Those that have waited long enough, and those of an issuer of whom there is news.
    pub(crate) fn take_due(&mut self, now_ms: u64, news: Option<IssuerId>) -> Vec<Waiter> {
        let (due, rest) =
            self.waiters.drain(..).partition(|waiter| waiter.is_over(now_ms) || news == Some(waiter.issuer));
        self.waiters = rest;
        due
    }
}
