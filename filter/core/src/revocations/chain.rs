//! What VMs share: a whole snapshot and the deltas after it, as signed, and a head that says where they stand.
//!
//! Objects are written first, each under a name of its own, the head last and by compare-and-swap. A snapshot goes where the
//! one before it does not stand, so that nobody reads half of each. Names are used again and again: a host never forgets one.
//! What is read is verified as if it came from a stranger; the head is no more than a hint, and can make nobody fresher than
//! what is signed.

use super::hex;
use super::{Position, Standing};

/// How many deltas stand after a snapshot before another one is taken; and how many that is whatever their size.
const MIN_DELTAS: u32 = 256;
const MANY_DELTAS: u32 = 4096;
/// The most deltas of a chain, where the other snapshot does not come to its end.
pub(super) const MAX_DELTAS: u32 = 2 * MANY_DELTAS;
/// By how much deltas may be larger than the snapshot that they come after, in bytes.
const DELTA_ROOM_BYTES: u64 = 256 * 1024;
/// The most pages of one snapshot: several millions of records.
pub const MAX_PAGES: u32 = 16 * 1024;

/// The version of the bytes of a head.
const VERSION: u8 = 2;
/// There is a chain.
const CHAIN: u8 = 1;
/// There is none, or none that somebody could verify.
const VACANT: u8 = 0;
const HEAD_BYTES: usize = 104;

/// What stands under the head's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Counts snapshots: one of another number shares no object with this one.
    pub chain: u64,
    /// Its snapshot is that of a place on the chain of the number before: where so many deltas stood after the snapshot there.
    /// Whoever was there, or has gone on from there, goes on here.
    pub renews: Option<u32>,
    /// The chain, where there is one.
    pub end: Option<ChainEnd>,
}

/// Where a chain leads, and of what it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// Where it leads, as whoever wrote it last said.
    pub standing: Standing,
    /// How many pages its snapshot has.
    pub pages: u32,
    /// How many deltas come after them.
    pub deltas: u32,
    /// Whether a heartbeat comes after these.
    pub has_beat: bool,
    /// The size of the pages, and of the deltas.
    pub page_bytes: u64,
    /// In bytes.
    pub delta_bytes: u64,
}

/// One object of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Page(u32),
    Delta(u32),
    Beat,
}

impl Head {
    /// No chain yet.
    #[must_use]
    pub const fn vacant(chain: u64) -> Self {
        Self { chain, renews: None, end: None }
    }

    /// Reads one; `None` for every other bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        if bytes.len() != HEAD_BYTES || rest.take()? != [VERSION] {
            return None;
        }
        let [kind] = rest.take()?;
        let chain = rest.number()?;
        if kind == VACANT {
            return Some(Self::vacant(chain));
        }
        let position = Position { generation: rest.take()?, sequence: rest.number()?, digest: rest.take()? };
        let standing = Standing { position, as_of: rest.number()? };
        let (pages, deltas) = (u32::from_le_bytes(rest.take()?), u32::from_le_bytes(rest.take()?));
        let [has_beat] = rest.take()?;
        let (page_bytes, delta_bytes) = (rest.number()?, rest.number()?);
        let [is_renewal] = rest.take()?;
        let base = u32::from_le_bytes(rest.take()?);
        let is_fine = kind == CHAIN
            && (1..=MAX_PAGES).contains(&pages)
            && deltas <= MAX_DELTAS
            && has_beat <= 1
            && is_renewal <= 1;
        let end = ChainEnd { standing, pages, deltas, has_beat: has_beat == 1, page_bytes, delta_bytes };
        is_fine.then_some(Self { chain, renews: (is_renewal == 1).then_some(base), end: Some(end) })
    }

    /// Its bytes: always as many.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, if self.end.is_some() { CHAIN } else { VACANT }];
        bytes.extend(self.chain.to_le_bytes());
        if let Some(end) = &self.end {
            let position = &end.standing.position;
            bytes.extend(position.generation);
            bytes.extend(position.sequence.to_le_bytes());
            bytes.extend(position.digest);
            bytes.extend(end.standing.as_of.to_le_bytes());
            bytes.extend(end.pages.to_le_bytes());
            bytes.extend(end.deltas.to_le_bytes());
            bytes.push(u8::from(end.has_beat));
            bytes.extend(end.page_bytes.to_le_bytes());
            bytes.extend(end.delta_bytes.to_le_bytes());
            bytes.push(u8::from(self.renews.is_some()));
            bytes.extend(self.renews.unwrap_or_default().to_le_bytes());
        }
        bytes.resize(HEAD_BYTES, 0);
        bytes
    }

    /// The same place without a chain, for whoever found that it cannot be verified: the leader then takes a snapshot.
    #[must_use]
    pub const fn broken(&self) -> Self {
        Self::vacant(self.chain)
    }
}

impl ChainEnd {
    /// Whether another snapshot is due, so that a VM that is loaded anew need not read ever more.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        let is_large = self.delta_bytes > self.page_bytes.saturating_add(DELTA_ROOM_BYTES);
        self.deltas >= MANY_DELTAS || (self.deltas >= MIN_DELTAS && is_large)
    }

    pub(super) const fn first(&self) -> Item {
        Item::Page(0)
    }

    /// What comes after an item; `None` after the last one.
    pub(super) fn next(&self, item: Item) -> Option<Item> {
        let page = |index: u32| (index < self.pages).then_some(Item::Page(index));
        let delta = |index: u32| (index < self.deltas).then_some(Item::Delta(index));
        let beat = self.has_beat.then_some(Item::Beat);
        match item {
            Item::Page(index) => page(index.saturating_add(1)).or(delta(0)).or(beat),
            Item::Delta(index) => delta(index.saturating_add(1)).or(beat),
            Item::Beat => None,
        }
    }

    /// What comes after so many deltas.
    pub(super) fn after(&self, deltas: u32) -> Option<Item> {
        let last = match deltas.checked_sub(1) {
            None => Item::Page(self.pages.saturating_sub(1)),
            Some(last) => Item::Delta(last),
        };
        self.next(last)
    }
}

