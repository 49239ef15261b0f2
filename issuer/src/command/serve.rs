//! `bearward-issuer serve`

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::{info, warn};

use super::{Failure, begin, runtime};
use crate::api;
use crate::app::App;
use crate::hashing::{Cost, Hasher, LoginDeadline, Speed};
use crate::internal::{self, Progress};
use crate::keys::life::RELOAD_SECONDS;
use crate::keys::seal::KeyEncryption;
use crate::keys::{Keeper, Ring};
use crate::refresh::SuccessorKey;
use crate::server::{self, AddressFile, Listeners};
use crate::settings::{ListenerSettings, ServeSettings, SigningSettings, Sources, table};
use crate::store::{Store, connect};
use crate::tokens::Tokens;

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
    let bound = Listeners::bind(&settings.listeners).map_err(Failure::new)?;
    let _address_file = tell_addresses(&bound, &settings.listeners)?;

    // The probes answer from the beginning, so that a start which waits for its database is seen as such, and to the
    // end, which they do not hold up: they are never stopped.
    let progress = Arc::new(Progress::default());
    let (_never, unstopped) = watch::channel(false);
    let probes = internal::router(Arc::clone(&progress));
    tokio::spawn(server::serve(bound.internal, probes, server::PROBES, unstopped));

    let (app, keeper) = tokio::select! {
        started = start(settings) => {
            let (app, keeper) = started?;
            (Arc::new(app), keeper)
        }
        () = signals.next() => {
            info!("stopped before the start was complete");
            return Ok(());
        }
    };
    progress.started(Arc::clone(&app));
    info!("ready");
    if let Some(keeper) = keeper {
        tokio::spawn(keep_keys(Arc::clone(&app), keeper));
    }

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
async fn start(settings: ServeSettings) -> Result<(App, Option<Keeper>), Failure> {
    let ServeSettings { database, tokens, signing, sessions, passwords, hashing, login_deadline, .. } =
        settings;
    if passwords.min_length < RECOMMENDED_PASSWORD_LENGTH {
        info!(
            min_length = passwords.min_length,
            recommended = RECOMMENDED_PASSWORD_LENGTH,
            "passwords are the only factor: a greater BEARWARD_PASSWORD_MIN_LENGTH is recommended"
        );
    }
    let store = connect::migrated(&database).await.map_err(Failure::new)?;
    let (ring, keeper) = match signing {
        SigningSettings::EdDsa(keys) => {
            tell_encryption(&keys.encryption);
            let keeper = Keeper::new(store.clone(), keys.encryption, keys.rhythm);
            (keeper.load(None).await.map_err(Failure::new)?, Some(keeper))
        }
        SigningSettings::Hs256(secrets) => {
            let kid = secrets.first().map(|secret| secret.kid.as_str());
            info!(
                kid,
                secrets = secrets.len(),
                "tokens are signed with a secret: whoever verifies can sign, too"
            );
            let ring = Ring::of_secrets(&secrets);
            (ring.ok_or_else(|| Failure::new("no secret can be used"))?, None)
        }
    };
    let tokens = Tokens::new(tokens, ring);
    let tokens = tokens.ok_or_else(|| Failure::new("the metadata cannot be serialized"))?;
    let candidate = SuccessorKey::new().map_err(Failure::new)?;
    let successors = store.successor_key(&candidate).await.map_err(Failure::new)?;
    let hasher = Hasher::new(hashing).map_err(Failure::new)?;
    let login_deadline = deadline(&store, login_deadline).await?;
    Ok((App { store, hasher, login_deadline, tokens, successors, sessions, passwords }, keeper))
}

fn tell_encryption(encryption: &KeyEncryption) {
    let setting = table::KEY_ENCRYPTION_KEY_FILES.name;
    if encryption.len() == 0 {
        warn!(
            setting,
            "signing keys lie unencrypted in the database: name a file with a key that encrypts them"
        );
    } else {
        let fingerprints = encryption.fingerprints();
        info!(?fingerprints, "signing keys are encrypted under the first of these");
    }
}

/// Follows what other replicas and operators do to the keys, and does what is due.
async fn keep_keys(app: Arc<App>, keeper: Keeper) {
    let mut told = None;
    loop {
        sleep(Duration::from_secs(RELOAD_SECONDS.into())).await;
        match keeper.load(Some(&app.tokens.ring())).await {
            Ok(ring) => {
                app.tokens.take_over(ring);
                told = None;
            }
            // The last good keys stay; where this goes on, they sign no more.
            Err(error) => {
                let text = error.to_string();
                if told.as_ref() != Some(&text) {
                    warn!(cause = %text, "the signing keys could not be read");
                    told = Some(text);
                }
            }
        }
    }
}

/// What is assumed of stored hashes where they cannot be read in time: what most applications have.
const ASSUMED: Cost = Cost::Bcrypt(12);

async fn deadline(store: &Store, set: Option<Duration>) -> Result<LoginDeadline, Failure> {
    let costs = store.hash_costs().await.unwrap_or_else(|cause| {
        warn!(%cause, "which stored hashes there are is not known: bcrypt of cost 12 is assumed");
        vec![ASSUMED]
    });
    let measured = spawn_blocking(Speed::measure).await.map_err(Failure::new)?.map_err(Failure::new)?;
    let needed = measured.deadline(&costs);
    let deadline = match set {
        Some(set) => LoginDeadline::fixed(set),
        None => LoginDeadline::calibrated(measured, &costs),
    };
    let deadline_ms = deadline.get().as_millis();
    if deadline.get() < needed {
        let needed_ms = needed.as_millis();
        warn!(
            deadline_ms,
            needed_ms, "logins can be told apart by their time: BEARWARD_LOGIN_DEADLINE_MS is too small"
        );
    }
    info!(deadline_ms, "logins are answered at this time after their arrival");
    Ok(deadline)
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
