//! `--healthcheck`, for containers whose image has no HTTP client.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long each step (connect, send, receive) may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than enough for a status line.
const MAX_ANSWER: u64 = 512;

/// Asks the server that listens on `listen` for `/healthz`.
///
/// # Errors
/// There is no answer within [`PATIENCE`], or one other than 200.
pub(crate) fn run(listen: SocketAddr) -> io::Result<()> {
    let address = reachable(listen);
    match status_line(address) {
        Ok(answer) if answer.starts_with(b"HTTP/1.1 200 ") => Ok(()),
        Ok(_) => Err(io::Error::other(format!("{address} does not answer /healthz with 200"))),
        Err(error) => Err(io::Error::new(error.kind(), format!("{address} does not answer: {error}"))),
    }
}

/// The status line, with as much of what follows as fits into [`MAX_ANSWER`].
fn status_line(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

/// A server that listens on every address is asked on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
