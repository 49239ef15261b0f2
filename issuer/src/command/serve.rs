//! `bearward-issuer serve`

mod prepare;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use self::prepare::{Prepared, prepare};
use super::{Failure, begin, runtime};
use crate::api::{self, TrustedProxies};
use crate::app::{App, RELOAD};
use crate::feed::{self, Feed};
use crate::hashing::{Cost, Hasher, LoginDeadline, Speed};
use crate::internal::{self, Progress};
use crate::keys::life::RELOAD_SECONDS;
use crate::keys::seal::KeyEncryption;
use crate::keys::{Keeper, Ring};
use crate::purge;
use crate::server::{self, AddressFile, Limits, Listeners, Stage, files};
use crate::settings::{
    FeedSettings, ListenerSettings, RECOMMENDED_PASSWORD_LENGTH, ServeSettings, SigningSettings, Sources,
    table,
};
use crate::store::{Store, connect};
use crate::throttle::Throttle;
use crate::tokens::Tokens;

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
    let (_never, unstopped) = watch::channel(Stage::Serving);
    let probes = internal::router(Arc::clone(&progress));
    let polls = settings.feed.as_ref().map_or(0, |feed| feed.polls);
    tokio::spawn(server::serve(bound.internal, move || probes.clone(), internal_limits(polls), unstopped));

    // Clients are told to come again until there is something for them.
    let (routes, current) = watch::channel(api::starting());
    let (stage, told) = watch::channel(Stage::Serving);
    let routes_now = move || current.borrow().clone();
    let serving = tokio::spawn(server::serve(bound.public, routes_now, server::PUBLIC, told));

    let audit_days = settings.audit_days;
    let app = tokio::select! {
        started = start(settings) => Arc::new(started?),
        () = signals.next() => {
            info!("stopped before the start was complete");
            return Ok(());
        }
    };
    let _ = routes.send(api::router(Arc::clone(&app)));
    progress.started(Arc::clone(&app));
    info!("ready");
    keep_all_keys(&app);
    if let Some(feed) = app.feed.clone() {
        tokio::spawn(async move { feed::watch::forever(&feed).await });
    }
    tokio::spawn(purge::forever(app, audit_days));

    signals.next().await;
    info!("stopping: requests in flight are finished; a second signal ends at once");
    progress.stopping();
    tokio::select! {
        () = drain(&stage, serving) => {}
        () = signals.next() => return Err(Failure::new("ended by a second signal while requests were in flight")),
    }
    info!("stopped");
    Ok(())
}

/// Goes on accepting for a moment, in which whoever asks for readiness can take us off its list; then lets requests
/// in flight finish.
async fn drain(stage: &watch::Sender<Stage>, serving: JoinHandle<()>) {
    let _ = stage.send(Stage::Leaving);
    sleep(LAME_DUCK).await;
    let _ = stage.send(Stage::Draining);
    let _ = serving.await;
}

