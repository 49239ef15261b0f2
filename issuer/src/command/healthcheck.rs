//! `bearward-issuer healthcheck`: for containers, which have no HTTP client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Failure;
use crate::server::internal_address;
use crate::settings::{self, ListenerSettings, Sources};

/// How long connecting, and each read and write, may take. Above what /readyz itself waits for the database.
const TIME: Duration = Duration::from_secs(4);
/// How much of the answer is read: its first line.
const HEAD_BYTES: usize = 64;

pub(crate) fn run(sources: &Sources) -> Result<(), Failure> {
    let settings = settings::read(sources, ListenerSettings::read)?;
    let address = internal_address(&settings).map_err(Failure::new)?;
    match status(address) {
        Ok(status) if status == "200" => Ok(()),
        Ok(status) => Err(Failure::new(format!("not ready: http://{address}/readyz answered {status}"))),
        Err(error) => {
            Err(Failure::new(format!("not ready: http://{address}/readyz gave no answer ({error})")))
        }
    }
}

fn status(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIME)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    stream.write_all(
        format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    stream.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split([' ', '\r']).next());
    status.map(str::to_owned).ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}
