//! What is usable and weak: a start takes it, and `config check` names it.

use std::net::IpAddr;

use axum::http::Uri;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::table::{self, Setting};
use super::{Problem, ServeSettings, SigningSettings};

/// The length at which NIST SP 800-63B-4 section 3.1.1.2 wants passwords that are the only factor.
pub(crate) const RECOMMENDED_PASSWORD_LENGTH: u32 = 15;
/// An access token that lives longer than this, in seconds, is good long after its user lost what it says, wherever no
/// feed of revocations is read.
const LONG_TOKEN_SECONDS: u32 = 3_600;

/// Everything that is weak about these settings, in the order of the documentation.
pub(crate) fn weaknesses(settings: &ServeSettings) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut weak = |setting: &Setting, text: String| found.push(Problem::new(setting.name, text));
    if let Some(text) = of_database(&settings.database.options) {
        weak(&table::DATABASE_URL, text);
    }
    if is_plain(&settings.tokens.public_url) && settings.tokens.public_url != settings.tokens.iss {
        let text =
            "is http: whoever is on the way to a verifier can give it keys of his own; publish it by https";
        weak(&table::PUBLIC_URL, text.to_owned());
    }
    if settings.tokens.access_token_seconds > LONG_TOKEN_SECONDS {
        let text = format!(
            "lets a stolen token be good for {} s where no revocations are read; 900 goes well with refresh tokens",
            settings.tokens.access_token_seconds
        );
        weak(&table::ACCESS_TOKEN_SECONDS, text);
    }
    match &settings.signing {
        SigningSettings::EdDsa(keys) => {
            if keys.encryption.len() == 0 {
                let text = "is not set: signing keys lie unencrypted in the database and its backups";
                weak(&table::KEY_ENCRYPTION_KEY_FILES, text.to_owned());
            }
            if keys.rhythm.rotate_after_seconds.is_none() {
                weak(&table::KEY_ROTATION_DAYS, "is 0: keys change only by hand".to_owned());
            }
        }
        SigningSettings::Hs256(_, keys) => {
            if settings.feed.is_some() && keys.encryption.len() == 0 {
                let text = "is not set: the keys of the feed lie unencrypted in the database and its backups";
                weak(&table::KEY_ENCRYPTION_KEY_FILES, text.to_owned());
            }
            let text = "is set: whoever can verify a token can sign one, too; prefer keys";
            weak(&table::HS256_SECRET_FILES, text.to_owned());
        }
    }
    if settings.passwords.min_length < RECOMMENDED_PASSWORD_LENGTH {
        let text = format!(
            "is {}: {RECOMMENDED_PASSWORD_LENGTH} is recommended where passwords are the only factor",
            settings.passwords.min_length
        );
        weak(&table::PASSWORD_MIN_LENGTH, text);
    }
    if settings.password_links.url.as_deref().is_some_and(is_plain) {
        let text =
            "is http: whoever is on the way can change the page that takes the token; serve it by https";
        weak(&table::PASSWORD_LINK_URL, text.to_owned());
    }
    found
}

/// A socket and this machine need no TLS; on every other way only `verify-full` knows who answers.
fn of_database(options: &PgConnectOptions) -> Option<String> {
    if options.get_socket().is_some() || is_here(options.get_host()) {
        return None;
    }
    let (mode, what) = match options.get_ssl_mode() {
        PgSslMode::VerifyFull => return None,
        PgSslMode::VerifyCa => ("verify-ca", "takes the certificate of any host of the same authority"),
        PgSslMode::Require => ("require", "encrypts to whoever answers"),
        PgSslMode::Prefer => ("prefer", "does without TLS where somebody on the way wants it"),
        PgSslMode::Allow => ("allow", "does without TLS wherever it can"),
        PgSslMode::Disable => ("disable", "sends hashes and keys in the clear"),
    };
    Some(format!("goes to another machine with sslmode={mode}, which {what}; add sslmode=verify-full"))
}

fn is_plain(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_here)
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.starts_with('/')
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
