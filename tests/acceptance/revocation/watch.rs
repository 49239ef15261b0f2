//! Others who ask all the time: an honest one, who is never told that his token is bad, and those whose sessions have ended, who do
//! not get through once they were refused.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bearward_tests::client::{Connection, Request};
use serde_json::Value;

use super::people::{sid, token, whole};

/// Connections that are used again and again. Each belongs to one worker.
const KEPT: usize = 4;
/// The pause after a round, so that whoever is watched has the processors, too.
const BREATH: Duration = Duration::from_millis(10);

/// Begins when it is made, and ends with [`finish`](Watch::finish), or when it is dropped.
pub(super) struct Watch {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    url: String,
    ends: AtomicBool,
    honest: Mutex<Vec<Request>>,
    ended: Mutex<Vec<Ended>>,
    book: Mutex<Book>,
    asked: AtomicUsize,
}

#[derive(Clone)]
struct Ended {
    sid: String,
    request: Request,
    /// From then on it is refused wherever it is shown.
    refused_from: Instant,
}

#[derive(Default)]
struct Book {
    wrong: Vec<String>,
    /// 503 for the honest one: when first and when last, since `away_since` was asked.
    away: Option<(Instant, Instant)>,
    lost_connections: usize,
}

/// What there was to see.
pub(super) struct Seen {
    /// Answers.
    pub(super) asked: usize,
    /// From the first to the last 503 that the honest one got.
    pub(super) away: Option<Duration>,
}

impl Watch {
    pub(super) fn over(url: &str, honest: &Value) -> Self {
        let shared = Arc::new(Shared {
            url: url.to_owned(),
            ends: AtomicBool::new(false),
            honest: Mutex::new(vec![orders(honest)]),
            ended: Mutex::default(),
            book: Mutex::default(),
            asked: AtomicUsize::new(0),
        });
        let threads = (0..=KEPT)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.ask_forever(number < KEPT))
            })
            .collect();
        Self { shared, threads }
    }

    /// This session has ended just now. It is refused everywhere after `bound`, and at once where it was refused once.
    pub(super) fn ended(&self, session: &Value, bound: Duration) {
        let ended =
            Ended { sid: sid(session), request: orders(session), refused_from: Instant::now() + bound };
        lock(&self.shared.ended).push(ended);
    }

    /// Somebody else is the honest one from now on: everybody had to log in again.
    pub(super) fn honest_is(&self, session: Option<&Value>) {
        *lock(&self.shared.honest) = session.map(orders).into_iter().collect();
    }

    /// For how long the honest one has got 503 since this was asked last.
    pub(super) fn away(&self) -> Option<Duration> {
        lock(&self.shared.book).away.take().map(|(first, last)| whole(last - first))
    }

    /// How many connections ended that were in use.
    pub(super) fn lost_connections(&self) -> usize {
        lock(&self.shared.book).lost_connections
    }

    /// What was seen since [`away`](Self::away) was asked; and nothing of it was wrong.
    pub(super) fn finish(mut self) -> Seen {
        self.end();
        let book = lock(&self.shared.book);
        let wrong = &book.wrong;
        assert!(
            wrong.is_empty(),
            "{} wrong answers, such as {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(4)]
        );
        let asked = self.shared.asked.load(Ordering::SeqCst);
        Seen { asked, away: book.away.map(|(first, last)| last - first) }
    }

    fn end(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().expect("a thread that does not panic");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn ask_forever(&self, keeps: bool) {
        let mut connection = Connection::to(&self.url);
        // Of the worker behind this connection: whoever it has refused.
        let mut refused = BTreeSet::new();
        while !self.ends.load(Ordering::SeqCst) {
            if self.round(&mut connection, &mut refused).is_err() {
                lock(&self.book).lost_connections += 1;
            }
            if !keeps || !connection.is_open() {
                connection = Connection::to(&self.url);
                refused.clear();
            }
            thread::sleep(BREATH);
        }
    }

    fn round(&self, connection: &mut Connection, refused: &mut BTreeSet<String>) -> Result<(), String> {
        let honest = lock(&self.honest).clone();
        for request in &honest {
            let answer = connection.try_send(request)?;
            self.asked.fetch_add(1, Ordering::SeqCst);
            match answer.status {
                200 => {}
                503 => {
                    let mut book = lock(&self.book);
                    let now = Instant::now();
                    book.away = Some((book.away.map_or(now, |(first, _)| first), now));
                }
                // He may have been told off his place while he asked.
                _ if lock(&self.honest).is_empty() => {}
                status => self.wrong(format!("the honest one got {status}: {}", answer.text())),
            }
        }
        let ended = lock(&self.ended).clone();
        for Ended { sid, request, refused_from } in ended {
            if !connection.is_open() {
                return Ok(());
            }
            let asked = Instant::now();
            let answer = connection.try_send(&request)?;
            self.asked.fetch_add(1, Ordering::SeqCst);
            match (answer.status, answer.code().as_deref()) {
                (200, _) if refused.contains(&sid) => {
                    self.wrong(format!("{sid} got through where it had been refused"));
                }
                (200, _) if asked >= refused_from => {
                    self.wrong(format!("{sid} got through {:?} after the bound", asked - refused_from));
                }
                (200 | 503, _) => {}
                (401, Some("token_revoked" | "subject_gone")) => drop(refused.insert(sid)),
                (status, code) => self.wrong(format!("{sid} got {status} {code:?}")),
            }
        }
        Ok(())
    }

    fn wrong(&self, what: String) {
        lock(&self.book).wrong.push(what);
    }
}

fn orders(session: &Value) -> Request {
    Request::get("/api/orders").bearer(token(session))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a watch whose threads do not panic")
}
