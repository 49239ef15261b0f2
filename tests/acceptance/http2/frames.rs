//! A GET in frames of HTTP/2 (RFC 9113 section 4) that are put together by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use bearward_tests::deadline::PATIENCE;

/// What became of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was answered with this status.
    Answered(String),
    /// The stream, or the whole connection, was closed without an answer.
    Closed,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// END_STREAM and END_HEADERS.
const WHOLE_REQUEST: u8 = 0x1 | 0x4;

/// Sends it in stream 1 of a connection of its own, these headers as they stand here.
pub(super) fn get(url: &str, path: &str, headers: &[(&str, &str)]) -> Fate {
    let address = url.strip_prefix("http://").expect("an http:// address");
    let mut connection = TcpStream::connect(address).expect("a connection");
    connection.set_read_timeout(Some(PATIENCE)).expect("a limit for waiting");
    let mut block = Vec::new();
    for (name, value) in [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", address)]
        .iter()
        .chain(headers)
    {
        // A literal that is not indexed (RFC 7541 section 6.2.2); no text here is longer than one byte can say.
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("a short text"));
            block.extend_from_slice(text.as_bytes());
        }
    }
    let bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, WHOLE_REQUEST, 1, &block)].concat();
    connection.write_all(&bytes).expect("an open connection");
    fate(&mut connection)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn fate(connection: &mut TcpStream) -> Fate {
    loop {
        let mut head = [0; 9];
        match connection.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return Fate::Closed;
            }
            Err(error) => panic!("neither an answer nor an end: {error}"),
        }
        let mut payload =
            vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        connection.read_exact(&mut payload).expect("a whole frame");
        match head[3] {
            HEADERS => return Fate::Answered(status(&payload)),
            RST_STREAM | GOAWAY => return Fate::Closed,
            _ => {}
        }
    }
}

/// The first field of an answer is its status, and a new connection's table holds only what RFC 7541 appendix A names.
fn status(block: &[u8]) -> String {
    const NAMED: [&str; 7] = ["200", "204", "206", "304", "400", "404", "500"];
    // Before it the encoder may say how large its table is.
    let block = &block[block.iter().position(|byte| byte & 0xe0 != 0x20).expect("a field")..];
    match block[0] {
        indexed @ 0x88..=0x8e => NAMED[usize::from(indexed - 0x88)].to_owned(),
        // A literal value, three digits in Huffman's code or plain: which one does not matter here.
        _ => "another".to_owned(),
    }
}
