//! HTTP/1.1 connections: bounded in number and idle time, drained at the end.

mod address_file;
mod listeners;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

pub(crate) use address_file::{AddressFile, internal_address};
pub(crate) use listeners::Listeners;

/// The most connections at a time on one listener; further ones wait in the backlog. A proxy needs a few.
const MAX_CONNECTIONS: usize = 1024;
/// How long a connection may take for the head of a request, or stand idle before the next one. Longer than a proxy
/// should keep it idle, so that we do not close a connection which it is just about to use.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// How long requests in flight have to finish after the stop; longer than any may take.
const DRAIN_TIME: Duration = Duration::from_secs(11);
/// The pause after a failed accept: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` becomes true, then lets requests in flight finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
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

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}
