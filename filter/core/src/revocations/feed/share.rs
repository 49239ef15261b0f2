//! What may be written to shared data (step 6 of the model), and when a snapshot is due instead (step 7).

use super::{Feed, FeedRefusal, Held, Snapshot, Step, Taken};
use crate::revocations::Standing;
use crate::revocations::answer::Answer;
use crate::revocations::chain::{ChainEnd, Head, Item, MAX_PAGES, object_key};
use crate::revocations::cursor::{Link, Paging};
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
            Some(Head { chain, end: Some(end) })
                if chain == held.head.chain && Some(end) == held.head.end =>
            {
                end
            }
            _ if self.is_newer(there.as_ref()) => return Taken::Follow,
            _ => return self.again(),
        };
        let is_beat = answer.is_heartbeat();
        let item = if is_beat { Item::Beat } else { Item::Delta(end.deltas) };
        let grown = if is_beat { (0, 0) } else { (1, size) };
        let end = ChainEnd {
            standing,
            deltas: end.deltas.saturating_add(grown.0),
            has_beat: is_beat,
            delta_bytes: end.delta_bytes.saturating_add(grown.1),
            ..end
        };
        let head = Head { chain: held.head.chain, end: Some(end) };
        let mut proofs = held.proofs.clone();
        remember(&mut proofs, &answer.proof);
        self.step(item, Held { standing, head, proofs }, answer.is_cut())
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
                self.snapshot = Some(Snapshot { paging, chain, bytes, proofs, refused: 0 });
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
                let head = Head { chain, end: Some(end) };
                Ok(self.step(Item::Page(pages), Held { standing, head, proofs }, false))
            }
        }
    }

    fn step(&self, item: Item, held: Held, asks_on: bool) -> Taken {
        let key = object_key(&self.prefix, held.head.chain, item);
        Taken::Step(Box::new(Step { key, held, asks_on }))
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
