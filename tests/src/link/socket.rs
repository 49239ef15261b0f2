use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// Where a server listens.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Target {
    pub(super) fn of(database_url: &str) -> Self {
        let options: PgConnectOptions = database_url.parse().expect("a URL of PostgreSQL");
        match options.get_socket() {
            Some(folder) => Self::Unix(folder.join(format!(".s.PGSQL.{}", options.get_port()))),
            None => Self::Tcp(options.get_host().to_owned(), options.get_port()),
        }
    }

    pub(super) fn at(address: SocketAddr) -> Self {
        Self::Tcp(address.ip().to_string(), address.port())
    }

    pub(super) fn connect(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(host, port) => TcpStream::connect((host.as_str(), *port)).and_then(|stream| {
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(stream))
            }),
            Self::Unix(path) => UnixStream::connect(path).map(Socket::Unix),
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Ends it for all who hold it.
    pub(super) fn shutdown(&self) {
        // One that is at its end already needs none.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    /// Whoever reads it finds an end, and closing it resets the connection.
    pub(super) fn reset_at_close(&self) {
        let _ = match self {
            Self::Tcp(stream) => {
                let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
                stream.shutdown(Shutdown::Read)
            }
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).read(buffer),
            Socket::Unix(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).write(bytes),
            Socket::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
