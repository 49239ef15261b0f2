//! Requests that wait for a fetch of keys: their tokens name one that is not in the set.

use bearward_core::policy::IssuerId;

/// The most requests that wait for one issuer in a VM. Who comes after them is told that nobody can tell.
const MAX_WAITING: usize = 256;
/// The most that are judged again in one callback. Envoy ends the streams that it has answered one within the other,
/// each with a callback of its own, and all of them must find room on the stack of the VM.
const MAX_AT_ONCE: usize = 16;

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
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    waiter: Waiter,
    /// Its turn has come.
    is_due: bool,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether more were due than could be taken.
    pub(crate) fn has_due(&self) -> bool {
        self.held.iter().any(|held| held.is_due)
    }

    /// Whether there was room.
    pub(crate) fn admit(&mut self, waiter: Waiter) -> bool {
        let before = self.held.iter().filter(|held| held.waiter.issuer == waiter.issuer).count();
        if before < MAX_WAITING {
            self.held.push(Held { waiter, is_due: false });
        }
        before < MAX_WAITING
    }

    /// Its stream has ended.
    pub(crate) fn remove(&mut self, stream: u32) {
        self.held.retain(|held| held.waiter.stream != stream);
    }

    /// There is news of an issuer: all that wait for it are due.
    pub(crate) fn on_news(&mut self, issuer: IssuerId) {
        self.held.iter_mut().for_each(|held| held.is_due |= held.waiter.issuer == issuer);
    }

    /// Those that are due, and have waited long enough among them: the first ones, as many as may be taken at once.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Vec<Waiter> {
        self.held.iter_mut().for_each(|held| held.is_due |= held.waiter.is_over(now_ms));
        self.held.extract_if(.., |held| held.is_due).take(MAX_AT_ONCE).map(|held| held.waiter).collect()
    }
}
