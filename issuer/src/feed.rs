//! The feed of revocations: what proxies learn from this issuer. `model/README.md` is the protocol in sentences; the numbers
//! of rules here are its.
//!
//! In reading order: [`question`] what is asked and [`refusal`] what is not answered; here, which answer there is; [`log`]
//! what is held of the revocations, [`watch`] how it is read; [`answers`] the signed bytes; [`credentials`] who may ask;
//! [`http`] the routes and [`metrics`] what is counted.

mod answers;
pub(crate) mod credentials;
pub(crate) mod http;
mod log;
pub(crate) mod metrics;
mod question;
mod refusal;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::body::Bytes;
use bearward_protocol::revocations::{FEED_TYPE, FEED_VERSION, FeedAnswer, MAX_HEAD_AGE_MS, Place};
use tokio::sync::{Semaphore, watch as channel};
use tokio::time::{Instant, timeout_at};

use self::answers::{Answers, Subject};
use self::credentials::Credentials;
use self::log::{Log, Slice};
use self::metrics::Counts;
use self::question::{Position, Question, hexadecimal};
use self::refusal::Refusal;
use self::watch::{Pace, Readings};
use crate::keys::{Keeper, Ring};
use crate::store::{LogPlace, Store};

/// What was read longer ago than this is not answered (rule 18).
const MAX_HEAD_AGE: Duration = Duration::from_millis(MAX_HEAD_AGE_MS);

/// The feed of this process.
pub(crate) struct Feed {
    /// The `iss` of the tokens that the records concern.
    iss: String,
    store: Store,
    /// Keys of its own: what verifies a token verifies no answer, and the other way round.
    keeper: Keeper,
    ring: RwLock<Arc<Ring>>,
    credentials: Credentials,
    seen: RwLock<Seen>,
    readings: Readings,
    answers: Answers,
    /// Told when there is something new, and when there will be nothing.
    wake: channel::Sender<()>,
    polls: Semaphore,
    max_polls: usize,
    stopping: AtomicBool,
    pace: Pace,
    counts: Counts,
}

/// What was read last.
#[derive(Default)]
struct Seen {
    log: Option<Log>,
    /// The primary's time before that, in milliseconds since the epoch.
    as_of: u64,
    /// Our own time before that.
    begun: Option<Instant>,
    /// Which reading it was.
    number: u64,
    /// When what has ended was dropped last.
    swept: Option<Instant>,
    /// Whether who waits was told that this is too long ago.
    is_told: bool,
}

/// What a proxy gets.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    kind: AnswerKind,
    /// The JWS.
    bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
    Delta,
    /// A delta without records: nothing happened, and that is fresh.
    Heartbeat,
    Page,
}

