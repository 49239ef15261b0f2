//! Access tokens: made here, published here, and verified by the filter's own code.

mod metadata;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bearward_core::issuer::Issuer;
use bearward_core::{Rejection, credentials, verify};
use bearward_protocol::bounds::MAX_TOKEN_BYTES;
use bearward_protocol::claims::AccessTokenClaims;
use uuid::Uuid;

use crate::document::Document;
use crate::keys::Ring;
use crate::keys::life::MAX_STALE_SECONDS;
use crate::keys::ring::SignError;
use crate::random;
use crate::settings::TokenSettings;
use crate::store::{Grant, TokenIdentity};

/// Makes and verifies the tokens of this issuer.
pub(crate) struct Tokens {
    settings: TokenSettings,
    /// This issuer as a verifier sees him.
    issuer: Issuer,
    held: RwLock<Held>,
    metadata: Document,
}

/// The keys at hand, and since when.
struct Held {
    ring: Arc<Ring>,
    since: Instant,
}

impl Held {
    fn of(ring: Ring) -> Self {
        Self { ring: Arc::new(ring), since: Instant::now() }
    }

    /// Whether one of them may be revoked by now without our knowing. Secrets are not read again.
    fn is_stale(&self) -> bool {
        let is_read = self.ring.jwk_set().is_some();
        is_read && self.since.elapsed() > Duration::from_secs(MAX_STALE_SECONDS.into())
    }
}

/// Why no token was made. Never reaches a client.
#[derive(Debug)]
pub(crate) enum IssueError {
    /// No random numbers.
    Random(getrandom::Error),
    /// Header or claims could not be serialized.
    Serialization,
    /// The keys could not be read for so long that the one at hand may be to sign no more.
    StaleKeys,
    /// Too many roles: every verifier would refuse the token.
    TooLarge(usize),
}

impl Tokens {
    /// `None`: the metadata cannot be serialized.
    pub(crate) fn new(settings: TokenSettings, ring: Ring) -> Option<Self> {
        let TokenSettings { iss, audiences, public_url, max_age_seconds, .. } = &settings;
        let issuer = Issuer::rfc9068(iss, audiences).with_algorithm(ring.algorithm());
        let metadata = metadata::metadata(iss, public_url, ring.jwk_set().is_some(), *max_age_seconds)?;
        Some(Self { settings, issuer, held: RwLock::new(Held::of(ring)), metadata })
    }

    /// The keys at hand.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).ring)
    }

    /// Goes on with the keys as they are now.
    pub(crate) fn take_over(&self, ring: Ring) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Held::of(ring);
    }

    /// The life of an access token, in seconds.
    pub(crate) fn life_seconds(&self) -> u32 {
        self.settings.access_token_seconds
    }

    /// The metadata of RFC 8414.
    pub(crate) fn metadata(&self) -> &Document {
        &self.metadata
    }

    /// The path of `iss`, without slashes at its ends.
    pub(crate) fn issuer_path(&self) -> &str {
        metadata::path_of(&self.settings.iss)
    }

    /// Makes the access token of a session: RFC 9068.
    ///
    /// # Errors
    /// [`IssueError`]
    pub(crate) fn issue(&self, grant: &Grant) -> Result<String, IssueError> {
        let claims = AccessTokenClaims {
            iss: self.settings.iss.clone(),
            sub: grant.user.id.to_string(),
            aud: self.settings.audiences.clone(),
            exp: grant.expires_at,
            iat: grant.issued_at,
            jti: random::uuid().map_err(IssueError::Random)?.simple().to_string(),
            sid: grant.session_id.to_string(),
            roles: grant.user.roles.clone(),
            user_version: grant.user_version,
            epoch: grant.epoch,
        };
        let token = self.ring().sign(claims)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IssueError::TooLarge(token.len()));
        }
        Ok(token)
    }

    /// Who the Bearer token in the values of the `Authorization` headers says that it is, at the time `now`.
    ///
    /// # Errors
    /// As the filter would refuse it. Also by keys that could not be read for so long that nothing is signed by them any
    /// more: the thief of a revoked one must not find a replica that has not heard of it.
    pub(crate) fn identity<'a>(
        &self,
        authorization: impl Iterator<Item = &'a [u8]>,
        now: u64,
    ) -> Result<TokenIdentity, Rejection> {
        let token = credentials::bearer(authorization)?;
        if self.held.read().unwrap_or_else(PoisonError::into_inner).is_stale() {
            return Err(Rejection::KeysUnavailable);
        }
        let claims = verify::verify(token, &self.issuer, self.ring().verifying(), now)?;
        let malformed = |_| Rejection::ClaimsMalformed;
        let claims: AccessTokenClaims =
            serde_json::from_value(claims.payload().clone().into()).map_err(malformed)?;
        let id = |text: &str| Uuid::try_parse(text).map_err(|_| Rejection::ClaimsMalformed);
        let number = |number: u64| i64::try_from(number).map_err(|_| Rejection::ClaimsMalformed);
        Ok(TokenIdentity {
            user_id: id(&claims.sub)?,
            session_id: id(&claims.sid)?,
            user_version: number(claims.user_version)?,
            epoch: number(claims.epoch)?,
        })
    }
}

