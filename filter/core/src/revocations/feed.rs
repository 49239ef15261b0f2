//! The state of one feed in one VM: where it is, what to ask, what to do with an answer, whether it is fresh.
//!
//! An answer counts in two steps. Its records count as soon as it is verified: they refuse nothing but what has truly ended.
//! Position and `as_of` count only once its bytes stand where a VM that is loaded anew finds them (step 6 of the model);
//! whoever has a host writes them and says so by [`Feed::commit`].

mod share;

pub(super) use share::remember;

use super::answer::{Answer, FeedTrust, Part};
use super::chain::Head;
use super::cursor::{self, Paging};
use super::reading::Reading;
use super::records::Records;
use super::{FeedRefusal, Standing, hex};
use crate::keys::KeySet;
use crate::token::Proof;

/// After so many refused answers in a row a snapshot that is under way is begun anew.
const MAX_REFUSED_PAGES: u32 = 3;

/// One feed in one VM.
#[derive(Debug)]
pub struct Feed {
    /// What the keys of its objects in shared data begin with.
    pub(super) prefix: String,
    stale_after_ms: u64,
    pub(super) records: Records,
    pub(super) held: Option<Held>,
    /// A delta would not do: nothing is held, or it leads nowhere.
    wants_snapshot: bool,
    /// The chain in shared data is to be renewed: it has grown long, or one of its keys has left.
    renews: bool,
    /// Then pages and deltas are asked for in turn: whether it is the turn of a page.
    asks_page: bool,
    /// That is under way: instead of deltas, or beside them.
    snapshot: Option<Snapshot>,
    pub(super) reading: Option<Reading>,
    /// The head that was looked at last and need not be again.
    pub(super) seen: Option<Head>,
}

/// Where the VM is.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) standing: Standing,
    /// The same in shared data: the chain as it stood there.
    pub(super) head: Head,
    /// What has proved its objects, each once.
    pub(super) proofs: Vec<Proof>,
}

/// A snapshot that is being fetched.
#[derive(Debug)]
struct Snapshot {
    paging: Paging,
    /// The number of the chain that it will be.
    chain: u64,
    bytes: u64,
    proofs: Vec<Proof>,
    refused: u32,
    /// Of one that is fetched beside the deltas.
    beside: Option<Beside>,
}

/// What stands after a snapshot that is fetched beside the deltas.
#[derive(Clone, Copy, Debug)]
struct Beside {
    /// How many deltas stood in the chain that it renews, where it began.
    base: u32,
    /// How many came since then, and their size in bytes.
    deltas: u32,
    delta_bytes: u64,
    /// Whether all pages are there: with the next answer it takes the place of the other chain.
    is_whole: bool,
}

/// Whether a feed can be judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing has come yet.
    Unknown,
    /// It is as it should be.
    Fresh,
    /// What is held is older than the policy allows.
    Stale,
}

/// What to do with an answer that was taken.
#[derive(Debug)]
pub enum Taken {
    /// A page, and not the last one. Write the answer's bytes to shared data under this key, and ask on at once.
    Page(String),
    /// Write the answer's bytes under the step's key, then its head by compare-and-swap with the number that the head was
    /// read with. Where both succeed: [`Feed::commit`]. Else nothing: [`Feed::look`] finds what stands there.
    Step(Box<Step>),
    /// What stands in shared data is newer: [`Feed::look`] at it.
    Follow,
    /// What stands in shared data leads nowhere: the next question is for a snapshot.
    Again,
}

/// A step that waits to be written.
#[derive(Debug)]
pub struct Step {
    key: String,
    copy: Option<String>,
    held: Held,
    asks_on: bool,
    /// The snapshot that goes on beside it.
    beside: Option<Beside>,
}

impl Step {
    /// The key of the answer's bytes.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where else to write the answer's bytes, before the head.
    #[must_use]
    pub fn copy(&self) -> Option<&str> {
        self.copy.as_deref()
    }

    /// What to write under the head's key.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        self.held.head.to_bytes()
    }

    /// Whether there is more at once, so that the next question need not wait its turn.
    #[must_use]
    pub fn asks_on(&self) -> bool {
        self.asks_on
    }
}

impl Feed {
    /// A feed of which nothing is known. `prefix`: what the keys of its objects in shared data begin with.
    #[must_use]
    pub fn new(prefix: String, stale_after_seconds: u64) -> Self {
        Self {
            prefix,
            stale_after_ms: stale_after_seconds.saturating_mul(1_000),
            records: Records::default(),
            held: None,
            wants_snapshot: true,
            renews: false,
            asks_page: false,
            snapshot: None,
            reading: None,
            seen: None,
        }
    }

