//! Seen before anything is measured: that every filter tells the upstream the same, and refuses the same.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bearward_core::base64url;
use serde_json::json;
use xtask::error::Error;
use xtask::interrupt;
use xtask::stack::ISSUER;

use super::asks::{PATH, REFUSED_HOST, bearer, request};
use super::connections::whole;
use super::envoy::Envoy;
use super::tokens::{Signer, Signers};
use super::variants::{Block, Filter, NONE};

/// The host whose answers repeat what the upstream would be told (`bench/filter/listener.yaml`).
const HOST: &str = "proof.bearward.local";
/// How long the first answers of the feed may take: of many records there are many.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much of the roles is looked at, in characters.
const SHOWN: usize = 12;
/// What a client would like to be.
const FORGED: &str = "x-user-id: root\r\nx-user-roles: admin\r\nx-user-issuer: me\r\n";

/// Asks each variant with a filter that decides.
///
/// # Errors
/// One that lets pass what it should not, or tells the upstream something else than the token says.
pub(super) fn of(envoy: &Envoy, blocks: &[Block], signers: &Signers) -> Result<(), Error> {
    // What refusals are held against.
    let seen = answer(envoy.listener(NONE)?, PATH, REFUSED_HOST, "")?;
    refused(NONE, "a host without routes", 404, &seen)?;
    for (block, variant) in blocks.iter().flat_map(|block| block.variants.iter().map(move |of| (block, of))) {
        let is_native = matches!(variant.filter, Filter::Native { .. });
        if !is_native && !matches!(variant.filter, Filter::Bearward { .. }) {
            continue;
        }
        let Some(signer) = signers.get(&block.asks.signer) else { continue };
        let (address, path) = (envoy.listener(variant.listener())?, block.asks.path.as_str());
        let seen = once_ready(address, path, &format!("{}{FORGED}", bearer(&signer.spare)))?;
        if block.asks.status == 403 {
            refused(&variant.name, "a path without a rule", 403, &seen)?;
            continue;
        }
        if let Some(part) = told(is_native, signer).iter().find(|part| !seen.contains(part.as_str())) {
            return Err(wrong(&variant.name, part, &seen));
        }
        let bad = signer.with_bad_signatures().first().map(|token| bearer(token)).unwrap_or_default();
        let other = bearer(&signer.without_role);
        let forged = FORGED.to_owned();
        for (what, headers, status) in
            [("a bad signature", bad, 401), ("no token", forged, 401), ("another role", other, 403)]
        {
            let seen = answer(address, path, HOST, &headers)?;
            refused(&variant.name, what, status, &seen)?;
        }
        let follows = matches!(variant.filter, Filter::Bearward { revocations: Some(_), .. });
        let (what, status) = if follows { ("refused", 401) } else { ("not known of", 200) };
        let seen = answer(address, path, HOST, &bearer(&signer.ended))?;
        if !seen.starts_with(&format!("HTTP/1.1 {status} ")) {
            return Err(wrong(&variant.name, &format!("a session that has ended {what}"), &seen));
        }
    }
    Ok(())
}

/// Whether a good token passes there.
pub(super) fn passes(address: SocketAddr, signers: &Signers, signer: &str) -> bool {
    let token = signers.get(signer).and_then(|signer| signer.tokens.first());
    let answer = token.and_then(|token| answer(address, PATH, HOST, &bearer(token)).ok());
    answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

/// What an answer says of what the upstream was told.
fn told(is_native: bool, signer: &Signer) -> [String; 4] {
    // The native filter writes a list as JSON in base64, and knows no other name of an issuer than `iss`.
    let (roles, issuer) = match is_native {
        true => (base64url::encode(json!(signer.roles).to_string().as_bytes()), ISSUER),
        false => (signer.roles.join(","), "bearward"),
    };
    // Its padding and its alphabet are its own affair.
    let roles: String = roles.chars().take(SHOWN).collect();
    [
        "HTTP/1.1 200 ".to_owned(),
        "\r\nx-seen-user: 0b1c2d3e-".to_owned(),
        format!("\r\nx-seen-roles: {roles}"),
        format!("\r\nx-seen-issuer: {issuer}\r\n"),
    ]
}

/// That it is a refusal as all are: with the same body, over a connection that is kept.
fn refused(name: &str, what: &str, status: u16, seen: &str) -> Result<(), Error> {
    let is_refusal = seen.starts_with(&format!("HTTP/1.1 {status} "));
    let is_kept = !seen.contains("\r\nconnection: close");
    if is_refusal && is_kept && seen.ends_with("\r\n\r\nrefused") {
        return Ok(());
    }
    Err(wrong(name, &format!("{status} for {what}, the connection kept"), seen))
}

fn wrong(name: &str, expected: &str, seen: &str) -> Error {
    let what = format!("{name}: expected {:?}, got {seen:?}", expected.trim());
    Error::unusable(what, "correct what stands in bench/filter")
}

/// The answer, once it is none of 503: a filter that follows a feed has to know it first.
fn once_ready(address: SocketAddr, path: &str, headers: &str) -> Result<String, Error> {
    let begun = Instant::now();
    loop {
        let seen = answer(address, path, HOST, headers)?;
        if !seen.starts_with("HTTP/1.1 503 ") || begun.elapsed() > PATIENCE {
            return Ok(seen);
        }
        interrupt::pause(Duration::from_millis(50))?;
    }
}

/// The whole answer over a connection of its own.
fn answer(address: SocketAddr, path: &str, host: &str, headers: &str) -> Result<String, Error> {
    let doing = || Error::io(format!("cannot ask {address}"));
    let mut stream = TcpStream::connect(address).map_err(doing())?;
    stream.write_all(&request(path, host, headers)).map_err(doing())?;
    let (mut received, mut bytes) = (Vec::new(), [0; 4_096]);
    while whole(&received).is_none() {
        match stream.read(&mut bytes).map_err(doing())? {
            0 => break,
            count => received.extend_from_slice(bytes.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&received).into_owned())
}