impl Head {
    /// How many deltas of this chain whoever has taken all of `before` has taken; `None`: that cannot be told.
    pub(super) fn deltas_taken(&self, before: &Self) -> Option<u32> {
        let (taken, end) = (before.end?, self.end?);
        if before.chain == self.chain {
            return (taken.pages == end.pages && taken.deltas <= end.deltas).then_some(taken.deltas);
        }
        self.deltas_at(before, taken.deltas)
    }

    /// How many deltas of this chain stand before a place at which so many stood in the chain that it renews.
    pub(super) fn deltas_at(&self, before: &Self, deltas: u32) -> Option<u32> {
        let base = self.renews.filter(|_| before.chain.wrapping_add(1) == self.chain)?;
        deltas.checked_sub(base).filter(|deltas| self.end.is_some_and(|end| *deltas <= end.deltas))
    }
}

/// The key of the head, of a feed with this prefix.
#[must_use]
pub fn head_key(prefix: &str) -> String {
    format!("{prefix}.head")
}

/// The key of the lease.
#[must_use]
pub fn lease_key(prefix: &str) -> String {
    format!("{prefix}.lease")
}

/// The key of the marks of those who read what stands under a key, or what it leads to.
#[must_use]
pub fn attempts_key(key: &str) -> String {
    format!("{key}.attempts")
}

/// The key of the feed's own keys.
#[must_use]
pub fn keys_key(prefix: &str) -> String {
    format!("{prefix}.keys")
}

/// The key of an object: of this snapshot's place or the other's.
pub(super) fn object_key(prefix: &str, chain: u64, item: Item) -> String {
    let place = chain % 2;
    match item {
        Item::Page(index) => format!("{prefix}.{place}.page.{index}"),
        Item::Delta(index) => format!("{prefix}.{place}.delta.{index}"),
        Item::Beat => format!("{prefix}.{place}.beat"),
    }
}

/// A short name of a position, for logs and metrics: the beginning of its generation, and its sequence.
#[must_use]
pub fn shown(position: &Position) -> String {
    let generation = hex::encode(position.generation.first_chunk::<4>().unwrap_or(&[0; 4]));
    format!("{generation}/{}", position.sequence)
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end() -> ChainEnd {
        let position = Position { generation: [7; 16], sequence: 9, digest: [8; 32] };
        ChainEnd {
            standing: Standing { position, as_of: 1_000 },
            pages: 2,
            deltas: 1,
            has_beat: true,
            page_bytes: 10,
            delta_bytes: 5,
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        for renews in [None, Some(0), Some(7)] {
            let head = Head { chain: 4, renews, end: Some(end()) };
            assert_eq!(Head::parse(&head.to_bytes()), Some(head));
        }
        for head in [Head::vacant(3), Head { chain: 4, renews: None, end: Some(end()) }] {
            assert_eq!(head.to_bytes().len(), HEAD_BYTES);
            assert_eq!(Head::parse(&head.to_bytes()), Some(head));
        }
    }

    #[test]
    fn a_head_of_another_version_or_length_is_none() {
        let bytes = Head { chain: 4, renews: None, end: Some(end()) }.to_bytes();
        assert_eq!(Head::parse(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Head::parse(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Head::parse(&[&[VERSION + 1], &bytes[1..]].concat()), None);
        assert_eq!(Head::parse(b""), None);
    }

    #[test]
    fn a_chain_is_gone_through_pages_first_then_deltas_then_the_heartbeat() {
        let mut items = vec![end().first()];
        while let Some(next) = end().next(*items.last().unwrap()) {
            items.push(next);
        }
        assert_eq!(items, [Item::Page(0), Item::Page(1), Item::Delta(0), Item::Beat]);
    }

    #[test]
    fn the_objects_of_two_snapshots_in_a_row_have_no_name_in_common() {
        for item in [Item::Page(0), Item::Delta(0), Item::Beat] {
            assert_ne!(object_key("p", 4, item), object_key("p", 5, item));
        }
    }

    #[test]
    fn another_snapshot_is_due_when_the_deltas_outgrow_the_one_there_is() {
        let few = ChainEnd { deltas: MIN_DELTAS - 1, delta_bytes: u64::MAX, ..end() };
        let small = ChainEnd { deltas: MIN_DELTAS, delta_bytes: DELTA_ROOM_BYTES, ..end() };
        let large = ChainEnd { delta_bytes: DELTA_ROOM_BYTES + 11, ..small };
        let many = ChainEnd { deltas: MANY_DELTAS, ..end() };
        assert_eq!([few, small, large, many].map(|end| end.is_long()), [false, false, true, true]);
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_as_a_head_that_would_be_written_otherwise(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Some(head) = Head::parse(&bytes) {
                prop_assert_eq!(Head::parse(&head.to_bytes()), Some(head));
            }
        }
    }
}
