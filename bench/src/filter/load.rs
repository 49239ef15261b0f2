//! Requests over some connections that stay open, from one thread: all are sent, then all are answered, and again.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Connections, and so requests under way.
const CONNECTIONS: usize = 8;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Who asks a listener.
pub(super) struct Load {
    connections: Vec<Connection>,
    /// The place in the rotation, over all slices.
    next: usize,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    sent: Instant,
}

/// An answer: its status, and the length of its body in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) body: usize,
}

impl Load {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let connect = |_| {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Connection { stream, buffer: Vec::with_capacity(MAX_ANSWER_BYTES), sent: Instant::now() })
        };
        let connections: io::Result<Vec<_>> = (0..CONNECTIONS).map(connect).collect();
        Ok(Self { connections: connections?, next: 0 })
    }

    /// Sends requests in rotation, at least `count` of them and for at least this long; hands every answer on, and how long it took.
    /// How many there were.
    pub(super) fn drive(
        &mut self,
        requests: &[Vec<u8>],
        (count, time): (usize, Duration),
        mut answered: impl FnMut(Seen, Duration) -> io::Result<()>,
    ) -> io::Result<u64> {
        let (begun, mut done) = (Instant::now(), 0);
        while done < count || begun.elapsed() < time {
            for connection in &mut self.connections {
                let Some(request) = requests.get(self.next % requests.len().max(1)) else {
                    return Err(io::Error::other("no requests"));
                };
                self.next = self.next.wrapping_add(1);
                connection.sent = Instant::now();
                connection.stream.write_all(request)?;
            }
            for connection in &mut self.connections {
                let seen = connection.answer()?;
                answered(seen, connection.sent.elapsed())?;
                done += 1;
            }
        }
        Ok(u64::try_from(done).unwrap_or(u64::MAX))
    }
}

impl Connection {
    fn answer(&mut self) -> io::Result<Seen> {
        self.buffer.clear();
        let mut part = [0; 8192];
        loop {
            let read = self.stream.read(&mut part)?;
            if read == 0 || self.buffer.len() > MAX_ANSWER_BYTES {
                return Err(io::Error::other("an answer that does not end, or a connection that does"));
            }
            self.buffer.extend_from_slice(part.get(..read).unwrap_or_default());
            if let Some(seen) = whole(&self.buffer) {
                return Ok(seen);
            }
        }
    }
}

/// The answer, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Seen> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = bytes.get(..end)?;
    let status = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let body = head
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"content-length: "))
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok())?;
    (bytes.len() >= end + body).then_some(Seen { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_body_is_there() {
        let text = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 3\r\n\r\nabc";
        for length in 0..text.len() {
            assert_eq!(whole(&text[..length]), None, "{length}");
        }
        assert_eq!(whole(text), Some(Seen { status: 401, body: 3 }));
    }
}
