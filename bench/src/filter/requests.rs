//! What is asked, as bytes: nothing is put together while it is measured.

use super::connections::Requests;
use super::tokens::{Signer, Signers};
use super::variants::Asks;

/// The path that the eighth of Bearward's ten rules is for.
pub(super) const PATH: &str = "/api/riders/4711/tours";

/// The requests of one variant, in rotation.
pub(super) fn of(asks: Asks, signers: &Signers) -> Requests {
    let tokens = |algorithm: bearward_core::algorithm::AlgorithmName, of: fn(&Signer) -> Vec<String>| {
        signers.get(algorithm.as_str()).map(of).unwrap_or_default()
    };
    let whole = |signer: &Signer| signer.tokens.clone();
    Requests::new(match asks {
        Asks::Cold(algorithm) => tokens(algorithm, whole).iter().map(|token| with_token(token)).collect(),
        Asks::Warm(algorithm, count) => {
            tokens(algorithm, whole).iter().take(count).map(|token| with_token(token)).collect()
        }
        Asks::BadSignature(algorithm) => {
            tokens(algorithm, Signer::with_bad_signatures).iter().map(|token| with_token(token)).collect()
        }
        Asks::NoToken => vec![request(PATH, HOST, "")],
        Asks::Refused => vec![request(PATH, REFUSED_HOST, "")],
    })
}

/// The host that has no routes (`bench/filter/listener.yaml`).
const REFUSED_HOST: &str = "refused.bearward.local";

const HOST: &str = "restaurant.example.com";

fn with_token(token: &str) -> Vec<u8> {
    request(PATH, HOST, &bearer(token))
}

/// The header that carries a token.
pub(super) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// As a client of an API writes it; `more` are further headers.
pub(super) fn request(path: &str, host: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: okhttp/4.12.0\r\naccept: application/json\r\n\
         accept-encoding: gzip\r\n{more}\r\n"
    )
    .into_bytes()
}
