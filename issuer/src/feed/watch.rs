//! How a process follows the log: it looks four times a second, and when it hears of something.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::log::{BEGINNING, Log, MAX_RECORDS, goes_on, went_back};
use super::refusal::Refusal;
use super::{Feed, Seen};
use crate::store::{LogPlace, LogReading, LoggedRecord, StoreError};

/// How long one statement may take: half of what an answer may be old, so that after one that got lost there is time for
/// another.
const STATEMENT: Duration = Duration::from_secs(1);
/// The records of one statement.
const BATCH: u32 = 5_000;
/// The pause between two readings that were asked for: what a flood of questions costs the database is bounded.
const BREATH: Duration = Duration::from_millis(5);
/// How long who is about to get 409 waits for the head.
const ANEW: Duration = Duration::from_millis(1_500);
/// The pause before it is listened again.
const RELISTEN: Duration = Duration::from_secs(1);
/// After so long a silence it is asked whether the connection still lives.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a connection to listen on may take.
const LISTEN: Duration = Duration::from_secs(5);
/// How often what has ended is looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How often it is looked, and whether it is listened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) poll: Duration,
    pub(super) listens: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { poll: Duration::from_millis(250), listens: true }
    }
}

/// Which readings there were. They are numbered in the order in which they begin.
#[derive(Default)]
pub(super) struct Readings {
    wanted: Notify,
    begun: AtomicU64,
    ended: watch::Sender<Ended>,
    pub(super) good: AtomicU64,
    pub(super) failed: AtomicU64,
    /// How often the log was read from its beginning.
    pub(super) whole: AtomicU64,
    pub(super) is_listening: AtomicBool,
}

/// The last reading that has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    number: u64,
    is_good: bool,
}

/// Why the log was not read.
#[derive(Debug)]
enum Missed {
    Store(StoreError),
    Silent,
    Standby,
    /// It became another one meanwhile.
    Changed,
    /// The head is no place of its own log.
    Torn,
    TooMany,
}

/// Follows the log for as long as the process serves.
pub(crate) async fn forever(feed: &Feed) {
    tokio::join!(look_forever(feed), listen_forever(feed));
}

async fn look_forever(feed: &Feed) {
    let mut told = false;
    loop {
        match feed.read().await {
            Ok(()) => told = false,
            Err(missed) if !told => {
                warn!(cause = %missed, "the log of revocations could not be read; after 2 s nobody is told that all is well");
                told = true;
            }
            Err(_) => {}
        }
        sleep(BREATH).await;
        let _ = timeout(feed.pace.poll.saturating_sub(BREATH), feed.readings.wanted.notified()).await;
    }
}

impl Feed {
    /// Reads the log now, or joins those who wait for the same.
    ///
    /// # Errors
    /// [`Refusal::Blind`]: it could not be read.
    pub(super) async fn read_anew(&self) -> Result<(), Refusal> {
        let mut ended = self.readings.ended.subscribe();
        // One that is under way may have read before the question came.
        let next = self.readings.begun.load(Ordering::SeqCst) + 1;
        self.readings.wanted.notify_one();
        match timeout(ANEW, ended.wait_for(|ended| ended.number >= next)).await {
            Ok(Ok(ended)) if ended.is_good => Ok(()),
            _ => Err(Refusal::Blind),
        }
    }

    /// One reading: the head, and what came since the last one.
    async fn read(&self) -> Result<(), Missed> {
        let number = self.readings.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let read = self.read_on(number).await;
        let is_good = read.is_ok();
        let counted = if is_good { &self.readings.good } else { &self.readings.failed };
        counted.fetch_add(1, Ordering::Relaxed);
        if !is_good {
            self.tell_blindness();
        }
        self.readings.ended.send_replace(Ended { number, is_good });
        read
    }

    async fn read_on(&self, number: u64) -> Result<(), Missed> {
        let mut begun = Instant::now();
        let held = self.seen().log.as_ref().map(|log| (log.generation(), log.head()));
        let mut reading = self.statement(held.map_or(BEGINNING, |(_, head)| head)).await?;
        let is_new = match held {
            None => true,
            Some((generation, head)) => {
                let goes_on = goes_on(generation, head, &reading);
                if !goes_on {
                    if self.answer_nobody() {
                        warn!(generation = %reading.generation, sequence = reading.head.sequence,
                              "the log of revocations does not go on from what was read: it is read anew");
                    }
                    // It shows to nobody but who has read it; before another answer is signed.
                    if went_back(generation, head, &reading) {
                        self.store.log_went_back(generation).await.map_err(Missed::Store)?;
                    }
                    begun = Instant::now();
                    reading = self.statement(BEGINNING).await?;
                }
                !goes_on
            }
        };
        let mut records = std::mem::take(&mut reading.records);
        while !reading.is_whole {
            let last = records.last().map_or(BEGINNING, |record| record.place);
            begun = Instant::now();
            let next = self.statement(last).await?;
            if !goes_on(reading.generation, last, &next) {
                return Err(Missed::Changed);
            }
            reading = next;
            records.append(&mut reading.records);
            if records.len() > MAX_RECORDS {
                return Err(Missed::TooMany);
            }
        }
        self.go_on(is_new, records, &reading, (number, begun))
    }

