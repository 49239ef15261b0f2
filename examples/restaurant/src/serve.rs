//! The server's life: bind, say where, serve, drain.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::api;
use crate::settings::Settings;

/// How long requests under way may take to finish after the first signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. The first signal lets requests under way finish, for at most [`DRAIN`]; the
/// second ends the process at once.
///
/// # Errors
/// The address cannot be bound, the address file cannot be written, or a socket fails for good.
#[tokio::main]
pub(crate) async fn run(settings: &Settings) -> io::Result<()> {
    // Before anything that others wait for: a signal that comes early must not find the default action.
    let mut stop = Stop::listen()?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {}: {error}", settings.listen))
    })?;
    let address = listener.local_addr()?;
    if let Some(path) = &settings.address_file {
        publish(path, address).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })?;
    }
    eprintln!("bearward-restaurant: listening on {address}");

    let (begin_drain, drain_began) = oneshot::channel::<()>();
    let server = axum::serve(listener, api::router()).with_graceful_shutdown(async {
        // A sender that is gone means the same: there is no one left to serve for.
        drain_began.await.ok();
    });
    tokio::select! {
        outcome = server => outcome,
        () = async {
            stop.signalled().await;
            begin_drain.send(()).ok();
            tokio::select! { () = stop.signalled() => (), () = tokio::time::sleep(DRAIN) => () }
        } => Ok(()),
    }
}

/// The signals that ask for an end.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn signalled(&mut self) {
        tokio::select! { _ = self.terminate.recv() => (), _ = self.interrupt.recv() => () }
    }
}

/// Writes the address so that a reader finds either no file or the whole line.
fn publish(path: &Path, address: SocketAddr) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let mut file = std::fs::File::create(&unfinished)?;
    writeln!(file, "public={address}")?;
    drop(file);
    std::fs::rename(&unfinished, path)
}
