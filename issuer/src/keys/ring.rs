//! The keys as a process holds them: what signs, what verifies, what is published.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use bearward_core::algorithm::{AlgorithmName, EdDsa};
use bearward_core::keys::KeySet;
use bearward_protocol::claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims};
use bearward_protocol::jwk::JwkSet;
use jwt_compact::{AlgorithmExt, Claims, Header};

use super::KeysError;
use super::ed25519::{DamagedKey, SignerKey};
use super::life::{self, MAX_STALE_SECONDS, Times};
use super::seal::KeyEncryption;
use crate::store::{PrivateForm, StoredKey, StoredKeys};

/// The keys as they were read last. Replaced as a whole.
pub(crate) struct Ring {
    /// In the order in which they sign, as `times`.
    signers: Vec<Arc<SignerKey>>,
    times: Vec<Times>,
    verifying: KeySet,
    jwk_set: Bytes,
    /// The database's time at which they were read.
    read_at: i64,
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
        held: Option<&Self>,
    ) -> Result<Self, KeysError> {
        let open = |stored: &StoredKey| match held.and_then(|held| held.holding(stored)) {
            Some(signer) => Ok(Arc::clone(signer)),
            None => opened(stored, encryption).map(Arc::new),
        };
        let signers = found.keys.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        // The one that signs last stands first: the same bytes from every replica.
        let jwk_set = JwkSet { keys: signers.iter().rev().map(|signer| signer.jwk()).collect() };
        let damaged = || DamagedKey::all();
        let jwk_set = serde_json::to_vec(&jwk_set).map_err(|_| damaged())?;
        // Read by the verifier's own code: what we publish is what every filter accepts.
        let verifying = KeySet::parse(&jwk_set, &[AlgorithmName::EdDsa]).map_err(|_| damaged())?;
        let (times, read_at) = (super::times(found), found.now);
        Ok(Self { signers, times, verifying, jwk_set: Bytes::from(jwk_set), read_at })
    }

    /// Whether this key is held.
    pub(super) fn has(&self, stored: &StoredKey) -> bool {
        self.holding(stored).is_some()
    }

    fn holding(&self, stored: &StoredKey) -> Option<&Arc<SignerKey>> {
        self.signers.iter().find(|signer| signer.is(stored))
    }

    /// The keys that verify.
    pub(crate) fn verifying(&self) -> &KeySet {
        &self.verifying
    }

    /// The published JWK Set (RFC 7517), serialized.
    pub(crate) fn jwk_set(&self) -> Bytes {
        self.jwk_set.clone()
    }

    /// Signs with the key of the moment at which the token is issued: of the database's clock, so that all replicas
    /// change their key at once, however late each of them has read it.
    ///
    /// # Errors
    /// [`SignError`]
    pub(crate) fn sign(&self, claims: AccessTokenClaims) -> Result<String, SignError> {
        let issued_at = i64::try_from(claims.iat).unwrap_or(i64::MAX);
        if issued_at - self.read_at > i64::from(MAX_STALE_SECONDS) {
            return Err(SignError::Stale);
        }
        let signer = life::signer(&self.times, issued_at).and_then(|index| self.signers.get(index));
        let signer = signer.ok_or(SignError::Stale)?;
        let header = Header::empty().with_token_type(ACCESS_TOKEN_TYPE).with_key_id(signer.kid());
        EdDsa.token(&header, &Claims::new(claims), signer.signing_key()).map_err(|_| SignError::Serialization)
    }
}

fn opened(stored: &StoredKey, encryption: &KeyEncryption) -> Result<SignerKey, KeysError> {
    let parse = |seed: &_| SignerKey::parse(&stored.kid, &stored.public_key, seed);
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
        Self::read(&StoredKeys { now, keys }, &KeyEncryption::default(), None).unwrap()
    }

    /// Without the keys from this position on.
    pub(crate) fn until(&self, end: usize) -> Self {
        let signers = self.signers[..end].to_vec();
        let set = JwkSet { keys: signers.iter().map(|signer| signer.jwk()).collect() };
        let jwk_set = Bytes::from(serde_json::to_vec(&set).unwrap());
        let verifying = KeySet::parse(&jwk_set, &[AlgorithmName::EdDsa]).unwrap();
        Self { signers, times: self.times[..end].to_vec(), verifying, jwk_set, read_at: self.read_at }
    }

    /// The names of the keys, in the order in which they sign.
    pub(crate) fn kids(&self) -> Vec<&str> {
        self.signers.iter().map(|signer| signer.kid()).collect()
    }
}

/// No key is shown, not even how many there are.
impl fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ring").field("read_at", &self.read_at).finish_non_exhaustive()
    }
}
