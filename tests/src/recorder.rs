//! An upstream that tells what reached it, read as the worst of servers reads it.
//!
//! Header names become variables as CGI (RFC 3875 section 4.1.18), WSGI, Rack and PHP make them: upper case, `-` turned
//! into `_`, prefixed by `HTTP_`; trailers are merged in. So `x-user-id`, `X_User_Id` and a trailer of that name are one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

mod http2;

pub use http2::{GRPC_TRAILERS, Http2Recorder};

/// The longest line and the largest body that are read, in bytes.
const MAX_REQUEST: u64 = 4 * 1024 * 1024;

/// Answers every request with 200 and what it saw. It ends with the process.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as an application behind the recorder would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target in the bytes that arrived.
    pub target: String,
    /// `HTTP_*` variables with their values, in the order of arrival; a name may occur more than once.
    pub variables: Vec<(String, String)>,
}

impl Seen {
    /// Every value of a variable.
    #[must_use]
    pub fn values(&self, variable: &str) -> Vec<&str> {
        self.variables.iter().filter(|(name, _)| name == variable).map(|(_, value)| value.as_str()).collect()
    }

    fn to_json(&self) -> Value {
        json!({ "method": self.method, "target": self.target, "variables": self.variables })
    }
}

impl Recorder {
    /// Listens on a free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let record = Arc::clone(&record);
                thread::spawn(move || serve(stream, &record));
            }
        });
        Self { address, seen }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().expect("the record"))
    }

    /// The one request since the last look.
    ///
    /// # Panics
    /// If there was none, or more than one.
    #[must_use]
    pub fn take_one(&self) -> Seen {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "exactly one request should have reached the upstream: {seen:?}");
        seen.remove(0)
    }
}

fn serve(stream: TcpStream, record: &Mutex<Vec<Seen>>) {
    let Ok(mut answers) = stream.try_clone() else { return };
    let mut requests = BufReader::new(stream);
    while let Some(seen) = read(&mut (&mut requests).take(MAX_REQUEST)) {
        let body = seen.to_json().to_string();
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if seen.method != "HEAD" {
            answer.push_str(&body);
        }
        record.lock().expect("the record").push(seen);
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request of the connection; `None` at its end, and for what is no request.
fn read(stream: &mut impl BufRead) -> Option<Seen> {
    let first = line(stream)?;
    let mut parts = first.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut variables = read_fields(stream)?;
    let value = |name: &str| variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    if value("HTTP_TRANSFER_ENCODING").is_some() {
        while discard_chunk(stream)? {}
        variables.extend(read_fields(stream)?);
    } else if let Some(length) = value("HTTP_CONTENT_LENGTH") {
        discard(stream, length.parse().ok()?)?;
    }
    Some(Seen { method, target, variables })
}

/// Headers or trailers, as variables.
fn read_fields(stream: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut variables = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Some(variables);
        }
        let (name, value) = line.split_once(':')?;
        variables.push(variable(name, value));
    }
}

fn variable(name: &str, value: &str) -> (String, String) {
    (format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")), value.trim().to_owned())
}

/// Whether another chunk follows.
fn discard_chunk(stream: &mut impl BufRead) -> Option<bool> {
    let size = u64::from_str_radix(line(stream)?.trim(), 16).ok()?;
    if size == 0 {
        return Some(false);
    }
    discard(stream, size)?;
    line(stream)?;
    Some(true)
}

fn discard(stream: &mut impl BufRead, bytes: u64) -> Option<()> {
    let copied = std::io::copy(&mut stream.take(bytes), &mut std::io::sink()).ok()?;
    (copied == bytes).then_some(())
}

fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    Some(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned())
}
