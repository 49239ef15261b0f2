//! Every setting: one table. It is what is read, and what `--help` prints.

/// One setting: how it is called, what it holds without being set, what it means.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The environment variable.
    pub(crate) name: &'static str,
    /// The key in the configuration file.
    pub(crate) key: &'static str,
    /// The shape of its value in the configuration file.
    pub(crate) kind: Kind,
    /// What holds where it is not set.
    pub(crate) unset: WhenUnset,
    /// What a value looks like, with its unit.
    pub(crate) value: &'static str,
    /// What it decides.
    pub(crate) help: &'static str,
}

/// The shape of a value in the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// A string that is never shown; may also stand in a file of its own, named by `<NAME>_FILE` or `<key>_file`.
    Secret,
    /// An integer.
    Number,
    /// An array of strings, or one string with commas.
    List,
}

/// What holds where a setting is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenUnset {
    /// It must be set.
    Required,
    /// It stays off.
    Off,
    /// As if this were set.
    Is(&'static str),
    /// Found out at start; described here.
    Computed(&'static str),
}

macro_rules! settings {
    ($($ident:ident $name:literal $key:literal $kind:ident $unset:expr, $value:literal, $help:literal;)+) => {
        $(
            #[doc = $help]
            pub(crate) const $ident: Setting =
                Setting { name: $name, key: $key, kind: Kind::$kind, unset: $unset, value: $value, help: $help };
        )+

        /// Every setting, in the order of the documentation.
        pub(crate) const ALL: &[&Setting] = &[$(&$ident,)+];
    };
}

settings! {
    DATABASE_URL "DATABASE_URL" "database_url" Secret WhenUnset::Required, "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        "Where PostgreSQL (13 or later) is. `?sslmode=verify-full` demands TLS and a known certificate.";
    DATABASE_CONNECTIONS "BEARWARD_DATABASE_CONNECTIONS" "database_connections" Number WhenUnset::Is("10"),
        "connections, 1 to 200", "The most connections to PostgreSQL that requests share; the probe /readyz holds one more.";
    DATABASE_WAIT "BEARWARD_DATABASE_WAIT_SECONDS" "database_wait_seconds" Number WhenUnset::Is("30"),
        "seconds, 0 to 600", "How long a start waits for PostgreSQL to come up before it gives up.";
    LISTEN "BEARWARD_LISTEN" "listen" Text WhenUnset::Is("127.0.0.1:8081"),
        "IP:PORT", "The address of the public listener: signup, login, keys. Port 0 takes a free one.";
    INTERNAL_LISTEN "BEARWARD_INTERNAL_LISTEN" "internal_listen" Text WhenUnset::Is("127.0.0.1:8091"),
        "IP:PORT", "The address of the internal listener: /livez, /readyz and /metrics. Never publish it.";
    ADDRESS_FILE "BEARWARD_ADDRESS_FILE" "address_file" Text WhenUnset::Off,
        "path", "Where to write the addresses in use, as lines `public=IP:PORT` and `internal=IP:PORT`.";
    ISSUER "BEARWARD_ISSUER" "issuer" Text WhenUnset::Is("http://issuer.bearward.local"),
        "http or https URL", "The `iss` of every token: a name, byte for byte as the filter's policy has it.";
    PUBLIC_URL "BEARWARD_PUBLIC_URL" "public_url" Text WhenUnset::Computed("the issuer"),
        "http or https URL", "Where the public listener is reached from outside: what the metadata's jwks_uri begins with.";
    AUDIENCE "BEARWARD_AUDIENCE" "audience" List WhenUnset::Is("restaurant"),
        "names, comma separated", "The `aud` of every token: the APIs that it is meant for.";
    ACCESS_TOKEN_SECONDS "BEARWARD_ACCESS_TOKEN_SECONDS" "access_token_seconds" Number WhenUnset::Is("900"),
        "seconds, 60 to 86400", "The life of an access token; one never outlives its session.";
    SESSION_SECONDS "BEARWARD_SESSION_SECONDS" "session_seconds" Number WhenUnset::Is("2592000"),
        "seconds, 60 to 31536000", "The life of a session, however much it is used: then its user logs in anew.";
    SESSION_IDLE_SECONDS "BEARWARD_SESSION_IDLE_SECONDS" "session_idle_seconds" Number WhenUnset::Is("1209600"),
        "seconds, 60 to 31536000", "How long a session may go without a refresh: then its user logs in anew.";
    KEY_ENCRYPTION_KEY_FILES "BEARWARD_KEY_ENCRYPTION_KEY_FILES" "key_encryption_key_files" List WhenUnset::Off,
        "paths, comma separated", "Files that hold keys of 32 bytes in base64, which encrypt the signing keys in the database: the first encrypts, all decrypt.";
    KEY_ENCRYPTION "BEARWARD_KEY_ENCRYPTION" "key_encryption" Text WhenUnset::Is("optional"),
        "optional or required", "Whether a start without such a file is refused.";
    KEY_ROTATION_DAYS "BEARWARD_KEY_ROTATION_DAYS" "key_rotation_days" Number WhenUnset::Is("90"),
        "days, 0 to 3650", "The age from which the key that signs gets a successor; 0: only by `keys rotate`.";
    HS256_SECRET_FILES "BEARWARD_HS256_SECRET_FILES" "hs256_secret_files" List WhenUnset::Off,
        "KID=PATH, comma separated, at most 4", "Signs with secrets from files (HS256) instead of keys: the first signs, all verify. Whoever can verify can sign, too.";
    JWK_SET_MAX_AGE_SECONDS "BEARWARD_JWK_SET_MAX_AGE_SECONDS" "jwk_set_max_age_seconds" Number WhenUnset::Is("300"),
        "seconds, 1 to 86400", "How long verifiers may keep the JWK Set. A new key is published for twice as long before it signs.";
    PASSWORD_MIN_LENGTH "BEARWARD_PASSWORD_MIN_LENGTH" "password_min_length" Number WhenUnset::Is("8"),
        "characters, 8 to 64", "The shortest new password. 15 is recommended where it is the only factor.";
    PASSWORD_LINK_URL "BEARWARD_PASSWORD_LINK_URL" "password_link_url" Text WhenUnset::Off,
        "http or https URL without fragment", "The page on which a user sets a password; links are this with `#token=...`. Off: the token alone is given out.";
    PASSWORD_LINK_SECONDS "BEARWARD_PASSWORD_LINK_SECONDS" "password_link_seconds" Number WhenUnset::Is("86400"),
        "seconds, 60 to 604800", "How long a one-time link is good with which a user sets a password.";
    HASH_PERMITS "BEARWARD_HASH_PERMITS" "hash_permits" Number WhenUnset::Computed("the number of cores"),
        "hashes, 1 to 256", "How many passwords are hashed at a time; each takes a core and 19 MiB.";
    HASH_QUEUE "BEARWARD_HASH_QUEUE" "hash_queue" Number WhenUnset::Is("32"),
        "requests, 0 to 10000", "How many requests may wait for a hash; beyond, they get 503 and Retry-After.";
    LOGIN_DEADLINE "BEARWARD_LOGIN_DEADLINE_MS" "login_deadline_ms" Number
        WhenUnset::Computed("measured at start, above the slowest hash in use"),
        "milliseconds, 20 to 4000", "How long after its arrival every login is answered; `hash calibrate` shows what is needed.";
    AUDIT_DAYS "BEARWARD_AUDIT_DAYS" "audit_days" Number WhenUnset::Is("90"),
        "days, 1 to 3650", "How long the trail of authentication events is kept.";
    HASH_SHARE_PERCENT "BEARWARD_HASH_SHARE_PERCENT" "hash_share_percent" Number WhenUnset::Is("50"),
        "percent, 1 to 100", "The most of the permits and the queue that one client address may take; at least one place.";
    TRUSTED_PROXIES "BEARWARD_TRUSTED_PROXIES" "trusted_proxies" List WhenUnset::Off,
        "addresses or CIDR blocks, comma separated, at most 64", "The proxies in front: only they are believed what X-Forwarded-For says of a client's address.";
    LOGIN_LIMIT "BEARWARD_LOGIN_LIMIT" "login_limit" Text WhenUnset::Is("10/900"),
        "ATTEMPTS/SECONDS or off", "Logins to one account from one client address (IPv6: from one /64); more get 429. A right password sets it back.";
    LOGIN_ACCOUNT_LIMIT "BEARWARD_LOGIN_ACCOUNT_LIMIT" "login_account_limit" Text WhenUnset::Is("30/900"),
        "ATTEMPTS/SECONDS or off", "Logins to one account from anywhere; more are answered later, by up to five seconds, and never refused.";
    LOGIN_ADDRESS_LIMIT "BEARWARD_LOGIN_ADDRESS_LIMIT" "login_address_limit" Text WhenUnset::Is("300/900"),
        "ATTEMPTS/SECONDS or off", "Logins to any account from one client address; more get 429. The same, apart, holds for one-time links and for refreshes that are refused.";
    SIGNUP_LIMIT "BEARWARD_SIGNUP_LIMIT" "signup_limit" Text WhenUnset::Is("60/3600"),
        "ATTEMPTS/SECONDS or off", "Signups from one client address; more get 429.";
    REFRESH_LIMIT "BEARWARD_REFRESH_LIMIT" "refresh_limit" Text WhenUnset::Is("60/900"),
        "ATTEMPTS/SECONDS or off", "Refreshes of one session; more get 429.";
    LOG "BEARWARD_LOG" "log" Text WhenUnset::Is("info"),
        "filter", "What is logged: error, warn, info, debug, trace, or per module: info,sqlx=debug.";
    LOG_FORMAT "BEARWARD_LOG_FORMAT" "log_format" Text WhenUnset::Computed("text on a terminal, else json"),
        "json or text", "How log lines look.";
}

impl Setting {
    /// The environment variable that names a file with the value; only secrets have one.
    pub(crate) fn file_name(&self) -> Option<String> {
        (self.kind == Kind::Secret).then(|| format!("{}_FILE", self.name))
    }

    /// The key that names a file with the value; only secrets have one.
    pub(crate) fn file_key(&self) -> Option<String> {
        (self.kind == Kind::Secret).then(|| format!("{}_file", self.key))
    }
}

/// The part of `--help` that documents settings.
pub(crate) fn help(settings: &[&Setting]) -> String {
    let mut text = String::from(
        "Settings, from the environment or (in lower case, without BEARWARD_) from the configuration file;\n\
         the environment wins, and an empty variable counts as not set:\n",
    );
    for setting in settings {
        let default = match setting.unset {
            WhenUnset::Required => "required".to_owned(),
            WhenUnset::Off => "default: off".to_owned(),
            WhenUnset::Is(text) | WhenUnset::Computed(text) => format!("default: {text}"),
        };
        let file = setting
            .file_name()
            .map(|name| format!(", or {name} for a file that holds it"))
            .unwrap_or_default();
        text.push_str(&format!(
            "\n  {}{file}\n      {}\n      {} [{default}]\n",
            setting.name, setting.help, setting.value
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_in_lower_case_without_the_prefix() {
        for setting in ALL {
            let name = setting.name.strip_prefix("BEARWARD_").unwrap_or(setting.name);
            assert_eq!(setting.key, name.to_lowercase());
        }
    }

    #[test]
    fn help_names_every_setting_its_default_and_its_unit() {
        let help = help(ALL);
        for setting in ALL {
            assert!(
                help.contains(setting.name) && help.contains(setting.value) && help.contains(setting.help)
            );
        }
        assert!(help.contains("DATABASE_URL_FILE"));
        assert!(help.contains("[default: 900]"));
    }
}
