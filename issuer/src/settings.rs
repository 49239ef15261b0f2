//! Settings from the environment and a file, compiled into types that cannot be invalid.
//!
//! All that is wrong is reported at once, each problem with the setting's name and the way out.

mod reader;
mod secret_files;
mod signing;
mod sources;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod values;
mod weaknesses;

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use sqlx::postgres::PgConnectOptions;

use crate::throttle::Limit;
pub(crate) use reader::Reader;
pub(crate) use signing::{FeedSettings, KeysCommandSettings, SigningSettings};
pub(crate) use sources::Sources;
pub(crate) use weaknesses::{RECOMMENDED_PASSWORD_LENGTH, weaknesses};

/// Reads the settings that a command needs.
///
/// # Errors
/// Everything that is wrong with them, and with the configuration file.
pub(crate) fn read<T>(
    sources: &Sources,
    compile: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, Problems> {
    let mut reader = Reader::new(sources);
    let compiled = compile(&mut reader);
    reader.finish(compiled)
}

/// What `serve` works with.
pub(crate) struct ServeSettings {
    pub(crate) database: DatabaseSettings,
    pub(crate) listeners: ListenerSettings,
    pub(crate) tokens: TokenSettings,
    pub(crate) signing: SigningSettings,
    pub(crate) sessions: SessionSettings,
    pub(crate) passwords: PasswordSettings,
    pub(crate) hashing: HashSettings,
    /// How long after its arrival a login is answered. `None`: measured at start.
    pub(crate) login_deadline: Option<Duration>,
    /// How long the trail is kept.
    pub(crate) audit_days: u32,
    pub(crate) password_links: PasswordLinkSettings,
    /// The most that one client may have of the hashers, in percent.
    pub(crate) hash_share_percent: u32,
    pub(crate) throttle: ThrottleSettings,
    /// Who is believed what it says of a client's address.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Of revocations. `None`: it is off.
    pub(crate) feed: Option<FeedSettings>,
}

/// What `admin` works with.
pub(crate) struct AdminSettings {
    pub(crate) database: DatabaseSettings,
    pub(crate) passwords: PasswordSettings,
    pub(crate) password_links: PasswordLinkSettings,
}

/// What `user` works with.
pub(crate) struct UserSettings {
    pub(crate) database: DatabaseSettings,
    pub(crate) sessions: SessionSettings,
    pub(crate) password_links: PasswordLinkSettings,
}

/// Where PostgreSQL is. Not `Debug`: the options hold the password.
#[derive(Clone)]
pub(crate) struct DatabaseSettings {
    pub(crate) options: PgConnectOptions,
    pub(crate) connections: u32,
    /// How long a start waits for it.
    pub(crate) wait: Duration,
}

/// Where to listen.
#[derive(Clone, Debug)]
pub(crate) struct ListenerSettings {
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) address_file: Option<PathBuf>,
}

/// What tokens say and how long they live.
#[derive(Clone, Debug)]
pub(crate) struct TokenSettings {
    /// `iss`
    pub(crate) iss: String,
    /// `aud`, not empty.
    pub(crate) audiences: Vec<String>,
    pub(crate) access_token_seconds: u32,
    /// Where the public listener is reached from outside.
    pub(crate) public_url: String,
    /// How long verifiers may keep what is published.
    pub(crate) max_age_seconds: u32,
}

/// How long a user stays logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSettings {
    /// From login on, whatever happens.
    pub(crate) seconds: u32,
    /// From the last refresh on.
    pub(crate) idle_seconds: u32,
}

/// What passwords must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PasswordSettings {
    /// The shortest new password, in characters.
    pub(crate) min_length: u32,
}

/// The one-time links by which users set passwords.
#[derive(Clone, Debug)]
pub(crate) struct PasswordLinkSettings {
    /// The page that takes the token out of its fragment. `None`: the token is given out as it is.
    pub(crate) url: Option<String>,
    /// How long a link is good.
    pub(crate) seconds: u32,
}

/// How much hashing goes on at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashSettings {
    pub(crate) permits: u32,
    /// How many requests may wait for a permit.
    pub(crate) queue: u32,
}

/// How often something may be tried. `None`: as often as anybody likes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThrottleSettings {
    /// Logins to one account from one address.
    pub(crate) login: Option<Limit>,
    /// Logins to one account from anywhere; more are answered later.
    pub(crate) login_account: Option<Limit>,
    /// Logins from one address; and, each apart, one-time links and refreshes that are refused.
    pub(crate) login_address: Option<Limit>,
    /// Signups from one address.
    pub(crate) signup: Option<Limit>,
    /// Refreshes of one session.
    pub(crate) refresh: Option<Limit>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// A filter that `EnvFilter` accepts.
    pub(crate) filter: String,
    /// `None`: JSON unless on a terminal.
    pub(crate) json: Option<bool>,
}

// Every value is read before the first `?`, so that one problem does not hide the next.

impl ServeSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let database = DatabaseSettings::read(reader);
        let listeners = ListenerSettings::read(reader);
        let tokens = TokenSettings::read(reader);
        let signing = SigningSettings::read(reader);
        let sessions = SessionSettings::read(reader);
        let passwords = PasswordSettings::read(reader);
        let hashing = HashSettings::read(reader);
        let login_deadline = reader.optional_number(&table::LOGIN_DEADLINE, 20..=MAX_DEADLINE_MILLIS);
        let audit_days = reader.number(&table::AUDIT_DAYS, 1..=3_650);
        let password_links = PasswordLinkSettings::read(reader);
        let hash_share_percent = reader.number(&table::HASH_SHARE_PERCENT, 1..=100);
        let throttle = ThrottleSettings::read(reader);
        let trusted_proxies = reader.optional(&table::TRUSTED_PROXIES, values::trusted_proxies);
        let feed = FeedSettings::read(reader);
        Some(Self {
            database: database?,
            listeners: listeners?,
            tokens: tokens?,
            signing: signing?,
            sessions: sessions?,
            passwords: passwords?,
            hashing: hashing?,
            login_deadline: login_deadline?.map(|millis| Duration::from_millis(millis.into())),
            audit_days: audit_days?,
            password_links: password_links?,
            hash_share_percent: hash_share_percent?,
            throttle: throttle?,
            trusted_proxies: trusted_proxies?.unwrap_or_default(),
            feed: feed?,
        })
    }
}

