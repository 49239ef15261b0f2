use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use xtask::error::Error;

use super::replica::Replica;
use crate::http::Connection;

/// Proxies that ask again whenever they are answered. All of them wait for about the same time, so whoever asked first is
/// answered first, and one thread does for all.
pub(super) struct Crowd {
    waiting: JoinHandle<Result<(), Error>>,
    has_ended: Arc<AtomicBool>,
}

/// How a crowd was answered.
pub(super) struct Answered {
    /// Until the last of them was.
    pub(super) within: Duration,
    /// How many answers were signed meanwhile.
    pub(super) signatures: u64,
}

impl Crowd {
    /// Connects them all, and returns when all of them wait.
    pub(super) fn wait(replica: &Replica, count: u32, path: &str) -> Result<Self, Error> {
        let question = replica.question(path);
        let mut connections = asked(replica, count, &question)?;
        replica.wait_for_polls(count)?;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        let waiting = thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                for connection in &mut connections {
                    expect(connection)?;
                    connection.ask(&question).map_err(Error::io("cannot ask again"))?;
                }
            }
            Ok(())
        });
        Ok(Self { waiting, has_ended })
    }

    /// They go away.
    pub(super) fn end(self) -> Result<(), Error> {
        self.has_ended.store(true, Ordering::SeqCst);
        self.waiting.join().map_err(|_| Error::unusable("a thread that waits has panicked", "look above"))?
    }
}

/// So many wait; then one record is written, and all are told.
pub(super) fn told(replica: &Replica, count: u32, path: &str) -> Result<Answered, Error> {
    let mut waiting = asked(replica, count, &replica.question(path))?;
    replica.wait_for_polls(count)?;
    let before = replica.signatures()?;
    let begun = replica.revoke()?;
    waiting.iter_mut().try_for_each(expect)?;
    Ok(Answered { within: begun.elapsed(), signatures: replica.signatures()? - before })
}

/// So many connect and ask at once, of something that is answered at once.
pub(super) fn back_at_once(replica: &Replica, count: u32, path: &str) -> Result<Answered, Error> {
    let question = replica.question(path);
    let before = replica.signatures()?;
    let begun = Instant::now();
    for connection in &mut asked(replica, count, &question)? {
        expect(connection)?;
    }
    Ok(Answered { within: begun.elapsed(), signatures: replica.signatures()? - before })
}

fn asked(replica: &Replica, count: u32, question: &[u8]) -> Result<Vec<Connection>, Error> {
    let mut connections: Vec<Connection> =
        (0..count).map(|_| Connection::new(replica.server().internal())).collect();
    let ask = |connection: &mut Connection| connection.ask(question);
    connections.iter_mut().try_for_each(ask).map_err(Error::io("cannot ask the feed"))?;
    Ok(connections)
}

fn expect(connection: &mut Connection) -> Result<(), Error> {
    let answer = connection.answer().map_err(Error::io("the feed did not answer"))?;
    match answer.status {
        200 => Ok(()),
        status => Err(Error::unusable(format!("the feed answered {status}"), "look into the issuer's log")),
    }
}

/// Lets this process open so many files.
pub(super) fn raise_open_files(files: u64) -> Result<(), Error> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= files) {
        return Ok(());
    }
    let too_few =
        |_| Error::unusable(format!("{files} open files are not allowed here"), "raise `ulimit -Hn`");
    setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).map_err(too_few)
}
