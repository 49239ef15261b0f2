//! What may be written to shared data (step 6 of the model), and when a snapshot is due instead (step 7) or beside it (step 10).

use super::{Beside, Feed, FeedRefusal, Held, Snapshot, Step, Taken};
use crate::revocations::Standing;
use crate::revocations::answer::Answer;
use crate::revocations::chain::{ChainEnd, Head, Item, MAX_DELTAS, MAX_PAGES, object_key};
use crate::revocations::cursor::{self, Link, Paging};
use crate::token::Proof;

impl Feed {
    /// A delta goes after the chain that stands there, if that is the very one that this VM has taken.
    pub(super) fn share_delta(
        &mut self,
        answer: &Answer,
        standing: Standing,
        size: u64,
        there: Option<Head>,
    ) -> Taken {
        let Some(held) = &self.held else { return self.again() };
        let end = match there {
            Some(Head { chain, end: Some(end), .. })
                if chain == held.head.chain && Some(end) == held.head.end =>
            {
                end
            }
            _ if self.is_newer(there.as_ref()) => return Taken::Follow,
            _ => return self.again(),
        };
        let is_beat = answer.is_heartbeat();
        let grown = if is_beat { (0, 0) } else { (1, size) };
        let beside = self.snapshot.as_mut().and_then(|snapshot| {
            remember(&mut snapshot.proofs, &answer.proof);
            let beside = snapshot.beside?;
            let deltas = beside.deltas.saturating_add(grown.0);
            let delta_bytes = beside.delta_bytes.saturating_add(grown.1);
            Some((&*snapshot, beside, Beside { deltas, delta_bytes, ..beside }))
        });
        let item = |deltas: u32| if is_beat { Item::Beat } else { Item::Delta(deltas) };
        if let Some((snapshot, before, after)) = beside.filter(|(_, before, _)| before.is_whole) {
            let end = ChainEnd {
                standing,
                pages: snapshot.paging.pages,
                deltas: after.deltas,
                has_beat: is_beat,
                page_bytes: snapshot.bytes,
                delta_bytes: after.delta_bytes,
            };
            let head = Head { chain: snapshot.chain, renews: Some(before.base), end: Some(end) };
            let held = Held { standing, head, proofs: snapshot.proofs.clone() };
            return self.step(item(before.deltas), held, answer.is_cut());
        }
        let deltas = end.deltas.saturating_add(grown.0);
        if deltas > MAX_DELTAS {
            return self.again();
        }
        let delta_bytes = end.delta_bytes.saturating_add(grown.1);
        let item_here = item(end.deltas);
        let end = ChainEnd { standing, deltas, has_beat: is_beat, delta_bytes, ..end };
        let head = Head { end: Some(end), ..held.head };
        let mut proofs = held.proofs.clone();
        remember(&mut proofs, &answer.proof);
        // A heartbeat is worth nothing once there is another answer.
        let copy = beside
            .filter(|_| !is_beat)
            .map(|(snapshot, before, _)| object_key(&self.prefix, snapshot.chain, item(before.deltas)));
        let beside = beside.map(|(_, _, after)| after);
        let asks_on = answer.is_cut() || self.is_renewing() || end.is_long();
        let key = object_key(&self.prefix, head.chain, item_here);
        Taken::Step(Box::new(Step { key, copy, held: Held { standing, head, proofs }, asks_on, beside }))
    }

    /// Where a page leads of a snapshot that is fetched beside the deltas: it begins where this VM is.
    pub(super) fn link_beside(&self, answer: &Answer) -> Result<Link, FeedRefusal> {
        let begun = self.snapshot.as_ref().map(|snapshot| &snapshot.paging);
        let is_here = self.held.as_ref().is_some_and(|held| held.standing.position == answer.head);
        if !self.asks_page || (begun.is_none() && !is_here) {
            return Err(FeedRefusal::Page);
        }
        cursor::after_pages(begun, answer)
    }

