use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ISSUER;
use super::envoy::{EnvoyServer, whole};
use crate::error::Error;
use crate::http;
use crate::report::Report;

/// How long the first fetch of keys may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Connections are spread over the workers by chance, and each worker fetches keys of its own.
const ANSWERS_FOR_EACH_FURTHER_WORKER: u32 = 8;
/// What a VM logs when it knows for the first time what has been revoked.
const FOLLOWS: &str = "revocations: taken as of";

/// Waits until the filter judges a token. One with an unknown key gets 503 until the keys have come, and 401 after.
pub(super) fn filter_judges(
    envoy: &mut EnvoyServer,
    concurrency: u32,
    report: &mut Report,
) -> Result<(), Error> {
    let url = format!("{}/api/orders", envoy.url());
    let token = token_of_an_unknown_key();
    let wanted = 1 + concurrency.saturating_sub(1).saturating_mul(ANSWERS_FOR_EACH_FURTHER_WORKER);
    let mut judged = 0;
    envoy.process().wait_until(report, &format!("a verdict on {url}, not 503"), DEADLINE, || {
        while judged < wanted {
            match http::get(&url, Some(&token)) {
                Some(answer) if answer.status != 503 => judged += 1,
                _ => return Ok(None),
            }
        }
        Ok(Some(()))
    })
}

/// Waits until every worker's VM has taken what the issuer says of revocations: each logs it once. Before, good tokens get 503.
pub(super) fn filter_follows(
    envoy: &mut EnvoyServer,
    concurrency: u32,
    report: &mut Report,
) -> Result<(), Error> {
    let log = envoy.process().log().to_owned();
    let main = envoy.process().id().to_string();
    envoy.process().wait_until(report, "revocations at every worker", DEADLINE, || {
        let followers = followers(&whole(&log), &main);
        Ok((followers >= usize::try_from(concurrency).unwrap_or(usize::MAX)).then_some(()))
    })
}

/// How many threads other than the main one have logged that they follow. Envoy's lines begin with `[time][thread]`, and the
/// main thread, whose VM sees no request, has the number of the process.
fn followers(log: &str, main: &str) -> usize {
    let thread = |line: &str| Some(line.split(']').nth(1)?.trim_start_matches('[').to_owned());
    let lines = log.lines().filter(|line| line.contains(FOLLOWS));
    lines.filter_map(thread).filter(|thread| thread != main).collect::<HashSet<_>>().len()
}

/// Well-formed in every part that is looked at before the key.
fn token_of_an_unknown_key() -> String {
    let header = br#"{"alg":"EdDSA","typ":"at+jwt","kid":"nobody-has-this-key"}"#;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let claims = format!(r#"{{"iss":"{ISSUER}"}}"#);
    format!("{}.{}.{}", encode(header), encode(claims.as_bytes()), encode(&[0; 64]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_that_follows_counts_once_and_the_main_thread_not_at_all() {
        let line = |thread: u32| {
            format!(
                "[2026-11-26 15:00:00.000][{thread}][info][wasm] [x.cc:1] wasm log bearward: issuer `a`, {FOLLOWS} x\n"
            )
        };
        let log =
            [line(7), line(9), line(9), "[2026-11-26 15:00:00.000][11][info] other\n".to_owned()].concat();
        assert_eq!(followers(&log, "7"), 1);
        assert_eq!(followers(&(log + &line(10)), "7"), 2);
    }

    #[test]
    fn the_token_has_three_parts() {
        assert_eq!(token_of_an_unknown_key().split('.').count(), 3);
    }
}