/// What the internal listener allows: with so many polls of the feed, each needs an open file.
fn internal_limits(polls: u32) -> Limits {
    if polls > 0 {
        let needed = server::internal(polls).files();
        match files::raise(needed) {
            Some(files) if files < needed => warn!(
                files,
                needed,
                "this process may not have as many files open as proxies may poll: raise the limit (ulimit -n), or \
                 lower BEARWARD_FEED_POLLS"
            ),
            _ => {}
        }
    }
    server::internal(polls)
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
    let ServeSettings {
        database,
        tokens,
        signing,
        sessions,
        passwords,
        password_links,
        hashing,
        login_deadline,
        ..
    } = settings;
    let ServeSettings { hash_share_percent, throttle, trusted_proxies, feed, .. } = settings;
    if passwords.min_length < RECOMMENDED_PASSWORD_LENGTH {
        info!(
            min_length = passwords.min_length,
            recommended = RECOMMENDED_PASSWORD_LENGTH,
            "passwords are the only factor: a greater BEARWARD_PASSWORD_MIN_LENGTH is recommended"
        );
    }
    let store = connect::pool(&database);
    let feed_keeper = feed.is_some().then(|| {
        let keys = signing.feed_keys();
        Keeper::new(store.clone(), keys.encryption, keys.rhythm)
    });
    if feed.is_none() {
        let setting = table::FEED_CREDENTIAL_FILES.name;
        info!(setting, "there is no feed of revocations: proxies take a token until it expires");
    }
    let (secrets, keeper) = match signing {
        SigningSettings::EdDsa(keys) => {
            tell_encryption(&keys.encryption);
            (None, Some(Keeper::new(store.clone(), keys.encryption, keys.rhythm)))
        }
        SigningSettings::Hs256(secrets, keys) => {
            if feed.is_some() {
                tell_encryption(&keys.encryption);
            }
            let kid = secrets.first().map(|secret| secret.kid.as_str());
            info!(
                kid,
                secrets = secrets.len(),
                "tokens are signed with a secret: whoever verifies can sign, too"
            );
            (Ring::of_secrets(&secrets), None)
        }
    };
    let Prepared { ring, feed_ring, successors, throttle: throttle_key } =
        prepare(&database, &store, keeper.as_ref(), feed_keeper.as_ref()).await?;
    let feed = feed.zip(feed_keeper.zip(feed_ring)).map(|(settings, keys)| {
        let FeedSettings { credentials, polls } = settings;
        Arc::new(Feed::new(tokens.iss.clone(), store.clone(), keys, credentials, polls))
    });
    let ring = ring.or(secrets).ok_or_else(|| Failure::new("no secret can be used"))?;
    let tokens = Tokens::new(tokens, ring);
    let tokens = tokens.ok_or_else(|| Failure::new("the metadata cannot be serialized"))?;
    let hasher = Hasher::new(hashing).map_err(Failure::new)?.shared(hash_share_percent);
    let login_deadline = deadline(&store, login_deadline).await?;
    let throttle = Throttle::new(throttle_key, throttle);
    let proxies = Arc::new(TrustedProxies::new(trusted_proxies));
    Ok(App {
        store,
        hasher,
        login_deadline,
        tokens,
        successors,
        sessions,
        passwords,
        password_links,
        keeper,
        throttle,
        proxies,
        feed,
    })
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

fn keep_all_keys(app: &Arc<App>) {
    if app.keeper.is_some() {
        let app = Arc::clone(app);
        tokio::spawn(async move {
            if let Some(keeper) = &app.keeper {
                keep_keys(keeper, || app.tokens.ring(), |ring| app.tokens.take_over(ring)).await;
            }
        });
    }
    if let Some(feed) = app.feed.clone() {
        tokio::spawn(async move {
            keep_keys(feed.keeper(), || feed.ring(), |ring| feed.take_over(ring)).await;
        });
    }
}

/// Follows what other replicas and operators do to keys, and does what is due.
async fn keep_keys(keeper: &Keeper, held: impl Fn() -> Arc<Ring>, take_over: impl Fn(Ring)) {
    let mut told = None;
    loop {
        sleep(Duration::from_secs(RELOAD_SECONDS.into())).await;
        let loaded = match timeout(RELOAD, keeper.load(Some(&held()))).await {
            Ok(loaded) => loaded.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} s", RELOAD.as_secs())),
        };
        match loaded {
            Ok(ring) => {
                take_over(ring);
                told = None;
            }
            // The last good keys stay; where this goes on, they sign no more.
            Err(text) => {
                if told.as_ref() != Some(&text) {
                    let table = keeper.purpose().table();
                    warn!(table, cause = %text, "the signing keys could not be read");
                    told = Some(text);
                }
            }
        }
    }
}

/// What is assumed of stored hashes where they cannot be read in time: what most applications have.
const ASSUMED: Cost = Cost::Bcrypt(12);

async fn deadline(store: &Store, set: Option<Duration>) -> Result<LoginDeadline, Failure> {
    let costs = timeout(RELOAD, store.hash_costs()).await;
    let costs = costs.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
    let costs = costs.unwrap_or_else(|cause| {
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
        let (stage, told) = watch::channel(Stage::Serving);
        let serving = tokio::spawn(server::serve(listener, Router::new, server::PUBLIC, told));
        let draining = tokio::spawn(async move { drain(&stage, serving).await });
        sleep(LAME_DUCK / 2).await;
        drop(TcpStream::connect(address).await.unwrap());
        draining.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