impl AdminSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, passwords) = (DatabaseSettings::read(reader), PasswordSettings::read(reader));
        let password_links = PasswordLinkSettings::read(reader);
        Some(Self { database: database?, passwords: passwords?, password_links: password_links? })
    }
}

impl UserSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, sessions) = (DatabaseSettings::read(reader), SessionSettings::read(reader));
        let password_links = PasswordLinkSettings::read(reader);
        Some(Self { database: database?, sessions: sessions?, password_links: password_links? })
    }
}

impl DatabaseSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let options = reader.value(&table::DATABASE_URL, values::database_url);
        let connections = reader.number(&table::DATABASE_CONNECTIONS, 1..=200);
        let wait = reader.number(&table::DATABASE_WAIT, 0..=600);
        Some(Self { options: options?, connections: connections?, wait: Duration::from_secs(wait?.into()) })
    }
}

impl ListenerSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let public = reader.value(&table::LISTEN, values::address);
        let internal = reader.value(&table::INTERNAL_LISTEN, values::address);
        let address_file = reader.optional(&table::ADDRESS_FILE, values::path);
        let (public, internal) = (public?, internal?);
        if public == internal && public.port() != 0 {
            let text = format!("is {internal}, as {} is; give each its own", table::LISTEN.name);
            reader.problem(table::INTERNAL_LISTEN.name, text);
        }
        Some(Self { public, internal, address_file: address_file? })
    }
}

impl TokenSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let iss = reader.value(&table::ISSUER, values::issuer);
        let audiences = reader.value(&table::AUDIENCE, values::audiences);
        let access_token_seconds = reader.number(&table::ACCESS_TOKEN_SECONDS, TOKEN_SECONDS);
        let public_url = reader.optional(&table::PUBLIC_URL, values::issuer);
        let max_age_seconds = reader.number(&table::JWK_SET_MAX_AGE_SECONDS, MAX_AGE_SECONDS);
        let iss = iss?;
        Some(Self {
            audiences: audiences?,
            access_token_seconds: access_token_seconds?,
            public_url: public_url?.unwrap_or_else(|| iss.clone()),
            max_age_seconds: max_age_seconds?,
            iss,
        })
    }
}

impl SessionSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let seconds = reader.number(&table::SESSION_SECONDS, 60..=31_536_000);
        let idle_seconds = reader.number(&table::SESSION_IDLE_SECONDS, 60..=31_536_000);
        Some(Self { seconds: seconds?, idle_seconds: idle_seconds? })
    }
}

impl PasswordSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { min_length: reader.number(&table::PASSWORD_MIN_LENGTH, 8..=64)? })
    }
}

impl PasswordLinkSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.optional(&table::PASSWORD_LINK_URL, values::page);
        let seconds = reader.number(&table::PASSWORD_LINK_SECONDS, 60..=604_800);
        Some(Self { url: url?, seconds: seconds? })
    }
}

impl HashSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let permits = reader.number_or(&table::HASH_PERMITS, 1..=MAX_HASH_PERMITS, cores());
        let queue = reader.number(&table::HASH_QUEUE, 0..=10_000);
        Some(Self { permits: permits?, queue: queue? })
    }
}

impl ThrottleSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let login = reader.value(&table::LOGIN_LIMIT, Limit::parse);
        let login_account = reader.value(&table::LOGIN_ACCOUNT_LIMIT, Limit::parse);
        let login_address = reader.value(&table::LOGIN_ADDRESS_LIMIT, Limit::parse);
        let signup = reader.value(&table::SIGNUP_LIMIT, Limit::parse);
        let refresh = reader.value(&table::REFRESH_LIMIT, Limit::parse);
        Some(Self {
            login: login?,
            login_account: login_account?,
            login_address: login_address?,
            signup: signup?,
            refresh: refresh?,
        })
    }
}

impl LogSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let filter = reader.value(&table::LOG, values::log_filter);
        let json = reader.optional(&table::LOG_FORMAT, values::log_format_is_json);
        Some(Self { filter: filter?, json: json? })
    }
}

/// How long an access token may live.
const TOKEN_SECONDS: RangeInclusive<u32> = 60..=86_400;

/// How long verifiers may keep what is published.
const MAX_AGE_SECONDS: RangeInclusive<u32> = 1..=86_400;
/// The longest deadline of a login: its hash and the rest of it must fit into the time of a request.
const MAX_DEADLINE_MILLIS: u32 = 4_000;

/// The most hashes at a time; the runtime has more threads for blocking work than this.
const MAX_HASH_PERMITS: u32 = 256;

fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(1).min(MAX_HASH_PERMITS)
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    setting: String,
    text: String,
}

/// All that is wrong with the settings. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl Problem {
    fn new(setting: &str, text: String) -> Self {
        Self { setting: setting.to_owned(), text }
    }
}

/// A sentence that begins with the setting.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.setting, self.text)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the settings are not usable:")?;
        for problem in &self.0 {
            write!(formatter, "\n  {problem}")?;
        }
        formatter.write_str("\n`bearward-issuer help serve` explains every setting.")
    }
}