impl From<SignError> for IssueError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Stale => Self::StaleKeys,
            SignError::Serialization => Self::Serialization,
        }
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(error) => write!(formatter, "no random numbers: {error}"),
            Self::Serialization => formatter.write_str("the token could not be serialized"),
            Self::StaleKeys => formatter.write_str("the signing keys could not be read for too long"),
            Self::TooLarge(bytes) => {
                write!(
                    formatter,
                    "the token would have {bytes} bytes, more than any verifier takes: too many roles"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::ring::NamedSecret;
    use crate::store::Profile;
    use bearward_core::algorithm::AlgorithmName;
    use bearward_core::keys::KeySet;
    use bearward_core::signature_host::NoSignatureHost;
    use bearward_core::{KeyRing, Policy, Request};
    use secrecy::SecretString;

    const NOW: u64 = 1_800_000_000;

    fn tokens(ring: Ring) -> Tokens {
        let settings = TokenSettings {
            iss: "http://issuer.bearward.local".to_owned(),
            audiences: vec!["restaurant".to_owned(), "kitchen".to_owned()],
            access_token_seconds: 900,
            public_url: "http://issuer.bearward.local".to_owned(),
            max_age_seconds: 300,
        };
        Tokens::new(settings, ring).unwrap()
    }

    fn ring(keys: usize) -> Ring {
        Ring::made(keys, i64::try_from(NOW).unwrap())
    }

    fn grant(roles: Vec<String>) -> Grant {
        let user = Profile {
            id: Uuid::from_u128(1),
            name: "Priya".into(),
            email: "priya@example.com".into(),
            roles,
        };
        Grant {
            user,
            session_id: Uuid::from_u128(2),
            user_version: 3,
            epoch: 4,
            issued_at: NOW,
            expires_at: NOW + 900,
            refresh_seconds: 1,
            retired_keys: 0,
        }
    }

    fn subject(tokens: &Tokens, token: &str, now: u64) -> Result<Uuid, Rejection> {
        let identity = tokens.identity([format!("Bearer {token}").as_bytes()].into_iter(), now)?;
        assert_eq!((identity.session_id, identity.user_version, identity.epoch), (Uuid::from_u128(2), 3, 4));
        Ok(identity.user_id)
    }

    #[test]
    fn a_token_is_what_the_filter_accepts_and_says_what_was_granted() {
        let tokens = tokens(ring(1));
        let token = tokens.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&tokens, &token, NOW), Ok(Uuid::from_u128(1)));
        let issuer = Issuer::rfc9068("http://issuer.bearward.local", &["kitchen".to_owned()]);
        let keys = KeySet::parse(tokens.ring().published(), &[AlgorithmName::EdDsa]).unwrap();
        let claims = verify::verify(token.as_bytes(), &issuer, &keys, NOW).unwrap();
        assert_eq!(claims.roles(), ["customer"]);
        let claims: AccessTokenClaims = serde_json::from_value(claims.payload().clone().into()).unwrap();
        assert_eq!((claims.iat, claims.exp, claims.user_version, claims.epoch), (NOW, NOW + 900, 3, 4));
        assert_eq!(claims.sid, Uuid::from_u128(2).to_string());
        assert_eq!(claims.jti.len(), 32);
    }

    #[test]
    fn a_token_holds_nothing_personal_and_no_two_are_alike() {
        let tokens = tokens(ring(1));
        let grant = grant(vec!["customer".into()]);
        let token = tokens.issue(&grant).unwrap();
        let payload = bearward_core::base64url::decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let payload = String::from_utf8(payload).unwrap();
        assert!(!payload.contains("priya") && !payload.contains("Priya"), "{payload}");
        assert_ne!(token, tokens.issue(&grant).unwrap());
    }

    #[test]
    fn an_expired_token_and_one_of_another_key_are_refused() {
        let tokens_one = tokens(ring(1));
        let token = tokens_one.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&tokens_one, &token, NOW + 900 + 31), Err(Rejection::TokenExpired));
        assert_eq!(subject(&tokens(ring(1)), &token, NOW), Err(Rejection::KeyUnknown));
        assert_eq!(tokens_one.identity(std::iter::empty(), NOW), Err(Rejection::TokenMissing));
    }

    #[test]
    fn the_key_that_began_last_signs_and_all_are_published() {
        let both = ring(2);
        let old = tokens(both.until(1)).issue(&grant(vec!["customer".into()])).unwrap();
        let first = both.until(1);
        let both = tokens(both);
        assert!(subject(&both, &old, NOW).is_ok());
        let new = both.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&tokens(first), &new, NOW), Err(Rejection::KeyUnknown));
    }

    #[test]
    fn nothing_is_signed_with_keys_that_were_read_too_long_ago() {
        let tokens = tokens(Ring::made(1, i64::try_from(NOW).unwrap() - 60));
        let mut grant = grant(vec!["customer".into()]);
        assert!(tokens.issue(&grant).is_ok());
        grant.issued_at = NOW + 1;
        assert!(matches!(tokens.issue(&grant), Err(IssueError::StaleKeys)));
        tokens.take_over(ring(1));
        assert!(tokens.issue(&grant).is_ok());
    }

    #[test]
    fn nobody_is_let_in_by_keys_that_were_read_too_long_ago_but_by_secrets() {
        let let_in = |tokens: Tokens| {
            let token = tokens.issue(&grant(vec!["customer".into()])).unwrap();
            assert!(subject(&tokens, &token, NOW).is_ok());
            tokens.held.write().unwrap().since -= Duration::from_secs(61);
            subject(&tokens, &token, NOW)
        };
        assert_eq!(let_in(tokens(ring(1))), Err(Rejection::KeysUnavailable));
        assert!(let_in(secrets(&[("old", OLD)])).is_ok());
    }

    const OLD: &str = "b2xkIHNlY3JldCBvZiBhIHRlc3QgMDEyMzQ1Njc4OTA";
    const NEW: &str = "bmV3IHNlY3JldCBvZiBhIHRlc3QgMDEyMzQ1Njc4OTA";

    fn secrets(secrets: &[(&str, &str)]) -> Tokens {
        let named = |(kid, secret): &(&str, &str)| NamedSecret {
            kid: (*kid).to_owned(),
            secret: SecretString::from(*secret),
        };
        let named: Vec<_> = secrets.iter().map(named).collect();
        tokens(Ring::of_secrets(&named).unwrap())
    }

    #[test]
    fn of_several_secrets_the_first_signs_and_all_verify_and_none_is_published() {
        let old = secrets(&[("old", OLD)]).issue(&grant(vec!["customer".into()])).unwrap();
        let both = secrets(&[("new", NEW), ("old", OLD)]);
        assert!(subject(&both, &old, NOW).is_ok());
        let new = both.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&secrets(&[("old", OLD)]), &new, NOW), Err(Rejection::SignatureInvalid));
        assert!(subject(&secrets(&[("new", NEW)]), &new, NOW).is_ok());
        assert!(both.ring().jwk_set().is_none());
        let metadata = String::from_utf8(both.metadata().body().to_vec()).unwrap();
        assert!(!metadata.contains("jwks_uri"), "{metadata}");
        let header = bearward_core::base64url::decode(new.split('.').next().unwrap().as_bytes()).unwrap();
        let header = String::from_utf8(header).unwrap();
        assert!(header.contains(r#""alg":"HS256""#) && header.contains(r#""kid":"new""#), "{header}");
    }

    #[test]
    fn a_token_under_a_secret_is_what_a_policy_with_that_secret_accepts() {
        let policy = |secret: &'static str| {
            let document = serde_json::json!({
                "version": 1,
                "issuers": { "bearward": {
                    "iss": "http://issuer.bearward.local", "audiences": ["restaurant"],
                    "algorithms": ["HS256"], "token_types": ["at+jwt"], "keys": { "secrets_env": ["ISSUER_SECRET"] },
                } },
                "policies": [{
                    "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["bearward"],
                    "rules": [{ "name": "all", "paths": ["/**"], "require": { "any_role": ["customer"] } }],
                }],
            });
            let text = document.to_string();
            Policy::parse(text.as_bytes(), &|_| Some(secret.as_bytes().to_vec())).unwrap()
        };
        let token = secrets(&[("new", NEW)]).issue(&grant(vec!["customer".into()])).unwrap();
        let authorization = format!("Bearer {token}");
        let decide = |secret| {
            let headers: Vec<(&[u8], &[u8])> = vec![
                (b":method", b"GET"),
                (b":path", b"/orders"),
                (b":authority", b"api.test"),
                (b"authorization", authorization.as_bytes()),
            ];
            let policy = policy(secret);
            policy.decide(&Request::new(headers), &KeyRing::of(&policy), NOW, &NoSignatureHost).rejection()
        };
        assert_eq!(decide(NEW), None);
        assert_eq!(decide(OLD), Some(Rejection::SignatureInvalid));
    }

    #[test]
    fn a_token_that_every_verifier_would_refuse_is_not_made() {
        let roles = (0..64).map(|n| format!("{n:0128}")).collect();
        assert!(matches!(tokens(ring(1)).issue(&grant(roles)), Err(IssueError::TooLarge(_))));
    }
}