    /// What to ask: the query of the request, without `?`.
    #[must_use]
    pub fn query(&self, wait_seconds: u64) -> String {
        let position = |position: &super::Position| {
            format!(
                "generation={}&sequence={}&digest={}&",
                hex::encode(&position.generation),
                position.sequence,
                hex::encode(&position.digest)
            )
        };
        let wait = format!("wait={}", if self.is_renewing() { 0 } else { wait_seconds });
        match (&self.snapshot, &self.held) {
            (Some(snapshot), _) if self.wants_snapshot || self.asks_page => {
                let paging = &snapshot.paging;
                format!("{}after={}&{wait}", position(&paging.head), paging.through)
            }
            (_, Some(held)) if !self.wants_snapshot => {
                let first = if self.asks_page { "after=0&" } else { "" };
                format!("{}{first}{wait}", position(&held.standing.position))
            }
            _ => wait,
        }
    }

    /// A question brought nothing that could be taken: where a chain is renewed it is the other one's turn, so that neither
    /// keeps the other away.
    pub fn missed(&mut self) {
        self.give_turn(!self.asks_page);
    }

    /// Takes an answer of the issuer at `now_ms`. `head`: what stands under the head's key in shared data.
    ///
    /// # Errors
    /// Why it is refused. Then nothing has changed, and the next question is the same.
    pub fn take(
        &mut self,
        bytes: &[u8],
        trust: FeedTrust<'_>,
        head: Option<&[u8]>,
        now_ms: u64,
    ) -> Result<Taken, FeedRefusal> {
        let taken =
            Answer::read(bytes, trust).and_then(|answer| self.take_answer(answer, bytes.len(), head, now_ms));
        if let Err(refusal) = taken
            && let Some(snapshot) = &mut self.snapshot
            && refusal != FeedRefusal::KeyUnknown
        {
            snapshot.refused = snapshot.refused.saturating_add(1);
            if snapshot.refused >= MAX_REFUSED_PAGES {
                self.snapshot = None;
            }
        }
        taken
    }

    fn take_answer(
        &mut self,
        answer: Answer,
        size: usize,
        head: Option<&[u8]>,
        now_ms: u64,
    ) -> Result<Taken, FeedRefusal> {
        self.observe(now_ms);
        // A primary whose clock runs ahead would make this proxy fresh for as long as it does.
        let answer = Answer { as_of: answer.as_of.min(now_ms), ..answer };
        // A page beside the deltas makes nobody fresh.
        let is_beside = self.is_renewing() && matches!(answer.part, Part::Page { .. });
        if !is_beside && self.held.as_ref().is_some_and(|held| answer.as_of < held.standing.as_of) {
            return Err(FeedRefusal::AsOf);
        }
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let there = head.and_then(Head::parse);
        match answer.part {
            Part::Delta { .. } => {
                let held =
                    self.held.as_ref().filter(|_| !self.wants_snapshot).ok_or(FeedRefusal::Position)?;
                let standing = cursor::after_place(&held.standing, &answer)?;
                self.hold_records(&answer, now_ms)?;
                Ok(self.share_delta(&answer, standing, size, there))
            }
            Part::Page { .. } if is_beside => {
                let link = self.link_beside(&answer)?;
                self.hold_records(&answer, now_ms)?;
                self.share_page_beside(&answer, link, size, there)
            }
            Part::Page { .. } if !self.wants_snapshot => Err(FeedRefusal::Page),
            Part::Page { .. } => {
                let link =
                    cursor::after_pages(self.snapshot.as_ref().map(|snapshot| &snapshot.paging), &answer)?;
                self.hold_records(&answer, now_ms)?;
                self.share_page(&answer, link, size, there)
            }
        }
    }

    /// Its bytes stand in shared data: it counts.
    pub fn commit(&mut self, step: Step) {
        let snapshot = self.snapshot.take().filter(|_| step.beside.is_some());
        self.arrive(step.held);
        self.snapshot = snapshot.map(|snapshot| Snapshot { beside: step.beside, ..snapshot });
        // At once, so that this place is still the head.
        self.give_turn(true);
    }

    pub(super) fn arrive(&mut self, held: Held) {
        let is_same = self.held.as_ref().is_some_and(|before| before.head.chain == held.head.chain);
        self.renews = (is_same && self.renews) || held.head.end.is_some_and(|end| end.is_long());
        self.wants_snapshot = false;
        self.asks_page &= self.renews;
        self.snapshot = None;
        self.reading = None;
        self.seen = Some(held.head);
        self.held = Some(held);
    }

    /// The issuer does not know the position any more (409): a snapshot is asked for. What is held goes on counting, as of its
    /// old time. Where the position was that of a snapshot beside the deltas, that one is begun anew.
    pub fn conflict(&mut self) {
        let is_beside = !self.wants_snapshot && self.asks_page && self.snapshot.is_some();
        self.snapshot = None;
        self.wants_snapshot = !is_beside;
        self.give_turn(false);
    }

