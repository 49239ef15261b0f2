//! Who may read the feed: whoever knows one of a few secrets.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The credentials, as hashes: of one length, so that a comparison says nothing of theirs.
pub(crate) struct Credentials(Vec<[u8; 32]>);

impl Credentials {
    pub(crate) fn new(secrets: &[SecretString]) -> Self {
        let hash = |secret: &SecretString| Sha256::digest(secret.expose_secret()).into();
        Self(secrets.iter().map(hash).collect())
    }

    /// Whether a request has one of them, as a Bearer credential (RFC 6750 section 2.1), in its only `Authorization` header.
    pub(crate) fn are_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, given)) = value.as_bytes().split_first_chunk::<7>() else { return false };
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return false;
        }
        let given: [u8; 32] = Sha256::digest(given.trim_ascii()).into();
        // All are compared: which one it was takes no time of its own.
        self.0.iter().fold(false, |found, known| found | bool::from(known.ct_eq(&given)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_of_the_credentials_in_the_only_authorization_header_is_enough_and_all_else_is_not() {
        let secrets = ["first-credential-of-this-test-0001", "second-credential-of-this-test-002"];
        let credentials = Credentials::new(&secrets.map(SecretString::from));
        let has = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            credentials.are_in(&headers)
        };
        let [first, second] = secrets.map(|secret| format!("Bearer {secret}"));
        assert!(has(&[&first]) && has(&[&second]) && has(&[&first.replace("Bearer", "bearer")]));
        let cut = first.strip_suffix("1").unwrap();
        for wrong in [&[][..], &[""], &["Bearer "], &["Bearer"], &[secrets[0]], &[cut], &[&first, &second]] {
            assert!(!has(wrong), "{wrong:?}");
        }
        assert!(!has(&[&format!("{first}x")]) && !has(&[&first.replace("Bearer", "Basic ")]));
        assert!(!Credentials::new(&[]).are_in(&HeaderMap::new()));
    }
}
