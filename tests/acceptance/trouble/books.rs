use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::texts;
use serde_json::json;

/// The longest that any answer may take: the deadline of a request, and some time on a busy machine.
const LONGEST: Duration = Duration::from_secs(13);

/// What clients were answered.
#[derive(Debug, Default)]
pub(super) struct Books {
    lives: AtomicUsize,
    successes: AtomicUsize,
    refusals: AtomicUsize,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    users: BTreeSet<String>,
    sessions: BTreeSet<String>,
    ended: Vec<(String, String)>,
    alive: Vec<(String, String)>,
    wrong: Vec<String>,
    slowest: Duration,
}

impl Books {
    /// Asks until there is an answer other than 503, so often at most. The second part: whether there was a 503 before,
    /// so that what was asked for may have happened already.
    pub(super) fn ask(
        &self,
        request: &Request,
        url: &str,
        tries: usize,
        pause: Duration,
    ) -> Option<(Response, bool)> {
        for number in 0..tries {
            let begun = Instant::now();
            let answer = match request.try_send(url) {
                Ok(answer) => answer,
                Err(why) => {
                    self.pages().wrong.push(format!("{request} was not answered: {why}"));
                    return None;
                }
            };
            let took = begun.elapsed();
            let mut pages = self.pages();
            pages.slowest = pages.slowest.max(took);
            if took > LONGEST {
                pages.wrong.push(format!("{request} took {took:?}"));
            }
            if answer.status != 503 {
                self.successes.fetch_add(1, Ordering::SeqCst);
                return Some((answer, number > 0));
            }
            if answer.header("retry-after").is_none() {
                pages.wrong.push(format!("{request} was answered 503 without Retry-After"));
            }
            drop(pages);
            self.refusals.fetch_add(1, Ordering::SeqCst);
            sleep(pause);
        }
        None
    }

    pub(super) fn wrong(&self, request: &Request, answer: &Response) {
        self.pages().wrong.push(format!("{request} was answered {}: {}", answer.status, answer.text()));
    }

    pub(super) fn user(&self, email: &str, id: &str) {
        self.pages().users.insert(format!("{id} {email}"));
    }

    pub(super) fn session(&self, id: &str) {
        self.pages().sessions.insert(id.to_owned());
    }

    /// A logout was answered with success.
    pub(super) fn ended(&self, session: &str, access_token: &str) {
        self.pages().ended.push((session.to_owned(), access_token.to_owned()));
    }

    /// This is the newest refresh token of a session.
    pub(super) fn alive(&self, session: &str, refresh_token: &str) {
        self.pages().alive.push((session.to_owned(), refresh_token.to_owned()));
    }

    pub(super) fn lived(&self) {
        self.lives.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn is_even_life(&self) -> bool {
        self.lives.load(Ordering::SeqCst).is_multiple_of(2)
    }

    /// Waits until so many more lives were lived from begin to end.
    pub(super) fn wait_for_lives(&self, more: usize) {
        more_of(&self.lives, more, "lives");
    }

    /// Waits until so many more requests were answered 503.
    pub(super) fn wait_for_refusals(&self, more: usize) {
        more_of(&self.refusals, more, "answers 503");
    }

    pub(super) fn summary(&self) -> String {
        let (pages, count) = (self.pages(), |counter: &AtomicUsize| counter.load(Ordering::SeqCst));
        let (answered, refused) = (count(&self.successes), count(&self.refusals));
        let (users, sessions, ended) = (pages.users.len(), pages.sessions.len(), pages.ended.len());
        format!(
            "{answered} answers and {refused} times 503, the slowest after {:?}; all of {users} users, {sessions} \
             sessions and {ended} logouts kept",
            pages.slowest
        )
    }

    /// Holds what was answered against what is there.
    pub(super) fn check(&self, database_url: &str, url: &str) {
        let pages = self.pages();
        assert!(pages.wrong.is_empty(), "{} wrong answers, such as {:#?}", pages.wrong.len(), pages.wrong[0]);
        let of = |query| texts(database_url, query).unwrap().into_iter().collect::<BTreeSet<_>>();
        let missing =
            |answered: &BTreeSet<String>, there: &BTreeSet<String>| answered.difference(there).count();
        assert_eq!(missing(&pages.users, &of("SELECT id || ' ' || email FROM users")), 0);
        assert_eq!(missing(&pages.sessions, &of("SELECT id::text FROM sessions")), 0);
        let ended: BTreeSet<_> = pages.ended.iter().map(|(session, _)| session.clone()).collect();
        assert_eq!(missing(&ended, &of("SELECT id::text FROM sessions WHERE ended_why = 'logout'")), 0);
        assert_eq!(missing(&ended, &of("SELECT name FROM revocations WHERE kind = 'session'")), 0);
        for (session, access_token) in &pages.ended {
            let answer = Request::get("/api/auth/me").bearer(access_token).send(url);
            assert_eq!(answer.status, 401, "the ended session {session} counts: {}", answer.text());
        }
        for (session, refresh_token) in &pages.alive {
            let answer =
                Request::post("/api/auth/refresh", &json!({ "refreshToken": refresh_token })).send(url);
            assert_eq!(answer.status, 200, "the session {session} is lost: {}", answer.text());
        }
        assert!(!pages.ended.is_empty() && !pages.alive.is_empty());
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().expect("books that no client tears")
    }
}

fn more_of(counter: &AtomicUsize, more: usize, awaited: &str) {
    let aim = counter.load(Ordering::SeqCst) + more;
    eventually(&format!("{more} more {awaited}"), || (counter.load(Ordering::SeqCst) >= aim).then_some(()));
}