impl Feed {
    pub(crate) fn new(
        iss: String,
        store: Store,
        (keeper, ring): (Keeper, Ring),
        credentials: Credentials,
        polls: u32,
    ) -> Self {
        let max_polls = usize::try_from(polls).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            iss,
            store,
            keeper,
            ring: RwLock::new(Arc::new(ring)),
            credentials,
            seen: RwLock::default(),
            readings: Readings::default(),
            answers: Answers::default(),
            wake: channel::Sender::new(()),
            polls: Semaphore::new(max_polls),
            max_polls,
            stopping: AtomicBool::new(false),
            pace: Pace::default(),
            counts: Counts::default(),
        }
    }

    /// Gets and changes the keys of the feed.
    pub(crate) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The keys at hand.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with the keys as they are now.
    pub(crate) fn take_over(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// Whoever waits is answered now, and nobody waits any more.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.send_replace(());
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Answers a question of somebody who may ask.
    ///
    /// # Errors
    /// [`Refusal`]
    async fn ask(&self, question: &Question) -> Result<Answer, Refusal> {
        if self.is_stopping() {
            return Err(Refusal::Stopping);
        }
        let _place = self.polls.try_acquire().map_err(|_| Refusal::Busy)?;
        match self.attempt(question).await {
            // Before 409 the head is read anew: we may be the one that is behind (rule 20).
            Err(Refusal::Conflict) => {
                self.read_anew().await?;
                self.attempt(question).await
            }
            answered => answered,
        }
    }

    async fn attempt(&self, question: &Question) -> Result<Answer, Refusal> {
        match *question {
            Question::FirstPage => self.page(None, 0),
            Question::PageAt(position) => self.page_or_delta(&position),
            Question::NextPage { head, after } => self.page(Some(head), after),
            Question::Delta { from, wait } => self.delta(&from, Instant::now() + wait).await,
        }
    }

    /// What came after a position, as soon as there is something; at the deadline, that there is nothing.
    async fn delta(&self, from: &Position, deadline: Instant) -> Result<Answer, Refusal> {
        // Before it is looked, so that what comes in between is not missed.
        let mut woken = self.wake.subscribe();
        loop {
            let is_over = self.is_stopping() || Instant::now() >= deadline;
            if let Some(answer) = self.delta_now(from, is_over)? {
                return Ok(answer);
            }
            let _ = timeout_at(deadline, woken.changed()).await;
        }
    }

    /// `None`: there is nothing new, and that is no answer yet.
    fn delta_now(&self, from: &Position, is_over: bool) -> Result<Option<Answer>, Refusal> {
        self.look(|seen, log| {
            if log.knows(from) && from.place == log.head() && !is_over {
                return Ok(None);
            }
            self.delta_of(seen, log, from).map(Some)
        })
    }

    /// A snapshot begins at the head, or `as_of` would say of an old one that it was the newest (rule 23): who names another
    /// place gets what came after it.
    fn page_or_delta(&self, at: &Position) -> Result<Answer, Refusal> {
        self.look(|seen, log| {
            if log.knows(at) && at.place == log.head() {
                return self.page_of(seen, log, at.place, 0);
            }
            self.delta_of(seen, log, at)
        })
    }

    fn delta_of(&self, seen: &Seen, log: &Log, from: &Position) -> Result<Answer, Refusal> {
        if !log.knows(from) {
            return Err(Refusal::Conflict);
        }
        let subject = Subject::Delta { from: from.place };
        let kind = if from.place == log.head() { AnswerKind::Heartbeat } else { AnswerKind::Delta };
        let bytes = self.answers.signed_once(seen.number, subject, || {
            let slice = log.slice(from.place.sequence, log.head().sequence, seen.as_of);
            let (head, more) = (slice.cut_at.unwrap_or(log.head()), slice.cut_at.is_some());
            let answer =
                FeedAnswer { from: Some(told(from.place)), more, ..self.frame(seen, log, head, slice) };
            self.signed(&answer)
        });
        Ok(Answer { kind, bytes: bytes.ok_or(Refusal::Keys)? })
    }

    /// The page after a sequence, of the snapshot of this head; of the newest one where none is named (rules 21, 22).
    fn page(&self, head: Option<Position>, after: u64) -> Result<Answer, Refusal> {
        self.look(|seen, log| {
            if head.is_some_and(|head| !log.knows(&head)) {
                return Err(Refusal::Conflict);
            }
            let head = head.map_or(log.head(), |head| head.place);
            self.page_of(seen, log, head, after)
        })
    }

    fn page_of(&self, seen: &Seen, log: &Log, head: LogPlace, after: u64) -> Result<Answer, Refusal> {
        let bytes = self.answers.signed_once(seen.number, Subject::Page { head, after }, || {
            let slice = log.slice(after, head.sequence, seen.as_of);
            let through = slice.cut_at.map_or(head.sequence, |last| last.sequence);
            let frame = self.frame(seen, log, head, slice);
            self.signed(&FeedAnswer { after: Some(after), through: Some(through), ..frame })
        });
        Ok(Answer { kind: AnswerKind::Page, bytes: bytes.ok_or(Refusal::Keys)? })
    }

    /// Looks at what was read last, where that is not too long ago.
    fn look<T>(&self, at: impl FnOnce(&Seen, &Log) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let seen = self.seen();
        match &seen.log {
            Some(log) if !seen.is_stale() => at(&seen, log),
            _ => Err(Refusal::Blind),
        }
    }

    fn seen(&self) -> RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn frame<'a>(&'a self, seen: &Seen, log: &Log, head: LogPlace, slice: Slice<'a>) -> FeedAnswer<'a> {
        FeedAnswer {
            version: FEED_VERSION,
            iss: Cow::Borrowed(&self.iss),
            generation: Cow::Owned(log.generation().simple().to_string()),
            head: told(head),
            as_of: seen.as_of,
            from: None,
            more: false,
            after: None,
            through: None,
            records: slice.records,
        }
    }

    /// `None`: the keys were read too long ago.
    fn signed(&self, answer: &FeedAnswer<'_>) -> Option<Bytes> {
        let at = Duration::from_millis(answer.as_of).as_secs();
        let signed = self.ring().sign_as(FEED_TYPE, answer, at);
        self.counts.signed();
        signed.ok().map(Bytes::from)
    }
}

impl Seen {
    fn is_stale(&self) -> bool {
        self.begun.is_none_or(|begun| begun.elapsed() > MAX_HEAD_AGE)
    }
}

fn told(place: LogPlace) -> Place<'static> {
    Place { sequence: place.sequence, digest: Cow::Owned(hexadecimal(&place.digest)) }
}
