//! `bearward-issuer serve`

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{Failure, begin, runtime};
use crate::api;
use crate::app::App;
use crate::hashing::Hasher;
use crate::internal::{self, Progress};
use crate::refresh::SuccessorKey;
use crate::server::{self, AddressFile, Listeners};
use crate::settings::{ListenerSettings, ServeSettings, Sources};
use crate::store::connect;
use crate::tokens::{Tokens, new_key};

/// The length at which NIST SP 800-63B-4 section 3.1.1.2 wants passwords that are the only factor.
const RECOMMENDED_PASSWORD_LENGTH: u32 = 15;
/// How long connections are still accepted after the stop. With the drain of `server` and the last lines of the log,
/// a stop takes 13 s at most: `stop_grace_period` in docker-compose.yml is above that.
const LAME_DUCK: Duration = Duration::from_secs(1);

pub(crate) fn run(sources: &Sources) -> Result<(), Failure> {
    let (settings, log) = begin(sources, ServeSettings::read)?;
    for name in sources.ignored_variables() {
        warn!(name, "this environment variable is no setting of the issuer and is ignored");
    }
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = serve(settings) => done,
            never = log.tell_losses() => never,
        }
    });
    // A hash that still runs for a request that gave up is not waited for.
    runtime.shutdown_background();
    done
}

async fn serve(settings: ServeSettings) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(Failure::new)?;
    let bound = Listeners::bind(&settings.listeners).await.map_err(Failure::new)?;
    let _address_file = tell_addresses(&bound, &settings.listeners)?;

    // The probes answer from the beginning, so that a start which waits for its database is seen as such, and to the
    // end, which they do not hold up: they are never stopped.
    let progress = Arc::new(Progress::default());
    let (_never, unstopped) = watch::channel(false);
    let probes = internal::router(Arc::clone(&progress));
    tokio::spawn(server::serve(bound.internal, probes, server::PROBES, unstopped));

    let app = tokio::select! {
        app = start(settings) => Arc::new(app?),
        () = signals.next() => {
            info!("stopped before the start was complete");
            return Ok(());
        }
    };
    progress.started(Arc::clone(&app));
    info!("ready");

    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(server::serve(bound.public, api::router(app), server::PUBLIC, stopped));
    signals.next().await;
    info!("stopping: requests in flight are finished; a second signal ends at once");
    progress.stopping();
    tokio::select! {
        () = drain(&stop, serving) => {}
        () = signals.next() => return Err(Failure::new("ended by a second signal while requests were in flight")),
    }
    info!("stopped");
    Ok(())
}

/// Goes on accepting for a moment, in which whoever asks for readiness can take us off its list; then lets requests
/// in flight finish.
async fn drain(stop: &watch::Sender<bool>, serving: JoinHandle<()>) {
    sleep(LAME_DUCK).await;
    let _ = stop.send(true);
    let _ = serving.await;
}

fn tell_addresses(bound: &Listeners, settings: &ListenerSettings) -> Result<Option<AddressFile>, Failure> {
    let addresses = bound.addresses().map_err(Failure::new)?;
    info!(public = %addresses.0, internal = %addresses.1, "listening");
    let Some(path) = &settings.address_file else { return Ok(None) };
    let file = AddressFile::write(path, addresses);
    file.map(Some).map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}

/// Everything before the first request: database, schema, keys.
async fn start(settings: ServeSettings) -> Result<App, Failure> {
    let ServeSettings { database, tokens, sessions, passwords, hashing, .. } = settings;
    if passwords.min_length < RECOMMENDED_PASSWORD_LENGTH {
        info!(
            min_length = passwords.min_length,
            recommended = RECOMMENDED_PASSWORD_LENGTH,
            "passwords are the only factor: a greater BEARWARD_PASSWORD_MIN_LENGTH is recommended"
        );
    }
    let store = connect::migrated(&database).await.map_err(Failure::new)?;
    let keys = store.signing_keys(&new_key().map_err(Failure::new)?).await.map_err(Failure::new)?;
    let tokens = Tokens::new(tokens, &keys).map_err(Failure::new)?;
    let candidate = SuccessorKey::new().map_err(Failure::new)?;
    let successors = store.successor_key(&candidate).await.map_err(Failure::new)?;
    let hasher = Hasher::new(hashing).map_err(Failure::new)?;
    Ok(App { store, hasher, tokens, successors, sessions, passwords })
}

/// The signals that end this process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_stop_accepts_for_a_moment_and_then_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(server::serve(listener, Router::new(), server::PUBLIC, stopped));
        let draining = tokio::spawn(async move { drain(&stop, serving).await });
        sleep(LAME_DUCK / 2).await;
        drop(TcpStream::connect(address).await.unwrap());
        draining.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
