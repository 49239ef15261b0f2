//! Taking what another VM has left in shared data: object by object, each verified, whole or not at all.

use super::answer::{Answer, FeedTrust, Part};
use super::chain::{ChainEnd, Head, Item, object_key};
use super::cursor::{self, Link, Paging};
use super::feed::{Feed, Held, remember};
use super::{FeedRefusal, Standing};
use crate::token::Proof;

/// A chain that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    head: Head,
    end: ChainEnd,
    item: Item,
    at: Option<Standing>,
    paging: Option<Paging>,
    proofs: Vec<Proof>,
    /// Whether it began with the first object, and not where this VM already was.
    is_whole: bool,
}

/// What came of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// There are more.
    More,
    /// The VM is where the chain leads, or it was no news.
    Done,
}

impl Feed {
    /// Looks at what stands under the head's key. Whether there is something to read: then [`Feed::wanted`] says what.
    pub fn look(&mut self, head: Option<&[u8]>, now_ms: u64) -> bool {
        let Some(head) = head.and_then(Head::parse) else { return false };
        if self.seen == Some(head) {
            return self.reading.is_some();
        }
        self.seen = Some(head);
        let under_way = self.reading.take();
        let Some(end) = head.end else { return false };
        let there = Standing { as_of: end.standing.as_of.min(now_ms), ..end.standing };
        let is_old = |held: &Held| there == held.standing || there.goes_back_from(&held.standing);
        if self.held.as_ref().is_some_and(is_old) {
            self.stand_at(head, there);
            return false;
        }
        let longer = under_way.and_then(|reading| reading.until(head, end));
        self.reading =
            Some(longer.or_else(|| self.going_on(head, end)).unwrap_or_else(|| Reading::whole(head, end)));
        true
    }

    /// The key of the object that is to be read next.
    #[must_use]
    pub fn wanted(&self) -> Option<String> {
        let reading = self.reading.as_ref()?;
        Some(object_key(&self.prefix, reading.head.chain, reading.item))
    }

    /// Takes that object; `None` where there is none.
    ///
    /// # Errors
    /// Why it is refused: nothing of the chain is taken then, but for records, which were verified. Where the head has not
    /// changed meanwhile, nobody can read it: [`Head::broken`] in its place has the leader take a snapshot. Not so for
    /// [`FeedRefusal::Full`], which is this VM's own affair, and for [`FeedRefusal::KeyUnknown`], until a set of the feed's keys that
    /// was asked for since then lacks it, too.
    pub fn take_shared(
        &mut self,
        object: Option<&[u8]>,
        trust: FeedTrust<'_>,
        now_ms: u64,
    ) -> Result<Read, FeedRefusal> {
        let Some(mut reading) = self.reading.take() else { return Ok(Read::Done) };
        let answer = object.ok_or(FeedRefusal::Chain).and_then(|bytes| Answer::read(bytes, trust));
        let taken = answer.and_then(|answer| {
            reading.take(&answer)?;
            self.hold_records(&answer, now_ms)
        });
        match taken {
            Err(_) if !reading.is_whole => {
                self.reading = Some(Reading::whole(reading.head, reading.end));
                return Ok(Read::More);
            }
            Err(refusal) => return Err(refusal),
            Ok(()) => {}
        }
        if let Some(next) = reading.end.next(reading.item) {
            reading.item = next;
            self.reading = Some(reading);
            return Ok(Read::More);
        }
        let at = reading.at.filter(|_| reading.paging.is_none()).ok_or(FeedRefusal::Chain)?;
        // The head is not signed: it can only make what is signed older, never newer.
        let as_of = at.as_of.min(reading.end.standing.as_of).min(now_ms);
        let standing = Standing { as_of, ..at };
        if at.position != reading.end.standing.position {
            return Err(FeedRefusal::Chain);
        }
        if self.held.as_ref().is_none_or(|held| !standing.goes_back_from(&held.standing)) {
            self.arrive(Held { standing, head: reading.head, proofs: reading.proofs });
        }
        Ok(Read::Done)
    }

    /// A chain that leads to the very place where this VM is, by as many deltas, is as good as the one that it has read: it can
    /// be gone on from.
    fn stand_at(&mut self, head: Head, there: Standing) {
        if let (Some(held), Some(end)) = (&mut self.held, head.end)
            && there == held.standing
            && head.deltas_taken(&held.head) == Some(end.deltas)
        {
            held.head = head;
        }
    }

    /// From where this VM is, if that is a place of the same chain, or of one that it renews.
    fn going_on(&self, head: Head, end: ChainEnd) -> Option<Reading> {
        let held = self.held.as_ref()?;
        // After the last delta that was taken; a heartbeat may have taken the place of the one before.
        let item = end.after(head.deltas_taken(&held.head)?)?;
        let (at, proofs) = (Some(held.standing), held.proofs.clone());
        Some(Reading { head, end, item, at, paging: None, proofs, is_whole: false })
    }
}

impl Reading {
    /// The same, where its chain has grown meanwhile: whoever began anew at every answer of the issuer would never be there.
    fn until(mut self, head: Head, end: ChainEnd) -> Option<Self> {
        if head.chain != self.head.chain {
            let deltas = match self.item {
                Item::Page(_) => return None,
                Item::Delta(index) => index,
                Item::Beat => self.end.deltas,
            };
            self.item = end.after(head.deltas_at(&self.head, deltas)?)?;
            (self.head, self.end) = (head, end);
            // It begins with what this VM has read elsewhere.
            self.is_whole = false;
            return Some(self);
        }
        let has_grown =
            head.chain == self.head.chain && end.pages == self.end.pages && end.deltas >= self.end.deltas;
        if !has_grown {
            return None;
        }
        if self.item == Item::Beat && end.deltas > self.end.deltas {
            // A delta took its place.
            self.item = Item::Delta(self.end.deltas);
        }
        (self.head, self.end) = (head, end);
        Some(self)
    }

    const fn whole(head: Head, end: ChainEnd) -> Self {
        let item = end.first();
        Self { head, end, item, at: None, paging: None, proofs: Vec::new(), is_whole: true }
    }

    fn take(&mut self, answer: &Answer) -> Result<(), FeedRefusal> {
        remember(&mut self.proofs, &answer.proof);
        match (self.item, answer.part) {
            (Item::Page(_), Part::Page { .. }) if self.at.is_none() => {
                match cursor::after_pages(self.paging.as_ref(), answer)? {
                    Link::Pages(paging) => self.paging = Some(paging),
                    Link::At(standing) => {
                        self.paging = None;
                        self.at = Some(standing);
                    }
                }
                Ok(())
            }
            (Item::Delta(_) | Item::Beat, Part::Delta { .. }) => {
                let at = self.at.as_ref().ok_or(FeedRefusal::Chain)?;
                self.at = Some(cursor::after_place(at, answer)?);
                Ok(())
            }
            _ => Err(FeedRefusal::Chain),
        }
    }
}
