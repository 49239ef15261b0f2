//! Seen before anything is measured: that every filter tells the upstream the same, and refuses the same.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::interrupt;

use super::connections::whole;
use super::envoy::Envoy;
use super::requests::{PATH, bearer, request};
use super::tokens::Signers;
use super::variants::{Filter, Variant};

/// The host whose answers repeat what the upstream would be told (`bench/filter/listener.yaml`).
const HOST: &str = "proof.bearward.local";
/// How long the first answer of the feed may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a client would like to be.
const FORGED: &str = "x-user-id: root\r\nx-user-roles: admin\r\nx-user-issuer: me\r\n";

/// Asks each variant with a filter that decides.
///
/// # Errors
/// One that lets pass what it should not, or tells the upstream something else than the token says.
pub(super) fn of(envoy: &Envoy, variants: &[Variant], signers: &Signers) -> Result<(), Error> {
    for variant in variants {
        let (Filter::Native { algorithm, .. } | Filter::Bearward { algorithm, .. }) = variant.filter else {
            continue;
        };
        let Some(signer) = signers.get(algorithm.as_str()) else { continue };
        let address = envoy.listener(&variant.name)?;
        let good = signer.tokens.last().map(|token| bearer(token)).unwrap_or_default();
        let bad = signer.with_bad_signatures().first().map(|token| bearer(token)).unwrap_or_default();
        let seen = once_ready(address, &format!("{good}{FORGED}"))?;
        // The native filter writes a list as JSON in base64, and knows no other name of an issuer than `iss`.
        let (roles, issuer) = match variant.filter {
            Filter::Native { .. } => ("WyJyaWRlciJd", "http://issuer.bearward.local"),
            _ => ("rider", "bearward"),
        };
        let expected = [
            "HTTP/1.1 200 ".to_owned(),
            "\r\nx-seen-user: 0b1c2d3e-".to_owned(),
            format!("\r\nx-seen-roles: {roles}\r\n"),
            format!("\r\nx-seen-issuer: {issuer}\r\n"),
        ];
        if let Some(part) = expected.iter().find(|part| !seen.contains(part.as_str())) {
            return Err(wrong(variant, part, &seen));
        }
        for (what, headers) in [("a bad signature", bad), ("no token", FORGED.to_owned())] {
            let seen = answer(address, &headers)?;
            if !seen.starts_with("HTTP/1.1 401 ") || !seen.ends_with("\r\n\r\nrefused") {
                return Err(wrong(variant, &format!("401 for {what}"), &seen));
            }
        }
    }
    Ok(())
}

fn wrong(variant: &Variant, expected: &str, seen: &str) -> Error {
    let what = format!("{}: expected {:?}, got {seen:?}", variant.name, expected.trim());
    Error::unusable(what, "correct what stands in bench/filter")
}

/// The answer, once it is none of 503: a filter that follows a feed has to know it first.
fn once_ready(address: SocketAddr, headers: &str) -> Result<String, Error> {
    let begun = Instant::now();
    loop {
        let seen = answer(address, headers)?;
        if !seen.starts_with("HTTP/1.1 503 ") || begun.elapsed() > PATIENCE {
            return Ok(seen);
        }
        interrupt::pause(Duration::from_millis(50))?;
    }
}

/// The whole answer over a connection of its own.
fn answer(address: SocketAddr, headers: &str) -> Result<String, Error> {
    let doing = || Error::io(format!("cannot ask {address}"));
    let mut stream = TcpStream::connect(address).map_err(doing())?;
    stream.write_all(&request(PATH, HOST, headers)).map_err(doing())?;
    let (mut received, mut bytes) = (Vec::new(), [0; 4_096]);
    while whole(&received).is_none() {
        match stream.read(&mut bytes).map_err(doing())? {
            0 => break,
            count => received.extend_from_slice(bytes.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&received).into_owned())
}
