//! How requests are offered, and what became of them.
//!
//! A closed load asks again as soon as it has an answer: it finds out what work costs. An open load asks by the clock,
//! whatever became of the requests before: it finds out how long somebody waits.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use xtask::error::Error;

pub(crate) use self::closed::closed;
pub(crate) use self::open::{Pace, Paced, open};
use crate::statistics::Latencies;

mod closed;
mod open;

/// Somebody who sends requests of one kind over one connection, and keeps what the next one needs.
pub(crate) trait Client: Send {
    /// Connects anew, which is no part of what is measured.
    fn connect(&mut self) -> io::Result<()>;
    /// Sends one request and returns the status of its answer.
    fn request(&mut self) -> io::Result<u16>;
}

/// What became of the requests of one window.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_status: BTreeMap<u16, Vec<Duration>>,
    failures: u64,
    first_failure: Option<String>,
}

impl Tally {
    /// How many answers had this status.
    pub(crate) fn count(&self, status: u16) -> usize {
        self.by_status.get(&status).map_or(0, Vec::len)
    }

    /// How many answers had this status: an error that says what came instead, where none had.
    pub(crate) fn expect(&self, status: u16, what: &str) -> Result<usize, Error> {
        match self.count(status) {
            0 => Err(Error::unusable(
                format!("{what}: no answer had status {status}; instead: {}", self.others(&[status])),
                "look into the log of what was asked",
            )),
            count => Ok(count),
        }
    }

    /// What was none of these, in words; empty where there was nothing else.
    pub(crate) fn others(&self, expected: &[u16]) -> String {
        let others = self.by_status.iter().filter(|(status, _)| !expected.contains(status));
        let mut words: Vec<String> =
            others.map(|(status, latencies)| format!("{} x {status}", latencies.len())).collect();
        if let Some(first) = &self.first_failure {
            words.push(format!("{} x no answer ({first})", self.failures));
        }
        words.join(", ")
    }

    /// How long the answers with this status took.
    pub(crate) fn latencies(&self, status: u16) -> Result<Latencies, Error> {
        let mut latencies = Latencies::new()?;
        self.by_status.get(&status).into_iter().flatten().for_each(|latency| latencies.record(*latency));
        Ok(latencies)
    }

    fn record(&mut self, latency: Duration, answer: io::Result<u16>) {
        match answer {
            Ok(status) => self.by_status.entry(status).or_default().push(latency),
            Err(error) => {
                self.failures += 1;
                self.first_failure.get_or_insert_with(|| error.to_string());
            }
        }
    }

    fn add(&mut self, other: Self) {
        for (status, latencies) in other.by_status {
            self.by_status.entry(status).or_default().extend(latencies);
        }
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }
}

/// Connects all anew.
pub(crate) fn connect<C: Client>(clients: &mut [C]) -> Result<(), Error> {
    clients.iter_mut().try_for_each(Client::connect).map_err(Error::io("cannot connect to what is measured"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_expected_is_said_in_words() {
        let mut tally = Tally::default();
        tally.record(Duration::ZERO, Ok(200));
        tally.record(Duration::ZERO, Ok(429));
        let mut other = Tally::default();
        other.record(Duration::ZERO, Ok(429));
        other.record(Duration::ZERO, Err(io::ErrorKind::UnexpectedEof.into()));
        tally.add(other);
        assert_eq!(tally.others(&[200]), "2 x 429, 1 x no answer (unexpected end of file)");
        assert_eq!(tally.expect(200, "logins").unwrap(), 1);
        assert!(tally.expect(304, "keys").unwrap_err().to_string().contains("instead: 1 x 200, 2 x 429"));
    }
}
