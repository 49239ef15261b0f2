//! Which tokens go where there is no room: those that came once before those that are in use.
//!
//! A token is young until it comes again. A flood of good tokens that come once each drives out one another, and nothing that is in
//! use. Else the least recently used goes first.

use std::hash::BuildHasherDefault;

use lru::LruCache;

use super::known::{Hashed, Known, Sought, Token};
use super::{Entry, MAX_VERIFIED_BYTES, MAX_VERIFIED_TOKENS};

/// What the elder may have of all, so that there is room in which a young one can prove itself: three quarters.
const MOST_ELDER_TOKENS: usize = MAX_VERIFIED_TOKENS / 4 * 3;
const MOST_ELDER_BYTES: usize = MAX_VERIFIED_BYTES / 4 * 3;

/// For how long a token counts as in use after it came last, in seconds. What is not goes first of all: else those that have expired
/// would keep the room of those that come.
const IN_USE_SECONDS: u64 = 60;

/// All tokens that are kept.
#[derive(Debug, Default)]
pub(super) struct Generations {
    young: Generation,
    elder: Generation,
}

impl Generations {
    pub(super) fn len(&self) -> usize {
        self.young.tokens.len().saturating_add(self.elder.tokens.len())
    }

    pub(super) fn bytes(&self) -> usize {
        self.young.bytes.saturating_add(self.elder.bytes)
    }

    /// A young one is so no more. `now`: in seconds since the epoch.
    pub(super) fn get(&mut self, token: &[u8], now: u64) -> Option<Entry> {
        let sought = Sought::of(token);
        if let Some(kept) = self.elder.tokens.get_mut(&sought as &dyn Token) {
            kept.used = now;
            return Some(kept.entry.clone());
        }
        let (known, mut kept) = self.young.take(&sought)?;
        kept.used = now;
        let entry = kept.entry.clone();
        self.elder.put(known, kept);
        while self.elder.exceeds(MOST_ELDER_TOKENS, MOST_ELDER_BYTES) {
            let Some((known, kept)) = self.elder.pop() else { break };
            self.young.put(known, kept);
        }
        Some(entry)
    }

    /// `weight`: how much memory it takes, in bytes.
    pub(super) fn insert(&mut self, token: &[u8], entry: Entry, weight: usize, now: u64) {
        let known = Known::of(token);
        self.elder.take(&known);
        self.young.put(known, Kept { entry, weight, used: now });
        while self.len() > MAX_VERIFIED_TOKENS || self.bytes() > MAX_VERIFIED_BYTES {
            let popped = if self.elder.has_idle(now) { self.elder.pop() } else { self.young.pop() };
            if popped.or_else(|| self.elder.pop()).is_none() {
                break;
            }
        }
    }

    pub(super) fn remove(&mut self, token: &[u8]) {
        let sought = Sought::of(token);
        self.elder.take(&sought);
        self.young.take(&sought);
    }
}

#[derive(Debug)]
struct Generation {
    tokens: LruCache<Known, Kept, BuildHasherDefault<Hashed>>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    weight: usize,
    /// When it came last, in seconds since the epoch.
    used: u64,
}

impl Default for Generation {
    fn default() -> Self {
        Self { tokens: LruCache::unbounded_with_hasher(BuildHasherDefault::default()), bytes: 0 }
    }
}

impl Generation {
    fn exceeds(&self, tokens: usize, bytes: usize) -> bool {
        self.tokens.len() > tokens || self.bytes > bytes
    }

    /// Whether its least recently used one is in use no more. Also where the clock was set back.
    fn has_idle(&self, now: u64) -> bool {
        self.tokens.peek_lru().is_some_and(|(_, kept)| kept.used.abs_diff(now) > IN_USE_SECONDS)
    }

    fn take(&mut self, token: &dyn Token) -> Option<(Known, Kept)> {
        let taken = self.tokens.pop_entry(token)?;
        self.bytes = self.bytes.saturating_sub(taken.1.weight);
        Some(taken)
    }

    fn put(&mut self, known: Known, kept: Kept) {
        self.bytes = self.bytes.saturating_add(kept.weight);
        if let Some((_, old)) = self.tokens.push(known, kept) {
            self.bytes = self.bytes.saturating_sub(old.weight);
        }
    }

    /// The least recently used.
    fn pop(&mut self) -> Option<(Known, Kept)> {
        let popped = self.tokens.pop_lru()?;
        self.bytes = self.bytes.saturating_sub(popped.1.weight);
        Some(popped)
    }
}
