//! HTTP/1.1 connections: bounded in number, idle time and age, drained at the end.

mod address_file;
pub(crate) mod files;
mod listeners;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

pub(crate) use address_file::{AddressFile, internal_address};
pub(crate) use listeners::Listeners;

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most connections at a time; further ones wait in the backlog.
    connections: usize,
    /// How long a connection may take for the head of a request, or stand idle before the next one.
    head: Duration,
    /// The most that is buffered of a request whose head is not complete, and so the longest head.
    head_bytes: usize,
    /// The age from which a connection is closed with its next answer. Said in that answer, so that no proxy loses a
    /// request that it was just about to send.
    age: Duration,
    /// The age at which a connection is cut, whatever happens on it: a client that does not read would keep it.
    cut: Duration,
}

impl Limits {
    /// The files that a process needs that has a listener with these limits, and the public one.
    pub(crate) fn files(&self) -> u64 {
        u64::try_from(self.connections + PUBLIC.connections + OTHER_FILES).unwrap_or(u64::MAX)
    }
}

/// How far a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is none.
    Serving,
    /// New connections are still taken, and each answer is the last of its connection: whoever comes next goes elsewhere.
    Leaving,
    /// No connection is taken any more; requests in flight are finished.
    Draining,
}

/// For clients, by way of a proxy, which needs a few connections. Together with the probes and the database's
/// connections it stays below the 1024 file descriptors that a process usually may have.
pub(crate) const PUBLIC: Limits =
    Limits { connections: 512, head: HEAD_TIME, head_bytes: MAX_HEAD_BYTES, age: AGE, cut: CUT };

/// For probes, and for so many polls of the feed; some of its connections stand idle between two.
pub(crate) fn internal(polls: u32) -> Limits {
    let polls = usize::try_from(polls).unwrap_or(Semaphore::MAX_PERMITS / 2);
    Limits { connections: PROBES + polls + polls / 16, head_bytes: MAX_INTERNAL_HEAD_BYTES, ..PUBLIC }
}

/// The connections for probes.
const PROBES: usize = 16;
/// What a process has open beside the connections of its clients: those to the database, and some.
const OTHER_FILES: usize = 256;

const AGE: Duration = Duration::from_secs(300);
/// Time for a last idle period and a last request after that.
const CUT: Duration = Duration::from_secs(AGE.as_secs() + HEAD_TIME.as_secs() + DRAIN_TIME.as_secs());
/// The longest head for clients. hyper's own choice of about 400 kB would be 200 MB on all connections.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The longest head where there may be ten thousand connections, of which nobody has shown a credential before its head
/// is complete. A poll has less than 1 KiB.
const MAX_INTERNAL_HEAD_BYTES: usize = 16 * 1024;
/// The most headers of a request. hyper's own choice: to name it to hyper would cost an allocation with each request.
#[cfg(test)]
const MAX_HEADERS: usize = 100;
/// The time of [`Limits::head`]. Longer than a proxy should keep a connection idle, so that we do not close one which it
/// is just about to use.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// How long requests in flight have to finish after the stop; longer than any may take.
const DRAIN_TIME: Duration = Duration::from_secs(11);
/// The pause after a failed accept: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is told to drain, then lets requests in flight finish. `routes`: those of a new connection.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: impl Fn() -> Router,
    limits: Limits,
    mut stage: watch::Receiver<Stage>,
) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stage.wait_for(|stage| *stage == Stage::Draining) => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = of_connection(TowerToHyperService::new(routes()), peer, limits.age, stage.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            match timeout(limits.cut, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "a connection ended early"),
                Err(_) => debug!("a connection was cut at its greatest age"),
            }
            drop(permit);
        });
    }
    // Refuse new connections at once: the proxy then tries another replica.
    drop(listener);
    if timeout(DRAIN_TIME, graceful.shutdown()).await.is_err() {
        warn!("some connections did not finish in time and are cut");
    }
}

/// The service of one connection: each request knows its peer, and from this age on, and while we stop, each answer says
/// that it is the last.
fn of_connection<S>(
    service: S,
    peer: SocketAddr,
    age: Duration,
    stage: watch::Receiver<Stage>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
{
    let begin = Instant::now();
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answer, stage) = (service.call(request), stage.clone());
        async move {
            let mut response = answer.await?;
            if begin.elapsed() >= age || *stage.borrow() != Stage::Serving {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    })
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}