    /// Such a page goes where the chain that stands there does not. Nothing that is held changes.
    pub(super) fn share_page_beside(
        &mut self,
        answer: &Answer,
        link: Link,
        size: u64,
        there: Option<Head>,
    ) -> Result<Taken, FeedRefusal> {
        let Some(held) = &self.held else { return Ok(self.again()) };
        // What stands there is looked at with the next delta.
        if there.is_none_or(|there| there.chain != held.head.chain) {
            self.snapshot = None;
            self.give_turn(false);
            return Ok(Taken::Follow);
        }
        let base = held.head.end.map_or(0, |end| end.deltas);
        let begun = self.snapshot.take().unwrap_or_else(|| Snapshot {
            paging: Paging { head: answer.head, through: 0, as_of: answer.as_of, pages: 0 },
            chain: held.head.chain.wrapping_add(1),
            bytes: 0,
            proofs: Vec::new(),
            refused: 0,
            beside: Some(Beside { base, deltas: 0, delta_bytes: 0, is_whole: false }),
        });
        let page = begun.paging.pages;
        let (paging, is_whole) = match link {
            Link::Pages(paging) => (paging, false),
            Link::At(_) => (Paging { pages: page.saturating_add(1), ..begun.paging }, true),
        };
        if paging.pages > MAX_PAGES {
            return Err(FeedRefusal::Full);
        }
        let mut proofs = begun.proofs;
        remember(&mut proofs, &answer.proof);
        let key = object_key(&self.prefix, begun.chain, Item::Page(page));
        self.snapshot = Some(Snapshot {
            paging,
            bytes: begun.bytes.saturating_add(size),
            proofs,
            refused: 0,
            beside: begun.beside.map(|beside| Beside { is_whole, ..beside }),
            ..begun
        });
        self.give_turn(false);
        Ok(Taken::Page(key))
    }

    /// Pages go where the chain that stands there does not; the last one takes its place, unless that has become newer.
    pub(super) fn share_page(
        &mut self,
        answer: &Answer,
        link: Link,
        size: u64,
        there: Option<Head>,
    ) -> Result<Taken, FeedRefusal> {
        let before = self.snapshot.take();
        let standing_chain = there.map_or(0, |head| head.chain);
        let (chain, mut bytes, mut proofs, pages) = match before {
            Some(before) => (before.chain, before.bytes, before.proofs, before.paging.pages),
            None => (standing_chain.wrapping_add(1), 0, Vec::new(), 0),
        };
        // Another VM has begun a chain meanwhile, perhaps where these pages go: they must not be written over it.
        if standing_chain.wrapping_add(1) != chain {
            return Ok(self.again());
        }
        bytes = bytes.saturating_add(size);
        remember(&mut proofs, &answer.proof);
        match link {
            Link::Pages(Paging { pages, .. }) if pages >= MAX_PAGES => Err(FeedRefusal::Full),
            Link::Pages(paging) => {
                self.snapshot = Some(Snapshot { paging, chain, bytes, proofs, refused: 0, beside: None });
                Ok(Taken::Page(object_key(&self.prefix, chain, Item::Page(pages))))
            }
            Link::At(standing) => {
                // What was looked at and found to be nothing new is no reason, whatever its head says of itself.
                let goes_back =
                    |head: Head| head.end.is_some_and(|end| standing.goes_back_from(&end.standing));
                if there.is_some_and(goes_back) && self.is_newer(there.as_ref()) {
                    return Ok(Taken::Follow);
                }
                let end = ChainEnd {
                    standing,
                    pages: pages.saturating_add(1),
                    deltas: 0,
                    has_beat: false,
                    page_bytes: bytes,
                    delta_bytes: 0,
                };
                let head = Head { chain, renews: None, end: Some(end) };
                Ok(self.step(Item::Page(pages), Held { standing, head, proofs }, false))
            }
        }
    }

    fn step(&self, item: Item, held: Held, asks_on: bool) -> Taken {
        let key = object_key(&self.prefix, held.head.chain, item);
        Taken::Step(Box::new(Step { key, copy: None, held, asks_on, beside: None }))
    }

    /// A snapshot takes the place of what leads nowhere.
    fn again(&mut self) -> Taken {
        self.conflict();
        Taken::Again
    }

    /// Whether what stands in shared data says that it is newer than what is held, and was not found to be nothing.
    fn is_newer(&self, there: Option<&Head>) -> bool {
        let Some(end) = there.and_then(|head| head.end) else { return false };
        // What is still being read may yet be something.
        let seen = there == self.seen.as_ref() && self.reading.is_none();
        !seen && self.held.as_ref().is_none_or(|held| !end.standing.goes_back_from(&held.standing))
    }
}

pub(in crate::revocations) fn remember(proofs: &mut Vec<Proof>, proof: &Proof) {
    if !proofs.contains(proof) {
        proofs.push(proof.clone());
    }
}
