//! One parser per kind of value. An error completes the sentence that begins with the setting and its value.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::Uri;
use ipnet::IpNet;
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

/// The most audiences: each stands in every token.
const MAX_AUDIENCES: usize = 16;
/// The longest audience or issuer, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The most blocks of trusted proxies: each is compared with every address of every request.
const MAX_TRUSTED_PROXIES: usize = 64;

/// What may stand behind the `?` of a PostgreSQL URL. sqlx passes over what it does not know, so that
/// `sslmod=verify-full` would be a connection without any verification.
const DATABASE_PARAMETERS: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];
/// The longest name of an unknown parameter that is repeated, in bytes.
const MAX_PARAMETER_BYTES: usize = 32;

/// The cause is left out: it could quote the password.
pub(crate) fn database_url(text: &str) -> Result<PgConnectOptions, String> {
    let wrong = "is not a PostgreSQL URL; give postgres://USER:PASSWORD@HOST:PORT/DATABASE, \
                 with special characters of the password percent-encoded";
    // What follows `#` would be passed over, too; and `@` after `?` is part of a password that is not encoded.
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !is_url || text.contains('#') || query.contains('@') {
        return Err(wrong.to_owned());
    }
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    if let Some(unknown) = names.filter(|name| !name.is_empty()).find(|name| !is_parameter(name)) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_[]".contains(&byte);
        let shown = unknown.len() <= MAX_PARAMETER_BYTES && unknown.bytes().all(is_plain);
        let shown = if shown { format!(" `{unknown}`") } else { String::new() };
        let known = DATABASE_PARAMETERS.join(", ");
        return Err(format!("has an unknown parameter{shown} after `?`; there are {known}"));
    }
    PgConnectOptions::from_str(text).map_err(|_| wrong.to_owned())
}

fn is_parameter(name: &str) -> bool {
    DATABASE_PARAMETERS.contains(&name) || (name.starts_with("options[") && name.ends_with(']'))
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "is not an address; give IP:PORT, for example 127.0.0.1:8081")
}

pub(crate) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// RFC 8414 section 2 asks for a URL without query and fragment. `http` is accepted, because the issuer is a name
/// that is compared, not a place that is fetched.
pub(crate) fn issuer(text: &str) -> Result<String, &'static str> {
    let wrong = "must be an http or https URL without user, query and fragment, for example https://login.example.com";
    if !is_name(text) || text.contains(['?', '#', '@']) {
        return Err(wrong);
    }
    let uri: Uri = text.parse().map_err(|_| wrong)?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(wrong),
    }
}

/// A page of the operator's, to which a fragment is added.
pub(crate) fn page(text: &str) -> Result<String, &'static str> {
    let wrong = "must be an http or https URL without user and fragment, for example https://app.example.com/password";
    if text.contains(['#', '@']) || !is_name(text) {
        return Err(wrong);
    }
    let uri: Uri = text.parse().map_err(|_| wrong)?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(wrong),
    }
}

pub(crate) fn audiences(text: &str) -> Result<Vec<String>, String> {
    let mut audiences: Vec<String> = Vec::new();
    for audience in text.split(',').map(str::trim) {
        if !is_name(audience) {
            return Err(format!(
                "must be a comma separated list of names of visible ASCII, at most {MAX_NAME_BYTES} bytes each"
            ));
        }
        if audiences.iter().any(|other| other == audience) {
            return Err(format!("names {audience} twice; name it once"));
        }
        audiences.push(audience.to_owned());
    }
    if audiences.len() > MAX_AUDIENCES {
        return Err(format!("must hold at most {MAX_AUDIENCES} names"));
    }
    Ok(audiences)
}

/// Whoever is trusted chooses the address of its clients. So nothing is guessed: no bits beyond a block's length, no
/// block that is everybody.
pub(crate) fn trusted_proxies(text: &str) -> Result<Vec<IpNet>, String> {
    let blocks: Vec<IpNet> = text.split(',').map(str::trim).map(trusted_proxy).collect::<Result<_, _>>()?;
    if blocks.len() > MAX_TRUSTED_PROXIES {
        return Err(format!("must hold at most {MAX_TRUSTED_PROXIES} blocks"));
    }
    Ok(blocks)
}

fn trusted_proxy(text: &str) -> Result<IpNet, String> {
    let wrong = || {
        "must be a comma separated list of addresses and CIDR blocks, for example 10.0.0.0/8,::1".to_owned()
    };
    let block = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?,
    };
    if block.addr().to_canonical() != block.addr() {
        return Err(format!(
            "names {block}, an address of IPv4 in the form of IPv6; name it in its own form"
        ));
    }
    if block.trunc() != block {
        return Err(format!(
            "names {block}, which has bits beyond its length; did you mean {}?",
            block.trunc()
        ));
    }
    if block.prefix_len() == 0 {
        return Err(format!("names {block}, which is everybody; name the proxies"));
    }
    Ok(block)
}

pub(crate) fn is_required(text: &str) -> Result<bool, &'static str> {
    match text {
        "required" => Ok(true),
        "optional" => Ok(false),
        _ => Err("must be optional or required"),
    }
}

pub(crate) fn log_filter(text: &str) -> Result<String, &'static str> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log filter; give a level, or levels per module as in info,sqlx=debug"),
    }
}

pub(crate) fn log_format_is_json(text: &str) -> Result<bool, &'static str> {
    match text {
        "json" => Ok(true),
        "text" => Ok(false),
        _ => Err("must be json or text"),
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
