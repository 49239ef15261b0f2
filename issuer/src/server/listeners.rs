//! The two listeners.

use std::fmt;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::settings::ListenerSettings;
use crate::settings::table::{self, Setting};

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
    pub(crate) async fn bind(settings: &ListenerSettings) -> Result<Self, BindErrors> {
        let public = TcpListener::bind(settings.public).await;
        let internal = TcpListener::bind(settings.internal).await;
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