    async fn statement(&self, after: LogPlace) -> Result<LogReading, Missed> {
        let found = timeout(STATEMENT, self.store.revocation_log(after.sequence, BATCH)).await;
        found.map_err(|_| Missed::Silent)?.map_err(Missed::Store)?.ok_or(Missed::Standby)
    }

    /// Goes on with what was read: all records up to the head of the last statement, whose times count.
    fn go_on(
        &self,
        is_new: bool,
        records: Vec<LoggedRecord>,
        reading: &LogReading,
        (number, begun): (u64, Instant),
    ) -> Result<(), Missed> {
        let is_torn = |last: &LoggedRecord| {
            last.place.sequence == reading.head.sequence && last.place.digest != reading.head.digest
        };
        if records.last().is_some_and(is_torn) {
            return Err(Missed::Torn);
        }
        let is_news = {
            let mut seen = self.seen_to_change();
            let mut log = match seen.log.take() {
                Some(log) if !is_new => log,
                _ => {
                    self.readings.whole.fetch_add(1, Ordering::Relaxed);
                    info!(generation = %reading.generation, sequence = reading.head.sequence, records = records.len(),
                          "the log of revocations was read");
                    Log::empty(reading.generation)
                }
            };
            let is_news = is_new || log.head() != reading.head;
            log.append(records, reading.head);
            if log.len() > MAX_RECORDS {
                return Err(Missed::TooMany);
            }
            let swept = if seen.swept.is_some_and(|swept| swept.elapsed() < SWEEP) {
                seen.swept
            } else {
                log.drop_ended(reading.as_of);
                Some(Instant::now())
            };
            *seen = Seen {
                log: Some(log),
                as_of: reading.as_of,
                begun: Some(begun),
                number,
                swept,
                is_told: false,
            };
            is_news
        };
        if is_news {
            self.wake.send_replace(());
        }
        Ok(())
    }

    /// Until the log was read again. What was read stays: nothing else shows that it went back, should the fork fail now.
    /// `false`: nobody was answered before.
    fn answer_nobody(&self) -> bool {
        self.seen_to_change().begun.take().is_some()
    }

    /// Whoever waits for news from one that is blind goes elsewhere.
    fn tell_blindness(&self) {
        let mut seen = self.seen_to_change();
        if seen.is_stale() && !seen.is_told {
            seen.is_told = true;
            self.wake.send_replace(());
        }
    }

    fn seen_to_change(&self) -> std::sync::RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears of new records, so that they need not wait for the next look. Nothing rests on it: where it cannot be listened,
/// by way of a pooler for one, looking does it alone.
async fn listen_forever(feed: &Feed) {
    if !feed.pace.listens {
        return;
    }
    loop {
        match timeout(LISTEN, feed.store.listen_for_revocations()).await {
            Ok(Ok(listener)) => {
                feed.readings.is_listening.store(true, Ordering::Relaxed);
                // What came while nobody listened.
                feed.readings.wanted.notify_one();
                hear(feed, listener).await;
                feed.readings.is_listening.store(false, Ordering::Relaxed);
                debug!("the connection that is listened on is lost");
            }
            Ok(Err(cause)) => debug!(%cause, "revocations cannot be listened for"),
            Err(_) => debug!("revocations cannot be listened for: no answer"),
        }
        sleep(RELISTEN).await;
    }
}

/// Until the connection is lost.
async fn hear(feed: &Feed, mut listener: PgListener) {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => feed.readings.wanted.notify_one(),
            Ok(Ok(None) | Err(_)) => return,
            Err(_) => {
                let asked = sqlx::query("SELECT 1").execute(&mut listener);
                if !matches!(timeout(STATEMENT, asked).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

impl std::fmt::Display for Missed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::Silent => write!(formatter, "no answer within {} s", STATEMENT.as_secs()),
            Self::Standby => formatter.write_str("the server is a standby"),
            Self::Changed => formatter.write_str("the log changed while it was read"),
            Self::Torn => formatter.write_str(
                "the head is not the last record of its log: restore revocation_head and revocations together",
            ),
            Self::TooMany => {
                write!(formatter, "more than {MAX_RECORDS} records are live: revoke everything instead")
            }
        }
    }
}
