//! The load: a few connections that are kept, each of which asks again as soon as it has its answer (HTTP/1.1).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use xtask::error::Error;
use xtask::interrupt;

use crate::statistics::Latencies;

/// How many requests are under way: so many that the worker has always one to go on with.
pub(super) const CONNECTIONS: usize = 8;
/// How long nothing may come.
const PATIENCE: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };
/// The longest answer.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// Requests in rotation, each as its bytes. A clone has the same ones, and its own place in the rotation.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    bytes: Arc<[Vec<u8>]>,
    /// Those in rotation: all, or a part.
    turn: Range<usize>,
    next: usize,
}

impl Requests {
    pub(super) fn new(bytes: Vec<Vec<u8>>) -> Self {
        Self { turn: 0..bytes.len(), next: 0, bytes: bytes.into() }
    }

    /// Only the first so many of them, in rotation.
    pub(super) fn first(self, count: usize) -> Self {
        Self { turn: 0..count.min(self.bytes.len()), next: 0, ..self }
    }

    /// From now on those that come after the first, none of which was asked with.
    pub(super) fn leave_first(&mut self) {
        self.turn = self.turn.end..self.bytes.len();
        self.next = self.turn.start;
    }

    /// How many are different.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How long all of them are together.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().map(Vec::len).sum()
    }

    fn next(&mut self) -> &[u8] {
        let now = self.next;
        self.next = if now + 1 < self.turn.end { now + 1 } else { self.turn.start };
        self.bytes.get(now).map_or(&[], Vec::as_slice)
    }
}

/// The connections to one listener.
#[derive(Debug)]
pub(super) struct Connections {
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    asked: Instant,
}

impl Connections {
    /// # Errors
    /// Nobody listens there.
    pub(super) fn open(address: SocketAddr) -> Result<Self, Error> {
        let doing = || Error::io(format!("cannot connect to {address}"));
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).map_err(doing())?;
            stream.set_nodelay(true).map_err(doing())?;
            connections.push(Connection {
                stream,
                received: Vec::with_capacity(4_096),
                asked: Instant::now(),
            });
        }
        Ok(Self { connections })
    }

    /// Sends so many requests and waits for all answers; how long each took is added to `latencies`.
    ///
    /// # Errors
    /// An answer that has another status, or does not come.
    pub(super) fn ask(
        &mut self,
        requests: &mut Requests,
        count: usize,
        status: u16,
        latencies: &mut Latencies,
    ) -> Result<(), Error> {
        let (mut asked, mut answered) = (0, 0);
        for connection in self.connections.iter_mut().take(count) {
            connection.ask(requests.next())?;
            asked += 1;
        }
        while answered < count {
            let ready = self.ready()?;
            interrupt::check()?;
            for (connection, _) in self.connections.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
                let Some(took) = connection.receive(status)? else { continue };
                latencies.record(took);
                answered += 1;
                if asked < count {
                    connection.ask(requests.next())?;
                    asked += 1;
                }
            }
        }
        Ok(())
    }

    /// Which connections have something to read, once there is one.
    fn ready(&self) -> Result<[bool; CONNECTIONS], Error> {
        let mut watched: Vec<PollFd<'_>> = self
            .connections
            .iter()
            .map(|connection| PollFd::new(&connection.stream, PollFlags::IN))
            .collect();
        let count = poll(&mut watched, Some(&PATIENCE))
            .map_err(|error| Error::io("cannot wait for answers")(error.into()))?;
        if count == 0 {
            return Err(Error::unusable("an answer does not come", "look into Envoy's log"));
        }
        let mut ready = [false; CONNECTIONS];
        ready.iter_mut().zip(&watched).for_each(|(ready, watched)| *ready = !watched.revents().is_empty());
        Ok(ready)
    }
}

impl Connection {
    fn ask(&mut self, request: &[u8]) -> Result<(), Error> {
        self.asked = Instant::now();
        self.stream.write_all(request).map_err(Error::io("cannot send a request"))
    }

    /// How long the answer took, once it is whole.
    fn receive(&mut self, status: u16) -> Result<Option<Duration>, Error> {
        let mut bytes = [0; 4_096];
        let count = self.stream.read(&mut bytes).map_err(Error::io("cannot receive an answer"))?;
        self.received.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if count == 0 || self.received.len() > MAX_ANSWER_BYTES {
            return Err(unexpected(status, &self.received));
        }
        let Some(length) = whole(&self.received) else { return Ok(None) };
        let took = self.asked.elapsed();
        if length != self.received.len() || status_of(&self.received) != Some(status) {
            return Err(unexpected(status, &self.received));
        }
        self.received.clear();
        Ok(Some(took))
    }
}

/// The length of the first answer in these bytes, once it is whole.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let end = bytes.windows(END.len()).position(|window| window == END)? + END.len();
    let head = bytes.get(..end)?;
    let digits = head.windows(LENGTH.len()).position(|window| window == LENGTH)? + LENGTH.len();
    let digits = head.get(digits..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let body =
        digits.fold(0_usize, |sum, digit| sum.saturating_mul(10).saturating_add(usize::from(digit - b'0')));
    let length = end.saturating_add(body);
    (bytes.len() >= length).then_some(length)
}

fn status_of(bytes: &[u8]) -> Option<u16> {
    std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()
}

fn unexpected(status: u16, bytes: &[u8]) -> Error {
    let text = String::from_utf8_lossy(bytes);
    let what = format!("expected an answer of status {status}, got {:?}", text.trim());
    Error::unusable(what, "look into Envoy's log and into bench/filter")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers every request with its path's status, in two parts.
    fn serve(listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                    if line == "\r\n" {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap();
                        stream.write_all(b"ngth: 2\r\n\r\nok").unwrap();
                    }
                    line.clear();
                }
            });
        }
    }

    #[test]
    fn so_many_requests_are_sent_in_rotation_as_were_asked_for_and_all_answers_awaited() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(&listener));
        let mut connections = Connections::open(address).unwrap();
        let mut requests = Requests::new(
            (0..3).map(|number| format!("GET /{number} HTTP/1.1\r\n\r\n").into_bytes()).collect(),
        );
        let mut latencies = Latencies::new().unwrap();
        connections.ask(&mut requests, 100, 200, &mut latencies).unwrap();
        connections.ask(&mut requests, 3, 200, &mut latencies).unwrap();
        assert_eq!((latencies.count(), requests.next), (103, 103 % 3));
        let error = connections.ask(&mut requests, 1, 401, &mut latencies).unwrap_err().to_string();
        assert!(error.contains("expected an answer of status 401, got \"HTTP/1.1 200 OK"), "{error}");
    }

    #[test]
    fn after_the_first_requests_come_the_others_and_none_of_the_first_again() {
        let bytes = (0..5).map(|number| vec![number]).collect();
        let mut requests = Requests::new(bytes).first(2);
        let next = |count: usize, requests: &mut Requests| -> Vec<u8> {
            (0..count).filter_map(|_| requests.next().first().copied()).collect()
        };
        assert_eq!(next(3, &mut requests), [0, 1, 0]);
        requests.leave_first();
        assert_eq!(next(4, &mut requests), [2, 3, 4, 2]);
    }

    #[test]
    fn an_answer_is_whole_once_its_body_is_there() {
        let text = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 7\r\nserver: envoy\r\n\r\nrefused";
        assert_eq!(whole(text), Some(text.len()));
        assert_eq!(whole(text.get(..text.len() - 1).unwrap()), None);
        assert_eq!(whole(text.get(..30).unwrap()), None);
        assert_eq!(status_of(text), Some(401));
    }
}
