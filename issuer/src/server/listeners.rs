//! The two listeners.

use std::fmt;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::settings::ListenerSettings;
use crate::settings::table::{self, Setting};

/// How many connections may wait to be accepted. Where they come in a burst, or while hashes have the cores, the usual 128
/// are soon there; the system then drops the next one's first packet, and its client tries again after a second.
const BACKLOG: u32 = 1024;

/// Both listeners, bound.
pub(crate) struct Listeners {
    pub(crate) public: TcpListener,
    pub(crate) internal: TcpListener,
}

/// Addresses that could not be bound.
#[derive(Debug)]
pub(crate) struct BindErrors(Vec<(&'static Setting, SocketAddr, std::io::Error)>);

impl Listeners {
    /// # Errors
    /// Each address that could not be bound, with its setting.
    pub(crate) fn bind(settings: &ListenerSettings) -> Result<Self, BindErrors> {
        let (public, internal) = (listen(settings.public), listen(settings.internal));
        match (public, internal) {
            (Ok(public), Ok(internal)) => Ok(Self { public, internal }),
            (public, internal) => {
                let mut errors = Vec::new();
                errors.extend(public.err().map(|error| (&table::LISTEN, settings.public, error)));
                errors
                    .extend(internal.err().map(|error| (&table::INTERNAL_LISTEN, settings.internal, error)));
                Err(BindErrors(errors))
            }
        }
    }

    /// The addresses in use, public and internal: with the port that was chosen where 0 was asked for.
    ///
    /// # Errors
    /// The operating system does not know them.
    pub(crate) fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.internal.local_addr()?))
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart takes the address over while old connections still linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl fmt::Display for BindErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (setting, address, error)) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            let name = setting.name;
            write!(
                formatter,
                "{separator}{address} cannot be listened on ({error}): free it or set {name} to another"
            )?;
        }
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))] // macOS lets no more than 128 wait, whatever is asked for
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::time::Duration;

    /// The time after which a first packet that was dropped is sent again, less a little.
    const BEFORE_THE_NEXT_TRY: Duration = Duration::from_millis(900);

    #[tokio::test]
    async fn a_burst_of_connections_waits_to_be_accepted_and_is_not_sent_away() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| TcpStream::connect_timeout(&address, BEFORE_THE_NEXT_TRY);
        let waiting: Result<Vec<_>, _> = (0..200).map(connect).collect();
        assert_eq!(waiting.unwrap().len(), 200);
    }
}
