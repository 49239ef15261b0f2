//! Which tokens stay where there is no room for all.
//!
//! While there is room, every token is kept. After that, one that comes for the first time takes the place of those that are in use no
//! more, and of no others; the place of one that is in use is only had by coming again. A flood of good tokens that come once each thus
//! drives out nothing that is in use, and where more are in use than there is room for, those that are kept are found.

use std::hash::BuildHasherDefault;

use lru::LruCache;

use super::known::{Hashed, Known, Sought, Token};
use super::sighted::Sighted;
use super::weight::weight;
use super::{Entry, MAX_VERIFIED_BYTES, MAX_VERIFIED_TOKENS};

/// For how long a token counts as in use after it came last, in seconds. Else those that have expired would keep the room of those
/// that come.
const IN_USE_SECONDS: u64 = 60;

/// The most that a token may weigh that takes the places of those in use, in bytes: some twenty ordinary ones. The heaviest would
/// have those of five hundred.
const MAX_DISPLACING_BYTES: usize = 32 * 1024;

/// All tokens that are kept.
#[derive(Debug)]
pub(super) struct Room {
    /// Where one must go, the least recently used.
    tokens: LruCache<Known, Kept, BuildHasherDefault<Hashed>>,
    bytes: usize,
    /// Of those that found no room.
    sighted: Sighted,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    /// How much memory it takes, in bytes.
    weight: usize,
    /// When it came last, in seconds since the epoch.
    used: u64,
}

impl Default for Room {
    fn default() -> Self {
        let tokens = LruCache::unbounded_with_hasher(BuildHasherDefault::default());
        Self { tokens, bytes: 0, sighted: Sighted::default() }
    }
}

impl Room {
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// `now`, here and below: in seconds since the epoch.
    pub(super) fn get(&mut self, token: &[u8], now: u64) -> Option<Entry> {
        let kept = self.tokens.get_mut(&Sought::of(token) as &dyn Token)?;
        kept.used = now;
        Some(kept.entry.clone())
    }

    /// Keeps it, where there is room or room can be made.
    pub(super) fn insert(&mut self, token: &[u8], entry: Entry, now: u64) {
        let sought = Sought::of(token);
        let mut again = None;
        let mut comes_again =
            |room: &mut Self| *again.get_or_insert_with(|| room.sighted.again(sought.hash()));
        // Before it is weighed: most of a flood of ordinary tokens end here.
        if self.len() >= MAX_VERIFIED_TOKENS && !self.has_idle(now) && !comes_again(self) {
            return;
        }
        let weight = weight(token, &entry);
        while self.len() >= MAX_VERIFIED_TOKENS || self.bytes.saturating_add(weight) > MAX_VERIFIED_BYTES {
            let may_displace = self.has_idle(now) || weight <= MAX_DISPLACING_BYTES && comes_again(self);
            if !may_displace || !self.pop() {
                return;
            }
        }
        self.bytes = self.bytes.saturating_add(weight);
        if let Some((_, old)) = self.tokens.push(Known::of(&sought), Kept { entry, weight, used: now }) {
            self.bytes = self.bytes.saturating_sub(old.weight);
        }
    }

    pub(super) fn remove(&mut self, token: &[u8]) {
        if let Some(kept) = self.tokens.pop(&Sought::of(token) as &dyn Token) {
            self.bytes = self.bytes.saturating_sub(kept.weight);
        }
    }

    /// Whether the least recently used one is in use no more. Also where the clock was set back.
    fn has_idle(&self, now: u64) -> bool {
        self.tokens.peek_lru().is_some_and(|(_, kept)| kept.used.abs_diff(now) > IN_USE_SECONDS)
    }

    /// Forgets the least recently used one; `false` where there is none.
    fn pop(&mut self) -> bool {
        let Some((_, kept)) = self.tokens.pop_lru() else { return false };
        self.bytes = self.bytes.saturating_sub(kept.weight);
        true
    }
}
