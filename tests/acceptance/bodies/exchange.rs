//! A request whose body is sent while the answer comes, and the upstream that answers so.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use bearward_tests::client::http2;
use bearward_tests::deadline::PATIENCE;

use super::framing::{self, Framing, Writer};

/// Both sides of it, while it goes on.
pub(super) trait Exchange {
    /// Sends a piece of the body; with the last one, the body ends.
    fn send(&mut self, piece: &[u8], is_last: bool);
    /// The status, once it has come.
    fn status(&mut self) -> u16;
    /// The next bytes of the answer's body: so many, or fewer at its end.
    fn receive(&mut self, length: usize) -> Vec<u8>;
}

impl Exchange for http2::Stream<'_> {
    fn send(&mut self, piece: &[u8], is_last: bool) {
        http2::Stream::send(self, piece, is_last);
    }

    fn status(&mut self) -> u16 {
        http2::Stream::status(self)
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        http2::Stream::receive(self, length)
    }
}

/// POST of an order over HTTP/1.1, with a length or in chunks.
pub(super) struct Http1 {
    request: Writer,
    connection: BufReader<TcpStream>,
    answer: Option<Framing>,
}

impl Http1 {
    pub(super) fn open(url: &str, token: &str, length: Option<usize>) -> Self {
        let address = url.strip_prefix("http://").expect("an http:// address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit for waiting");
        // A piece is answered before the next is sent: no packet shall wait for another.
        stream.set_nodelay(true).expect("a TCP stream");
        let framing = length.map_or(Framing::InChunks(0), Framing::Left);
        let head =
            format!("POST /api/orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n");
        write!(stream, "{head}{framing}\r\n\r\n").expect("an open connection");
        let connection = BufReader::new(stream.try_clone().expect("a second handle"));
        Self { request: Writer { stream, framing }, connection, answer: None }
    }
}

impl Exchange for Http1 {
    fn send(&mut self, piece: &[u8], is_last: bool) {
        self.request.write(piece).expect("an open connection");
        if is_last {
            self.request.end().expect("an open connection");
        }
    }

    fn status(&mut self) -> u16 {
        let (first, framing) = framing::read_head(&mut self.connection).expect("an answer");
        self.answer = Some(framing);
        first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        let framing = self.answer.as_mut().expect("the status comes first");
        let mut all = Vec::new();
        while all.len() < length {
            let some = framing.read(&mut self.connection, length - all.len()).expect("a whole answer");
            if some.is_empty() {
                break;
            }
            all.extend_from_slice(&some);
        }
        all
    }
}

/// Answers the requests of a connection with their own bodies, each byte as soon as it is there.
pub(super) fn echo(stream: &TcpStream, heard: &AtomicUsize) {
    stream.set_nodelay(true).expect("a TCP stream");
    let mut requests = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some((_, mut framing)) = framing::read_head(&mut requests) {
        heard.fetch_add(1, Ordering::SeqCst);
        let mut answer = Writer { stream: stream.try_clone().expect("a second handle"), framing };
        // Who does not listen any more, or stops to speak, has failed in its test already.
        let echoed = write!(answer.stream, "HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").and_then(|()| {
            loop {
                let some = framing.read(&mut requests, usize::MAX)?;
                if some.is_empty() {
                    return answer.end();
                }
                answer.write(&some)?;
            }
        });
        if echoed.is_err() {
            return;
        }
    }
}
