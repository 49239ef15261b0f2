use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ISSUER;
use super::envoy::EnvoyServer;
use crate::error::Error;
use crate::http;
use crate::report::Report;

/// How long the first fetch of keys may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Connections are spread over the workers by chance, and each worker fetches keys of its own.
const ANSWERS_FOR_EACH_FURTHER_WORKER: u32 = 8;

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
    fn the_token_has_three_parts() {
        assert_eq!(token_of_an_unknown_key().split('.').count(), 3);
    }
}
