//! HTTP/1.1 (RFC 9112) in exact bytes, for what an ordinary client refuses to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::{PATIENCE, Request, Response};

/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

pub(super) fn send(request: &Request, url: &str) -> Result<Response, String> {
    let (mut stream, address) = connect(url)?;
    // An answer may come, and the connection be closed, before all is written: the answer counts.
    let written = stream.write_all(&serialized(request, address, false));
    read(&mut BufReader::new(stream.take(MAX_ANSWER)), request.method == "HEAD").map_err(
        |why| match written {
            Ok(()) => why,
            Err(error) => format!("{why}, and it was not read to its end: {error}"),
        },
    )
}

/// A connection that is used again and again, for many requests.
#[derive(Debug)]
pub struct Connection {
    url: String,
    open: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// To `http://ADDRESS:PORT`, with the first request.
    #[must_use]
    pub fn to(url: &str) -> Self {
        Self { url: url.to_owned(), open: None }
    }

    /// Sends a request in exact bytes.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn send(&mut self, request: &Request) -> Response {
        self.try_send(request).unwrap_or_else(|why| panic!("{request} was not answered: {why}"))
    }

    /// Whether the next request goes over the connection of the one before.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// As [`send`](Self::send).
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn try_send(&mut self, request: &Request) -> Result<Response, String> {
        let (mut stream, address) = match self.open.take() {
            Some(open) => (open, self.url.trim_start_matches("http://")),
            None => connect(&self.url).map(|(stream, address)| (BufReader::new(stream), address))?,
        };
        let whole = serialized(request, address, true);
        stream.get_mut().write_all(&whole).map_err(|error| error.to_string())?;
        let response = read(&mut stream, request.method == "HEAD")?;
        if response.header("connection").as_deref() != Some("close") {
            self.open = Some(stream);
        }
        Ok(response)
    }
}

fn connect(url: &str) -> Result<(TcpStream, &str), String> {
    let address = url.strip_prefix("http://").ok_or_else(|| format!("{url} is no http:// address"))?;
    let broken = |error: std::io::Error| error.to_string();
    let stream = TcpStream::connect(address).map_err(broken)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(broken)?;
    Ok((stream, address))
}

fn serialized(request: &Request, address: &str, keep: bool) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    let mut header = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    };
    if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        header("host", address.as_bytes());
    }
    for (name, value) in &request.headers {
        header(name, value);
    }
    if !keep {
        header("connection", b"close");
    }
    if !request.trailers.is_empty() {
        header("transfer-encoding", b"chunked");
    } else if !request.body.is_empty() {
        header("content-length", request.body.len().to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    if request.trailers.is_empty() {
        bytes.extend_from_slice(&request.body);
        return bytes;
    }
    if !request.body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", request.body.len()).as_bytes());
        bytes.extend_from_slice(&request.body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, value) in &request.trailers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn read(stream: &mut impl BufRead, head_only: bool) -> Result<Response, String> {
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or("the answer has no status line")?;
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| format!("no header: {line}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    if head_only {
        // An answer to HEAD ends with its headers (RFC 9110 section 9.3.2): whatever comes after them is shown.
        stream.read_to_end(&mut response.body).map_err(|error| format!("it did not end: {error}"))?;
    } else {
        response.body = read_body(stream, &response)?;
    }
    Ok(response)
}

fn read_body(stream: &mut impl BufRead, response: &Response) -> Result<Vec<u8>, String> {
    let broken = |error: std::io::Error| format!("the answer ended early: {error}");
    let mut body = Vec::new();
    if let Some(length) = response.header("content-length") {
        body.resize(length.parse().map_err(|_| "the answer has a bad length")?, 0);
        stream.read_exact(&mut body).map_err(broken)?;
    } else if response.header("transfer-encoding").as_deref() == Some("chunked") {
        loop {
            let size = usize::from_str_radix(&line(stream)?, 16).map_err(|_| "the answer has a bad chunk")?;
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk).map_err(broken)?;
            line(stream)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk);
        }
    } else {
        stream.read_to_end(&mut body).map_err(broken)?;
    }
    Ok(body)
}

fn line(stream: &mut impl BufRead) -> Result<String, String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).map_err(|error| format!("no answer: {error}"))?;
    if line.pop() != Some(b'\n') {
        return Err("the connection was closed without an answer".to_owned());
    }
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    Ok(String::from_utf8_lossy(line).into_owned())
}
