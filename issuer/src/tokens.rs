//! Access tokens: made here, published here, and verified by the filter's own code.

mod key;

use std::fmt;

use axum::body::Bytes;
use bearward_core::algorithm::{AlgorithmName, EdDsa};
use bearward_core::issuer::Issuer;
use bearward_core::keys::KeySet;
use bearward_core::{Rejection, credentials, verify};
use bearward_protocol::bounds::MAX_TOKEN_BYTES;
use bearward_protocol::claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims};
use bearward_protocol::jwk::JwkSet;
use jwt_compact::{AlgorithmExt, Claims, Header};
use uuid::Uuid;

use crate::random;
use crate::settings::TokenSettings;
use crate::store::{Grant, StoredKey, TokenIdentity};

use key::SignerKey;
pub(crate) use key::{DamagedKey, new_key};

/// Makes and verifies the tokens of this issuer.
pub(crate) struct Tokens {
    settings: TokenSettings,
    signer: SignerKey,
    /// This issuer as a verifier sees him.
    issuer: Issuer,
    keys: KeySet,
    jwk_set: Bytes,
}

/// Why no token was made. Never reaches a client.
#[derive(Debug)]
pub(crate) enum IssueError {
    /// No random numbers.
    Random(getrandom::Error),
    /// Header or claims could not be serialized.
    Serialization,
    /// Too many roles: every verifier would refuse the token.
    TooLarge(usize),
}

impl Tokens {
    /// `keys`: those in use, the one that signs first.
    ///
    /// # Errors
    /// [`DamagedKey`]: the database holds something else than what was written into it.
    pub(crate) fn new(settings: TokenSettings, keys: &[StoredKey]) -> Result<Self, DamagedKey> {
        let parsed = keys.iter().map(SignerKey::parse).collect::<Result<Vec<_>, _>>()?;
        let jwk_set = JwkSet { keys: parsed.iter().map(SignerKey::jwk).collect() };
        let jwk_set = serde_json::to_vec(&jwk_set).map_err(|_| DamagedKey::none())?;
        // Read by the verifier's own code: what we publish is what every filter accepts, or we do not start.
        let keys = KeySet::parse(&jwk_set, &[AlgorithmName::EdDsa]).map_err(|_| DamagedKey::none())?;
        let signer = parsed.into_iter().next().ok_or_else(DamagedKey::none)?;
        let issuer = Issuer::rfc9068(&settings.iss, &settings.audiences);
        Ok(Self { settings, signer, issuer, keys, jwk_set: Bytes::from(jwk_set) })
    }

    /// The life of an access token, in seconds.
    pub(crate) fn life_seconds(&self) -> u32 {
        self.settings.access_token_seconds
    }

    /// The published JWK Set (RFC 7517), serialized.
    pub(crate) fn jwk_set(&self) -> Bytes {
        self.jwk_set.clone()
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
        let header = Header::empty().with_token_type(ACCESS_TOKEN_TYPE).with_key_id(self.signer.kid());
        let token = EdDsa
            .token(&header, &Claims::new(claims), self.signer.signing_key())
            .map_err(|_| IssueError::Serialization)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IssueError::TooLarge(token.len()));
        }
        Ok(token)
    }

    /// Who the Bearer token in the values of the `Authorization` headers says that it is, at the time `now`.
    ///
    /// # Errors
    /// As the filter would refuse it.
    pub(crate) fn identity<'a>(
        &self,
        authorization: impl Iterator<Item = &'a [u8]>,
        now: u64,
    ) -> Result<TokenIdentity, Rejection> {
        let token = credentials::bearer(authorization)?;
        let claims = verify::verify(token, &self.issuer, &self.keys, now)?;
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

impl fmt::Display for IssueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(error) => write!(formatter, "no random numbers: {error}"),
            Self::Serialization => formatter.write_str("the token could not be serialized"),
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
    use crate::store::Profile;

    const NOW: u64 = 1_800_000_000;

    fn tokens(keys: &[StoredKey]) -> Tokens {
        let settings = TokenSettings {
            iss: "http://issuer.bearward.local".to_owned(),
            audiences: vec!["restaurant".to_owned(), "kitchen".to_owned()],
            access_token_seconds: 900,
        };
        Tokens::new(settings, keys).unwrap()
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
        }
    }

    fn subject(tokens: &Tokens, token: &str, now: u64) -> Result<Uuid, Rejection> {
        let identity = tokens.identity([format!("Bearer {token}").as_bytes()].into_iter(), now)?;
        assert_eq!((identity.session_id, identity.user_version, identity.epoch), (Uuid::from_u128(2), 3, 4));
        Ok(identity.user_id)
    }

    #[test]
    fn a_token_is_what_the_filter_accepts_and_says_what_was_granted() {
        let tokens = tokens(&[new_key().unwrap()]);
        let token = tokens.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&tokens, &token, NOW), Ok(Uuid::from_u128(1)));
        let issuer = Issuer::rfc9068("http://issuer.bearward.local", &["kitchen".to_owned()]);
        let keys = KeySet::parse(&tokens.jwk_set(), &[AlgorithmName::EdDsa]).unwrap();
        let claims = verify::verify(token.as_bytes(), &issuer, &keys, NOW).unwrap();
        assert_eq!(claims.roles(), ["customer"]);
        let claims: AccessTokenClaims = serde_json::from_value(claims.payload().clone().into()).unwrap();
        assert_eq!((claims.iat, claims.exp, claims.user_version, claims.epoch), (NOW, NOW + 900, 3, 4));
        assert_eq!(claims.sid, Uuid::from_u128(2).to_string());
        assert_eq!(claims.jti.len(), 32);
    }

    #[test]
    fn a_token_holds_nothing_personal_and_no_two_are_alike() {
        let tokens = tokens(&[new_key().unwrap()]);
        let grant = grant(vec!["customer".into()]);
        let token = tokens.issue(&grant).unwrap();
        let payload = bearward_core::base64url::decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let payload = String::from_utf8(payload).unwrap();
        assert!(!payload.contains("priya") && !payload.contains("Priya"), "{payload}");
        assert_ne!(token, tokens.issue(&grant).unwrap());
    }

    #[test]
    fn an_expired_token_and_one_of_another_key_are_refused() {
        let tokens_one = tokens(&[new_key().unwrap()]);
        let token = tokens_one.issue(&grant(vec!["customer".into()])).unwrap();
        assert_eq!(subject(&tokens_one, &token, NOW + 900 + 31), Err(Rejection::TokenExpired));
        assert_eq!(subject(&tokens(&[new_key().unwrap()]), &token, NOW), Err(Rejection::KeyUnknown));
        assert_eq!(tokens_one.identity(std::iter::empty(), NOW), Err(Rejection::TokenMissing));
    }

    #[test]
    fn the_first_key_signs_and_all_are_published() {
        let keys = [new_key().unwrap(), new_key().unwrap()];
        let old = tokens(&keys[1..]).issue(&grant(vec!["customer".into()])).unwrap();
        let both = tokens(&keys);
        assert!(subject(&both, &old, NOW).is_ok());
        let new = both.issue(&grant(vec!["customer".into()])).unwrap();
        assert!(subject(&tokens(&keys[..1]), &new, NOW).is_ok());
    }

    #[test]
    fn a_token_that_every_verifier_would_refuse_is_not_made() {
        let roles = (0..64).map(|n| format!("{n:0128}")).collect();
        assert!(matches!(tokens(&[new_key().unwrap()]).issue(&grant(roles)), Err(IssueError::TooLarge(_))));
    }
}
