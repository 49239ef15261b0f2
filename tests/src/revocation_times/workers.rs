use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::site::WORKERS;
use super::{Moment, Session, Site};
use crate::client::{Connection, Request};

/// A connection to each worker, kept open: what one of them refuses the other may not know yet.
#[derive(Debug)]
pub struct Workers {
    connections: Vec<Connection>,
}

/// How often is asked whether it is refused yet: how much too long a time is told at most, and an answer's way.
const PAUSE: Duration = Duration::from_millis(1);
/// Far beyond what is promised: whoever waits longer waits in vain.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// The kernel spreads connections over workers: by chance, none of so many goes to one of two.
const ATTEMPTS: usize = 64;

impl Workers {
    /// Opens connections until there is one of each worker: Envoy itself counts the connections of each. Nobody else may open one
    /// meanwhile.
    ///
    /// # Panics
    /// If a worker gets none.
    #[must_use]
    pub fn connect(site: &Site) -> Self {
        let mut of_workers = BTreeMap::new();
        for _ in 0..ATTEMPTS {
            let before = connections(site);
            let mut connection = Connection::to(site.url());
            assert_eq!(connection.send(&Request::get("/api/menu")).status, 200);
            let after = connections(site);
            assert_eq!(after.len(), usize::try_from(WORKERS).expect("few"), "{after:?}");
            let more: Vec<_> = after
                .iter()
                .filter(|(worker, count)| before.get(*worker).is_none_or(|before| before != *count))
                .collect();
            let [(worker, _)] = more[..] else { panic!("{before:?} became {after:?}") };
            of_workers.entry(worker.clone()).or_insert(connection);
            if of_workers.len() == after.len() {
                return Self { connections: of_workers.into_values().collect() };
            }
        }
        panic!("none of {ATTEMPTS} connections went to some worker: {:?}", of_workers.keys());
    }

    /// Asks each worker, over and over, until it refuses all of these tokens with this reason: how long after `since` that
    /// was, for each.
    pub(super) fn refused(&mut self, since: Moment, code: &str, ended: &[&Session]) -> Vec<Duration> {
        self.each(|connection| {
            let mut last = Duration::ZERO;
            for session in ended {
                loop {
                    let (status, said) = verdict(connection, session);
                    let answered = Instant::now();
                    if status == 401 {
                        assert_eq!(said, code);
                        last = answered - since.at;
                        break;
                    }
                    assert_eq!(status, 200, "{said}");
                    assert!(answered - since.at < GIVEN_UP, "it still passes");
                    thread::sleep(PAUSE);
                }
            }
            last
        })
    }

    /// Each worker refuses all of these, for one of these reasons.
    pub(super) fn must_refuse(&mut self, codes: &[&str], ended: &[&Session]) {
        self.each(|connection| {
            for session in ended {
                let (status, said) = verdict(connection, session);
                assert!(status == 401 && codes.contains(&said.as_str()), "{status} {said}");
            }
        });
    }

    /// Each worker takes all of these.
    pub(super) fn must_take(&mut self, others: &[&Session]) {
        self.each(|connection| {
            for session in others {
                assert_eq!(verdict(connection, session), (200, String::new()), "somebody else is hurt");
            }
        });
    }

    /// Whether each worker takes all of these.
    pub(super) fn take(&mut self, sessions: &[&Session]) -> bool {
        let is_taken = |connection: &mut Connection| {
            sessions.iter().all(|session| verdict(connection, session).0 == 200)
        };
        self.each(is_taken).into_iter().all(|is_taken| is_taken)
    }

    fn each<T: Send>(&mut self, work: impl Fn(&mut Connection) -> T + Sync) -> Vec<T> {
        let work = &work;
        thread::scope(|scope| {
            let of_each = self.connections.iter_mut().map(|connection| scope.spawn(move || work(connection)));
            let of_each: Vec<_> = of_each.collect();
            of_each.into_iter().map(|worker| worker.join().expect("a thread that asks a worker")).collect()
        })
    }
}

/// The status, and the reason where there is one.
fn verdict(connection: &mut Connection, session: &Session) -> (u16, String) {
    let answer = connection.send(&Request::get("/api/orders").bearer(&session.token));
    // The next request would go to any worker.
    assert_ne!(answer.header("connection").as_deref(), Some("close"), "{}", answer.text());
    (answer.status, answer.code().unwrap_or_default())
}

/// How many connections each worker has had.
fn connections(site: &Site) -> BTreeMap<String, u64> {
    let stats = Request::get("/stats?filter=worker_.*downstream_cx_total").send(site.admin_url()).text();
    let of_line = |line: &str| {
        let (name, count) = line.split_once(": ")?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    stats.lines().filter_map(of_line).collect()
}