    /// Another VM asks now, or has perhaps asked meanwhile: what was begun of a snapshot is given up, so that its pages are not mixed
    /// with another's under the same keys. Whether there was one.
    pub fn stand_down(&mut self) -> bool {
        let had_begun = self.snapshot.take().is_some();
        if had_begun {
            self.give_turn(true);
        }
        had_begun
    }

    /// The first keys that were fetched, where those before them were found in shared data, which anybody may have written: what they
    /// do not prove counts no more, and all is read anew.
    pub fn keys_fetched_first(&mut self, keys: &KeySet) {
        if self.held.as_ref().is_some_and(|held| !is_proved(held, keys)) {
            self.records = Records::default();
            self.forget();
        }
    }

    /// The feed's keys were fetched anew. Where one has left that proved what stands in shared data, whoever is loaded anew
    /// could not verify it: another snapshot takes its place.
    pub fn keys_changed(&mut self, keys: &KeySet) {
        if self.held.as_ref().is_some_and(|held| !is_proved(held, keys)) && !self.renews {
            self.renews = true;
            self.give_turn(true);
        }
        // What could not be verified perhaps can be now.
        self.seen = self.held.as_ref().map(|held| held.head);
    }

    /// Forgets a portion of what has ended, and sees how late it is: to be called on every tick.
    pub fn tick(&mut self, now_ms: u64) {
        self.observe(now_ms);
        self.records.sweep(now_ms / 1_000);
    }

    /// Whether what is held can be judged by.
    #[must_use]
    pub fn freshness(&self, now_ms: u64) -> Freshness {
        match self.age_ms(now_ms) {
            None => Freshness::Unknown,
            Some(age_ms) if age_ms > self.stale_after_ms => Freshness::Stale,
            Some(_) => Freshness::Fresh,
        }
    }

    /// How old what is held is; `None` before the first whole answer.
    #[must_use]
    pub fn age_ms(&self, now_ms: u64) -> Option<u64> {
        self.held.as_ref().map(|held| now_ms.saturating_sub(held.standing.as_of))
    }

    /// Where it is, and as of when.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.held.as_ref().map(|held| held.standing)
    }

    /// What has ended.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// What the keys of its objects in shared data begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a snapshot is asked for.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        self.wants_snapshot
    }

    /// Whether the chain in shared data is being renewed, beside the deltas.
    #[must_use]
    pub fn is_renewing(&self) -> bool {
        self.renews && !self.wants_snapshot
    }

    /// Whose turn it is: a page's, where there is one to ask for.
    fn give_turn(&mut self, to_page: bool) {
        let beside = self.snapshot.as_ref().and_then(|snapshot| snapshot.beside);
        self.asks_page = to_page && self.is_renewing() && !beside.is_some_and(|beside| beside.is_whole);
    }

    /// A clock that is set back makes nobody fresher: what lies ahead of it counts as of it from then on.
    ///
    /// One that was far ahead, and had records dropped as ended, makes what is held nothing: all is read anew.
    fn observe(&mut self, now_ms: u64) {
        if self.records.take_premature(now_ms / 1_000) {
            self.forget();
        }
        if let Some(held) = &mut self.held {
            held.standing.as_of = held.standing.as_of.min(now_ms);
        }
    }

    fn forget(&mut self) {
        (self.held, self.seen, self.reading, self.snapshot) = (None, None, None, None);
        (self.wants_snapshot, self.asks_page) = (true, false);
    }

    pub(super) fn hold_records(&mut self, answer: &Answer, now_ms: u64) -> Result<(), FeedRefusal> {
        if !self.records.has_room() {
            return Err(FeedRefusal::Full);
        }
        answer.records.iter().for_each(|record| self.records.merge(record.clone(), now_ms / 1_000));
        Ok(())
    }
}

fn is_proved(held: &Held, keys: &KeySet) -> bool {
    held.proofs.iter().all(|proof| proof.stands(keys))
}

#[cfg(any(test, feature = "explain"))]
impl Feed {
    /// One that holds these records and is fresh at `now_ms`: for explanations.
    #[must_use]
    pub fn holding(records: Vec<super::Record>, stale_after_seconds: u64, now_ms: u64) -> Self {
        let mut feed = Self::new(String::new(), stale_after_seconds);
        records.into_iter().for_each(|record| feed.records.merge(record, now_ms / 1_000));
        let position = super::Position { generation: [0; 16], sequence: 0, digest: [0; 32] };
        let standing = Standing { position, as_of: now_ms };
        feed.arrive(Held { standing, head: Head::vacant(0), proofs: Vec::new() });
        feed
    }
}

#[cfg(test)]
mod tests;
