//! Bodies of HTTP/1.1 (RFC 9112 section 6), piece by piece.

use std::fmt;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::TcpStream;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Left(usize),
    /// It comes in chunks; of the present one, so many bytes are still to come.
    InChunks(usize),
    /// It has ended.
    Ended,
}

/// The header that says so.
impl fmt::Display for Framing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left(length) => write!(formatter, "content-length: {length}"),
            Self::InChunks(_) => write!(formatter, "transfer-encoding: chunked"),
            Self::Ended => write!(formatter, "content-length: 0"),
        }
    }
}

impl Framing {
    /// What is there of the body, at most so many bytes; nothing at its end.
    pub(super) fn read(&mut self, stream: &mut BufReader<TcpStream>, most: usize) -> Result<Vec<u8>> {
        if matches!(self, Self::InChunks(0)) {
            let size = line(stream)?;
            *self = Self::InChunks(usize::from_str_radix(&size, 16).expect("the size of a chunk"));
            if matches!(self, Self::InChunks(0)) {
                line(stream)?;
                *self = Self::Ended;
            }
        }
        let (Self::Left(left) | Self::InChunks(left)) = self else { return Ok(Vec::new()) };
        let most = most.min(*left);
        if most == 0 {
            return Ok(Vec::new());
        }
        let there = stream.fill_buf()?;
        let some = there[..most.min(there.len())].to_vec();
        assert!(!some.is_empty(), "the body ended early");
        stream.consume(some.len());
        *left -= some.len();
        if matches!(self, Self::InChunks(0)) {
            line(stream)?;
        }
        Ok(some)
    }
}

/// The other side of it.
pub(super) struct Writer {
    pub(super) stream: TcpStream,
    pub(super) framing: Framing,
}

impl Writer {
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<()> {
        match self.framing {
            Framing::InChunks(_) => {
                let size = format!("{:x}\r\n", piece.len());
                self.stream.write_all(&[size.as_bytes(), piece, b"\r\n"].concat())
            }
            _ => self.stream.write_all(piece),
        }
    }

    pub(super) fn end(&mut self) -> Result<()> {
        match self.framing {
            Framing::InChunks(_) => self.stream.write_all(b"0\r\n\r\n"),
            _ => Ok(()),
        }
    }
}

/// The first line, and how the body is framed; nothing at the end of the connection.
pub(super) fn read_head(stream: &mut BufReader<TcpStream>) -> Option<(String, Framing)> {
    let first = line(stream).ok().filter(|line| !line.is_empty())?;
    let mut framing = Framing::Ended;
    loop {
        let line = line(stream).ok()?;
        let Some((name, value)) = line.split_once(": ") else { return Some((first, framing)) };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => framing = Framing::Left(value.parse().ok()?),
            "transfer-encoding" => framing = Framing::InChunks(0),
            _ => {}
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
