//! A small HTTP/1.1 client that blocks: one request at a time on a connection that is kept (RFC 9112).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take; the issuer gives up its requests earlier.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest head and the longest body that are read, in bytes.
const MAX_HEAD_BYTES: u64 = 16 * 1024;
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A connection, opened when it is needed and again after it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The bytes of a request without a body.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    request("GET", path, headers, "")
}

/// The bytes of a request with this object.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &Value) -> Vec<u8> {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    request("POST", path, &headers, &body.to_string())
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Connects, unless it is.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            self.stream = Some(BufReader::new(stream));
        }
        Ok(())
    }

    /// Ends it; the next request has a new one.
    pub(crate) fn close(&mut self) {
        self.stream = None;
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.ask(request)?;
        self.answer()
    }

    /// Sends a request whose answer is awaited later.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.open()?;
        let Some(mut stream) = self.stream.take() else { return Err(io::ErrorKind::NotConnected.into()) };
        // What fails in the middle leaves the connection closed.
        stream.get_mut().write_all(request)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Waits for the answer to what was asked.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let Some(mut stream) = self.stream.take() else { return Err(io::ErrorKind::NotConnected.into()) };
        let (answer, stays) = receive(&mut stream)?;
        self.stream = stays.then_some(stream);
        Ok(answer)
    }
}

impl Answer {
    /// A member of the object in the body that is a string.
    pub(crate) fn text(&self, member: &str) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get(member)?.as_str()?.to_owned())
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// The answer, and whether the connection stays.
fn receive(stream: &mut impl BufRead) -> io::Result<(Answer, bool)> {
    let mut answer = Answer::default();
    let (mut length, mut stays) = (0, true);
    let mut head = stream.take(MAX_HEAD_BYTES);
    let mut line = String::new();
    next_line(&mut head, &mut line)?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    answer.status = status.ok_or_else(|| malformed("status line"))?;
    loop {
        next_line(&mut head, &mut line)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", value) => length = value.parse().map_err(|_| malformed("length"))?,
            ("transfer-encoding", _) => return Err(malformed("answer without a length")),
            ("connection", value) => stays = !value.eq_ignore_ascii_case("close"),
            ("etag", value) => answer.etag = Some(value.to_owned()),
            _ => {}
        }
    }
    // A length that comes with 304 is that of the body which is not sent (RFC 9110 section 8.6).
    if answer.status != 304 && length > 0 {
        if length > MAX_BODY_BYTES {
            return Err(malformed("length"));
        }
        answer.body = vec![0; length];
        stream.read_exact(&mut answer.body)?;
    }
    Ok((answer, stays))
}

fn next_line(head: &mut impl BufRead, line: &mut String) -> io::Result<()> {
    line.clear();
    head.read_line(line)?;
    let without = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?.len();
    line.truncate(without);
    Ok(())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a {what} that this client does not know"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use serde_json::json;

    use super::*;

    #[test]
    fn answers_follow_each_other_on_one_connection_until_one_says_that_it_is_the_last() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"x\"}",
            "HTTP/1.1 304 Not Modified\r\netag: \"7\"\r\ncontent-length: 99\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        ];
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                let mut line = String::new();
                let mut reader = BufReader::with_capacity(1, stream.try_clone().unwrap());
                while line != "\r\n" {
                    line.clear();
                    reader.read_line(&mut line).unwrap();
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut ask = || connection.send(&get("/", &[("a", "b")])).unwrap();
        let first = ask();
        assert_eq!((first.status, first.text("token").as_deref(), first.text("no")), (200, Some("x"), None));
        let second = ask();
        assert_eq!((second.status, second.etag.as_deref(), second.body.len()), (304, Some("\"7\""), 0));
        assert_eq!(ask().status, 503);
        server.join().unwrap();
        assert!(connection.stream.is_none());
    }

    #[test]
    fn a_request_has_the_length_of_its_body() {
        let text = String::from_utf8(post("/x", &[("a", "b")], &json!({"k": 1}))).unwrap();
        assert_eq!(
            text,
            "POST /x HTTP/1.1\r\nhost: bench\r\na: b\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"k\":1}"
        );
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        for text in
            ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx", "HTTP/2 200\r\n\r\n"]
        {
            assert!(receive(&mut text.as_bytes()).is_err(), "{text}");
        }
    }
}
