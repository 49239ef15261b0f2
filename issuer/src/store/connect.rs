//! The way to PostgreSQL: waiting for it, migrating it, the pool.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgExecutor};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{info, warn};

use super::error::{cause, is_passing, is_undefined_table, passes};
use super::{Store, forks};
use crate::metrics::Metrics;
use crate::settings::{DatabaseSettings, table};

/// How long one attempt to connect may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a request waits for a connection of the pool. Then PostgreSQL counts as away.
const ACQUIRE: Duration = Duration::from_secs(2);
/// How long a connection that is to be used may take to show that it lives. Shorter than [`ACQUIRE`]: a request that meets a dead
/// one can still open another.
const SIGN_OF_LIFE: Duration = Duration::from_millis(800);
/// How long a statement that was given up may keep its connection: longer than the server lets any go on, so that nobody
/// makes more of them go on than there are connections, by going away.
const LAST_STATEMENT: Duration = Duration::from_secs(6);
/// A connection that was used so lately is not asked for a sign of life before it is used again.
const FRESH: Duration = Duration::from_millis(50);
/// Connections are renewed after this, so that they follow a failover or a changed DNS entry.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The connections of the feed.
const FEED: u32 = 3;

/// How a connection that serves requests is set up: no statement and no lock holds a request for ever; and whatever the
/// database or the role has for a default, each statement sees what was committed while the one before waited for its lock.
/// What ends sessions rests on that.
const SESSION: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
                       SET idle_in_transaction_session_timeout = '10s'; \
                       SET default_transaction_isolation = 'read committed'";

/// What the role needs that serves, where it does not own the tables.
pub(crate) fn grants(role: &str) -> String {
    [
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO",
        "GRANT INSERT, UPDATE, DELETE ON users, sessions, refresh_tokens, password_links, signing_keys, feed_keys, revocations, audit_events, throttle TO",
        "GRANT UPDATE ON revocation_head, issuer_state TO",
        // Everybody's by PostgreSQL's default, which some servers take away.
        "GRANT EXECUTE ON FUNCTION bearward_instance(), revocation_digest(bytea, revocations) TO",
    ]
    .map(|grant| format!("{grant} {role};"))
    .join("\n")
}

/// Why there is no database to work with. The text is for an operator and holds no secret.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// Not reached in time.
    Away { place: String, waited: Duration, cause: String },
    /// Reached, and it refused.
    Refused { place: String, cause: String },
    /// The database holds text in another encoding, which is named.
    Encoding(String),
    /// The schema could not be brought up to date.
    Migration(String),
    /// Reached, and then lost.
    Lost { place: String, cause: String },
}

impl ConnectError {
    /// Whether another attempt may find what this one did not. Not where it has waited already.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

/// Connects, waiting as long as the settings say.
///
/// # Errors
/// All of [`ConnectError`] but those of a migration.
pub(crate) async fn connection(settings: &DatabaseSettings) -> Result<PgConnection, ConnectError> {
    let connection = reached(settings).await?;
    in_utf8(connection, place(&settings.options)).await
}

async fn reached(settings: &DatabaseSettings) -> Result<PgConnection, ConnectError> {
    let place = place(&settings.options);
    let deadline = Instant::now() + settings.wait;
    let mut told = false;
    loop {
        let why = match timeout(ATTEMPT, writable(&settings.options)).await {
            Ok(Ok(Some(connection))) => return Ok(connection),
            Ok(Ok(None)) => "it is read-only".to_owned(),
            Ok(Err(error)) if !may_pass(&error, &settings.options) => {
                return Err(ConnectError::Refused { place, cause: cause(&error) });
            }
            Ok(Err(error)) => cause(&error),
            Err(_) => silent(),
        };
        if Instant::now() >= deadline {
            return Err(ConnectError::Away { place, waited: settings.wait, cause: why });
        }
        if !told {
            warn!(%place, cause = %why, wait_seconds = settings.wait.as_secs(), "PostgreSQL is away, waiting for it");
            told = true;
        }
        let _ = timeout_at(deadline, sleep(PAUSE)).await;
    }
}

/// Whether the server takes writes: a standby before it is promoted takes none.
pub(super) async fn is_writable(executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT current_setting('transaction_read_only') = 'off' AS "writable!""#)
        .fetch_one(executor)
        .await
}

/// A connection to a server that takes writes. `None`: it takes none.
async fn writable(options: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut connection = options.connect().await?;
    Ok(is_writable(&mut connection).await?.then_some(connection))
}

/// Refuses a database in which some text cannot be stored, before a signup meets it.
async fn in_utf8(mut connection: PgConnection, place: String) -> Result<PgConnection, ConnectError> {
    let encoding = sqlx::query_scalar!(r#"SELECT current_setting('server_encoding') AS "encoding!""#);
    match timeout(ATTEMPT, encoding.fetch_one(&mut connection)).await {
        Ok(Ok(encoding)) if encoding == "UTF8" => Ok(connection),
        Ok(Ok(encoding)) => Err(ConnectError::Encoding(encoding)),
        Ok(Err(error)) if passes(&error) => Err(ConnectError::Lost { place, cause: cause(&error) }),
        Ok(Err(error)) => Err(ConnectError::Refused { place, cause: cause(&error) }),
        Err(_) => Err(ConnectError::Lost { place, cause: silent() }),
    }
}

/// Brings the schema up to date. Replicas that start together wait for each other: sqlx holds an advisory lock.
///
/// # Errors
/// [`ConnectError::Migration`], [`ConnectError::Lost`]
async fn migrate(connection: &mut PgConnection, settings: &DatabaseSettings) -> Result<(), ConnectError> {
    let mut migrations = sqlx::migrate!("./migrations");
    // A newer release may have migrated already, by expansion only, while this one still runs beside it.
    migrations.set_ignore_missing(true);
    let place = || place(&settings.options);
    let is_done = timeout(ATTEMPT, is_up_to_date(connection, &migrations)).await;
    let is_done = is_done.map_err(|_| ConnectError::Lost { place: place(), cause: silent() })?;
    if !is_done.map_err(|error| of_migration(&error, place()))? {
        migrations.run(connection).await.map_err(|error| match &error {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) if passes(cause) => {
                of_migration(cause, place())
            }
            _ => ConnectError::Migration(error.to_string()),
        })?;
    }
    info!("the schema is up to date");
    Ok(())
}

fn of_migration(error: &sqlx::Error, place: String) -> ConnectError {
    let cause = cause(error);
    if passes(error) { ConnectError::Lost { place, cause } } else { ConnectError::Migration(cause) }
}

/// Whether no migration is missing. Read first, because this takes no right but that to read: the role that serves
/// need not be the one that migrates.
async fn is_up_to_date(connection: &mut PgConnection, migrations: &Migrator) -> Result<bool, sqlx::Error> {
    // sqlx's own table, not of our schema, so not checked when this is compiled.
    let applied =
        sqlx::query_as::<_, (i64, Vec<u8>)>("SELECT version, checksum FROM _sqlx_migrations WHERE success");
    let applied = match applied.fetch_all(connection).await {
        Ok(applied) => applied,
        Err(error) if is_undefined_table(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(migrations.iter().all(|migration| {
        applied
            .iter()
            .any(|(version, checksum)| *version == migration.version && *checksum == *migration.checksum)
    }))
}

/// The pool that requests share, the connection of the probe and those of the feed. They connect when they are used first.
pub(crate) fn pool(settings: &DatabaseSettings) -> Store {
    let looking = |connections| {
        options(connections).after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
                // Before anything else: what it leads to may have lost the end of its log.
                forks::look(connection).await
            })
        })
    };
    // A probe signs nothing, and must tell a standby.
    let probes = options(1).after_connect(|connection, _| {
        Box::pin(async move {
            sqlx::raw_sql(SESSION).execute(connection).await?;
            Ok(())
        })
    });
    let [pool, feed, probe] = [looking(settings.connections), looking(FEED), probes]
        .map(|pool| pool.connect_lazy_with(settings.options.clone()));
    Store { pool, probe, feed, metrics: Metrics::default() }
}

