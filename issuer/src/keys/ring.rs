//! The keys as a process holds them: what signs, what verifies, what is published.

use std::fmt;
use std::sync::Arc;

use bearward_core::algorithm::hmac::{Hmac, HmacSecret};
use bearward_core::algorithm::{AlgorithmName, EdDsa};
use bearward_core::keys::{KeySet, Secret};
use bearward_protocol::claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims};
use bearward_protocol::jwk::JwkSet;
use jwt_compact::{AlgorithmExt, Claims, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;

use super::KeysError;
use super::ed25519::{DamagedKey, SignerKey};
use super::life::{self, MAX_STALE_SECONDS, Times};
use super::seal::KeyEncryption;
use crate::document::Document;
use crate::store::{PrivateForm, StoredKey, StoredKeys};

/// The keys as they were read last. Replaced as a whole.
pub(crate) struct Ring {
    signing: Signing,
    verifying: KeySet,
    /// `None`: secrets verify, which nobody publishes.
    jwk_set: Option<Document>,
}

enum Signing {
    EdDsa {
        /// In the order in which they sign, as `times`.
        signers: Vec<Arc<SignerKey>>,
        times: Vec<Times>,
        /// The database's time at which they were read.
        read_at: i64,
        /// How many keys had been retired by then.
        retired: i64,
    },
    Hs256 {
        kid: String,
        secret: HmacSecret<Sha256>,
    },
}

/// A secret that signs and verifies (RFC 7518 section 3.2).
pub(crate) struct NamedSecret {
    pub(crate) kid: String,
    /// At least 32 bytes.
    pub(crate) secret: SecretString,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignError {
    /// The keys were read too long ago.
    Stale,
    /// Header or claims could not be serialized.
    Serialization,
}

impl Ring {
    /// Opens the keys that are not held already.
    ///
    /// # Errors
    /// [`KeysError::Unopened`], [`KeysError::Damaged`]
    pub(super) fn read(
        found: &StoredKeys,
        encryption: &KeyEncryption,
        max_age_seconds: u32,
        held: Option<&Self>,
    ) -> Result<Self, KeysError> {
        let open = |stored: &StoredKey| match held.and_then(|held| held.holding(stored)) {
            Some(signer) => Ok(Arc::clone(signer)),
            None => opened(stored, encryption).map(Arc::new),
        };
        let signers = found.keys.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        // The one that signs last stands first: the same bytes from every replica.
        let jwk_set = JwkSet { keys: signers.iter().rev().map(|signer| signer.jwk()).collect() };
        let damaged = || DamagedKey::all().of(encryption.purpose());
        let jwk_set = Document::json(&jwk_set, max_age_seconds).ok_or_else(damaged)?;
        // Read by the verifier's own code: what we publish is what every filter accepts.
        let verifying = KeySet::parse(jwk_set.body(), &[AlgorithmName::EdDsa]).map_err(|_| damaged())?;
        let signing = Signing::EdDsa {
            signers,
            times: super::times(found),
            read_at: found.now,
            retired: found.retired,
        };
        Ok(Self { signing, verifying, jwk_set: Some(jwk_set) })
    }

    /// The first secret signs, all verify. `None`: there is none, or one is too short.
    pub(crate) fn of_secrets(secrets: &[NamedSecret]) -> Option<Self> {
        let first = secrets.first()?;
        let secret = HmacSecret::new(first.secret.expose_secret().as_bytes()).ok()?;
        let verifying = secrets
            .iter()
            .map(|named| Secret::new(AlgorithmName::Hs256, named.secret.expose_secret().as_bytes()).ok());
        Some(Self {
            signing: Signing::Hs256 { kid: first.kid.clone(), secret },
            verifying: KeySet::from_secrets(verifying.collect::<Option<_>>()?),
            jwk_set: None,
        })
    }

    /// Whether this was read when so many keys had been retired: else one that signs here may have been revoked since. Secrets are
    /// nobody's to retire.
    pub(crate) fn knows_of(&self, retired_keys: i64) -> bool {
        match &self.signing {
            Signing::EdDsa { retired, .. } => *retired == retired_keys,
            Signing::Hs256 { .. } => true,
        }
    }

    /// Whether this key is held.
    pub(super) fn has(&self, stored: &StoredKey) -> bool {
        self.holding(stored).is_some()
    }

    fn holding(&self, stored: &StoredKey) -> Option<&Arc<SignerKey>> {
        match &self.signing {
            Signing::EdDsa { signers, .. } => signers.iter().find(|signer| signer.is(stored)),
            Signing::Hs256 { .. } => None,
        }
    }

    /// The algorithm of every key.
    pub(crate) fn algorithm(&self) -> AlgorithmName {
        match self.signing {
            Signing::EdDsa { .. } => AlgorithmName::EdDsa,
            Signing::Hs256 { .. } => AlgorithmName::Hs256,
        }
    }

    /// The keys that verify.
    pub(crate) fn verifying(&self) -> &KeySet {
        &self.verifying
    }

    /// The published JWK Set (RFC 7517); secrets have none.
    pub(crate) fn jwk_set(&self) -> Option<&Document> {
        self.jwk_set.as_ref()
    }

    /// Signs an access token, as it is at the moment at which it is issued.
    ///
    /// # Errors
    /// [`SignError`]
    pub(crate) fn sign(&self, claims: AccessTokenClaims) -> Result<String, SignError> {
        let issued_at = claims.iat;
        self.sign_as(ACCESS_TOKEN_TYPE, claims, issued_at)
    }

    /// Signs with the key of this moment, in seconds since the epoch: of the database's clock, so that all replicas change
    /// their key at once, however late each of them has read it.
    ///
    /// # Errors
    /// [`SignError`]
    pub(crate) fn sign_as(
        &self,
        token_type: &'static str,
        payload: impl Serialize,
        at: u64,
    ) -> Result<String, SignError> {
        let header = |kid: &str| Header::empty().with_token_type(token_type).with_key_id(kid);
        let (signers, times, read_at) = match &self.signing {
            Signing::EdDsa { signers, times, read_at, .. } => (signers, times, read_at),
            Signing::Hs256 { kid, secret } => {
                let token = Hmac::<Sha256>::default().token(&header(kid), &Claims::new(payload), secret);
                return token.map_err(|_| SignError::Serialization);
            }
        };
        let issued_at = i64::try_from(at).unwrap_or(i64::MAX);
        if issued_at - read_at > i64::from(MAX_STALE_SECONDS) {
            return Err(SignError::Stale);
        }
        let signer = life::signer(times, issued_at).and_then(|index| signers.get(index));
        let signer = signer.ok_or(SignError::Stale)?;
        let token = EdDsa.token(&header(signer.kid()), &Claims::new(payload), signer.signing_key());
        token.map_err(|_| SignError::Serialization)
    }
}

fn opened(stored: &StoredKey, encryption: &KeyEncryption) -> Result<SignerKey, KeysError> {
    let parse = |seed: &_| {
        let signer = SignerKey::parse(&stored.kid, &stored.public_key, seed);
        signer.map_err(|damaged| damaged.of(encryption.purpose()))
    };
    match &stored.private {
        PrivateForm::Clear(seed) => Ok(parse(seed)?),
        PrivateForm::Sealed(sealed) => {
            let opened = encryption.open(&stored.kid, sealed);
            let unopened = || KeysError::Unopened { kid: stored.kid.clone(), keys: encryption.len() };
            Ok(parse(&opened.ok_or_else(unopened)?.seed)?)
        }
    }
}

#[cfg(test)]
impl Ring {
    /// Of so many new keys that have signed since long ago, the last one now, as if they were read at `now`.
    pub(crate) fn made(keys: usize, now: i64) -> Self {
        let key = |index| super::new_key(&KeyEncryption::default(), index, 86_400).unwrap();
        let keys = (0..i64::try_from(keys).unwrap()).map(key).collect();
        Self::read(&StoredKeys { now, retired: 0, keys }, &KeyEncryption::default(), 300, None).unwrap()
    }

    /// Without the keys from this position on.
    pub(crate) fn until(&self, end: usize) -> Self {
        let Signing::EdDsa { signers, times, read_at, retired } = &self.signing else { panic!("secrets") };
        let (signers, times) = (signers[..end].to_vec(), times[..end].to_vec());
        let set = JwkSet { keys: signers.iter().map(|signer| signer.jwk()).collect() };
        let jwk_set = Document::json(&set, 300).unwrap();
        let verifying = KeySet::parse(jwk_set.body(), &[AlgorithmName::EdDsa]).unwrap();
        let signing = Signing::EdDsa { signers, times, read_at: *read_at, retired: *retired };
        Self { signing, verifying, jwk_set: Some(jwk_set) }
    }

    /// The names of the keys, in the order in which they sign.
    pub(crate) fn kids(&self) -> Vec<&str> {
        match &self.signing {
            Signing::EdDsa { signers, .. } => signers.iter().map(|signer| signer.kid()).collect(),
            Signing::Hs256 { kid, .. } => vec![kid],
        }
    }

    /// The published JWK Set as it is sent.
    pub(crate) fn published(&self) -> &[u8] {
        self.jwk_set().unwrap().body()
    }
}

/// No key is shown.
impl fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ring").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

impl fmt::Debug for NamedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NamedSecret").field("kid", &self.kid).finish_non_exhaustive()
    }
}