fn options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .max_lifetime(MAX_LIFETIME)
        // Our own test instead, with a bound: behind a firewall that has forgotten it, a connection is silent for ever.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > FRESH {
                    sign_of_life(connection, SIGN_OF_LIFE).await?;
                }
                Ok(true)
            })
        })
        // sqlx waits without a bound for an answer to a statement that was given up, and the place in the pool is lost
        // meanwhile.
        .after_release(|connection, _| {
            Box::pin(async move {
                sign_of_life(connection, LAST_STATEMENT).await?;
                Ok(true)
            })
        })
}

/// An error, and the pool closes the connection, where it does not answer in time. What it still had to say of a statement
/// that was given up is passed over.
async fn sign_of_life(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    let silent = |_| sqlx::Error::Io(ErrorKind::TimedOut.into());
    timeout(within, connection.ping()).await.map_err(silent)?
}

/// Waits for PostgreSQL, and migrates it.
///
/// # Errors
/// All of [`ConnectError`].
pub(crate) async fn bring_up_to_date(settings: &DatabaseSettings) -> Result<(), ConnectError> {
    let mut connection = connection(settings).await?;
    migrate(&mut connection, settings).await?;
    let _ = connection.close().await;
    Ok(())
}

/// The same, and the pool.
#[cfg(test)]
pub(crate) async fn migrated(settings: &DatabaseSettings) -> Result<Store, ConnectError> {
    bring_up_to_date(settings).await?;
    Ok(pool(settings))
}

fn silent() -> String {
    format!("no answer within {} s", ATTEMPT.as_secs())
}

fn may_pass(error: &sqlx::Error, options: &PgConnectOptions) -> bool {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            // rustls says so of what it does not accept, a certificate above all.
            ErrorKind::InvalidData => false,
            // A socket that is not there yet; over TCP, a file with a certificate or a key.
            ErrorKind::NotFound => options.get_socket().is_some(),
            _ => true,
        },
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| is_passing(&code)),
        _ => false,
    }
}

fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = table::DATABASE_URL.name;
        match self {
            Self::Away { place, waited, cause } => write!(
                formatter,
                "PostgreSQL at {place} was not reached within {} s ({cause}): start it, correct {url}, or raise {}",
                waited.as_secs(),
                table::DATABASE_WAIT.name
            ),
            Self::Refused { place, cause } => {
                write!(formatter, "PostgreSQL at {place} refused the connection ({cause}): correct {url}")
            }
            Self::Encoding(encoding) => write!(
                formatter,
                "the database is in encoding {encoding}, which cannot hold every name: create one with ENCODING \
                 'UTF8' and name it in {url}"
            ),
            Self::Lost { place, cause } => write!(formatter, "PostgreSQL at {place} was lost ({cause})"),
            Self::Migration(cause) => {
                write!(formatter, "the schema could not be brought up to date: {cause}")
            }
        }
    }
}
