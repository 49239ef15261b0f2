//! The keys that sign tokens, and those that sign the feed of revocations: encrypted at rest, rotated by one replica at a
//! time, taken over by all. Two sets, for one purpose each, that go the same way.
//!
//! In reading order: [`life`] what becomes of a key and when; [`ed25519`] one key; [`seal`] how it is stored;
//! [`ring`] what a process holds of them; here, how it gets and changes them.

mod ed25519;
pub(crate) mod life;
pub(crate) mod ring;
pub(crate) mod seal;
#[cfg(test)]
mod tests;

use std::fmt;

use bearward_protocol::bounds::MAX_KEY_ID_BYTES;
use secrecy::ExposeSecret;

pub(crate) use ed25519::DamagedKey;
use ed25519::new_key;
use life::{Due, NotNow, Rhythm, Times};
pub(crate) use ring::Ring;
use seal::KeyEncryption;

use crate::audit::{Actor, By, Event, Kind};
use crate::settings::table;
use crate::store::{
    AdministrationError, Change, Clock, PrivateForm, Refused, Store, StoreError, StoredKey, StoredKeys,
};

/// What a set of keys signs. Neither set verifies what is the other's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    #[default]
    Tokens,
    /// The feed of revocations.
    Feed,
}

impl Purpose {
    /// Where its keys lie.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Tokens => "signing_keys",
            Self::Feed => "feed_keys",
        }
    }
}

/// The name of a key, whoever's it is (RFC 7515 section 4.1.4).
///
/// # Errors
/// What it must be.
pub(crate) fn parse_kid(text: &str) -> Result<String, String> {
    let is_fine = (1..=MAX_KEY_ID_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    let wrong = || format!("must be a kid of 1 to {MAX_KEY_ID_BYTES} bytes, without control characters");
    is_fine.then(|| text.to_owned()).ok_or_else(wrong)
}

/// Gets and changes the keys of this issuer for one purpose: that of the encryption.
pub(crate) struct Keeper {
    store: Store,
    encryption: KeyEncryption,
    rhythm: Rhythm,
    clock: Clock,
}

/// Why there are no keys to work with. For an operator; holds no secret.
#[derive(Debug)]
pub(crate) enum KeysError {
    /// The database, or a right in it.
    Store(StoreError),
    /// The operating system has no random numbers.
    Random(getrandom::Error),
    /// A stored key is encrypted, and none of so many key-encryption keys opens it.
    Unopened { kid: String, keys: usize },
    /// A stored key is not what was written there.
    Damaged(DamagedKey),
    /// No successor is published now.
    NotNow(String),
    /// Who asks may not.
    Refused(Refused),
}

/// A successor that was published.
#[derive(Debug)]
pub(crate) struct Successor {
    pub(crate) kid: String,
    /// How long it is published before it signs.
    pub(crate) signs_in_seconds: i64,
}

impl Keeper {
    pub(crate) fn new(store: Store, encryption: KeyEncryption, rhythm: Rhythm) -> Self {
        Self { store, encryption, rhythm, clock: Clock::Database }
    }

    /// Does what is due, and reads the keys. `held`: what this process has of them already, which is not decrypted anew.
    ///
    /// # Errors
    /// [`KeysError`], also where something is due that could not be done and no key is at hand without it.
    pub(crate) async fn load(&self, held: Option<&Ring>) -> Result<Ring, KeysError> {
        let found = self.store.signing_keys(self.purpose(), self.clock).await?;
        if self.changes(&found, held)?.is_empty() {
            return self.ring(&found, held);
        }
        let changed = self.store.change_signing_keys(self.purpose(), self.clock, Actor::Issuer, |found| {
            let changes = self.changes(found, held)?;
            // The first key follows none.
            let rotates = !found.keys.is_empty() && changes.iter().any(is_publishing);
            let event = rotates.then(|| By::issuer().did(self.rotation()).because("age"));
            Ok::<_, KeysError>((changes, event))
        });
        match changed.await {
            Ok((changed, done)) => {
                done.iter().for_each(|change| tell(self.purpose(), change));
                self.ring(&changed, held)
            }
            // The role may lack the right, or another replica holds the lock: it is due again in a moment.
            Err(KeysError::Store(error)) if !found.keys.is_empty() => {
                let table = self.purpose().table();
                tracing::warn!(table, cause = %error, "what is due for the signing keys could not be done");
                self.ring(&found, held)
            }
            Err(error) => Err(error),
        }
    }

    /// Publishes a successor of the key that signs.
    ///
    /// # Errors
    /// [`KeysError`]
    pub(crate) async fn rotate(&self, event: &Event<'_>) -> Result<Successor, KeysError> {
        let mut successor = None;
        let change = self.store.change_signing_keys(self.purpose(), self.clock, event.by.actor, |found| {
            let mut changes = self.changes(found, None)?;
            if !changes.iter().any(is_publishing) {
                let signs_from = life::successor(&times(found), found.now, &self.rhythm);
                let signs_from = signs_from.map_err(|why| self.not_now(why, found))?;
                changes.push(Change::Publish(self.new_key(signs_from)?));
            }
            successor = changes.iter().find_map(|change| match change {
                Change::Publish(key) => {
                    Some(Successor { kid: key.kid.clone(), signs_in_seconds: key.signs_from - found.now })
                }
                _ => None,
            });
            Ok::<_, KeysError>((changes, Some(*event)))
        });
        let change = change.await;
        if let Err(KeysError::Refused(refused)) = &change {
            self.store.audit_refused(event, *refused).await?;
        }
        let (_, done) = change?;
        done.iter().for_each(|change| tell(self.purpose(), change));
        successor.ok_or_else(|| KeysError::NotNow("nothing was published".to_owned()))
    }

    /// Ends a key before its time, and whatever it signed. Where it signed, the next one does at once, or a new one: a verifier
    /// that meets its tokens before it has the key asks for the set. Who cannot open the keys, as a command that was not given
    /// the file, leaves the new one to the replicas, which find none in a moment: his would lie in the clear, or
    /// opened by nobody.
    ///
    /// # Errors
    /// [`KeysError`]
    pub(crate) async fn revoke(&self, kid: &str, by: By<'_>) -> Result<(), KeysError> {
        let event = by.did(Kind::Revocation).because("key");
        let change = self.store.change_signing_keys(self.purpose(), self.clock, by.actor, |found| {
            let mut changes = vec![Change::Revoke { kid: kid.to_owned() }];
            let is_last = found.keys.iter().all(|key| key.kid == kid);
            if is_last && found.keys.iter().all(|key| self.opens(key)) {
                changes.push(Change::Publish(self.new_key(found.now)?));
            }
            Ok::<_, KeysError>((changes, Some(event)))
        });
        let change = change.await;
        if let Err(KeysError::Refused(refused)) = &change {
            self.store.audit_refused(&event, *refused).await?;
        }
        change?.1.iter().for_each(|change| tell(self.purpose(), change));
        Ok(())
    }

    pub(crate) fn purpose(&self) -> Purpose {
        self.encryption.purpose()
    }

    /// What it is called when a successor is published.
    pub(crate) fn rotation(&self) -> Kind {
        match self.purpose() {
            Purpose::Tokens => Kind::KeyRotate,
            Purpose::Feed => Kind::FeedKeyRotate,
        }
    }

    /// All changes that are due: what [`life::due`] says, and encryption under the first key.
    fn changes(&self, found: &StoredKeys, held: Option<&Ring>) -> Result<Vec<Change>, KeysError> {
        let mut changes = Vec::new();
        for stored in &found.keys {
            if let Some(sealed) = self.sealed_anew(stored, held)? {
                changes.push(Change::Seal { kid: stored.kid.clone(), sealed });
            }
        }
        let kid = |index: usize| found.keys.get(index).map(|key| key.kid.clone());
        for due in life::due(&times(found), found.now, &self.rhythm) {
            changes.extend(match due {
                Due::First => Some(Change::Publish(self.new_key(found.now)?)),
                Due::Successor { signs_from } => Some(Change::Publish(self.new_key(signs_from)?)),
                Due::Lengthen(index) => {
                    kid(index).map(|kid| Change::Lengthen { kid, seconds: self.rhythm.token_seconds })
                }
                Due::Retire(index) => kid(index).map(|kid| Change::Retire { kid }),
            });
        }
        Ok(changes)
    }

    /// The stored key under the first key-encryption key, where it is not.
    fn sealed_anew(&self, stored: &StoredKey, held: Option<&Ring>) -> Result<Option<Vec<u8>>, KeysError> {
        match &stored.private {
            PrivateForm::Clear(seed) => Ok(self.encryption.seal(&stored.kid, seed.expose_secret())?),
            // Looked at when it was read first.
            PrivateForm::Sealed(_) if held.is_some_and(|held| held.has(stored)) => Ok(None),
            PrivateForm::Sealed(sealed) => {
                let opened =
                    self.encryption.open(&stored.kid, sealed).ok_or_else(|| self.unopened(stored))?;
                match opened.by {
                    0 => Ok(None),
                    _ => Ok(self.encryption.seal(&stored.kid, opened.seed.expose_secret())?),
                }
            }
        }
    }

    fn opens(&self, stored: &StoredKey) -> bool {
        match &stored.private {
            PrivateForm::Clear(_) => true,
            PrivateForm::Sealed(sealed) => self.encryption.open(&stored.kid, sealed).is_some(),
        }
    }

    fn ring(&self, found: &StoredKeys, held: Option<&Ring>) -> Result<Ring, KeysError> {
        Ring::read(found, &self.encryption, self.rhythm.max_age_seconds, held)
    }

    fn new_key(&self, signs_from: i64) -> Result<StoredKey, KeysError> {
        Ok(new_key(&self.encryption, signs_from, self.rhythm.token_seconds)?)
    }

    fn unopened(&self, stored: &StoredKey) -> KeysError {
        KeysError::Unopened { kid: stored.kid.clone(), keys: self.encryption.len() }
    }

    fn not_now(&self, why: NotNow, found: &StoredKeys) -> KeysError {
        KeysError::NotNow(match why {
            NotNow::Published { index } => {
                let key = found.keys.get(index);
                let kid = key.map_or("", |key| key.kid.as_str());
                let seconds = key.map_or(0, |key| key.signs_from - found.now);
                format!(
                    "the key {kid} is published already and signs in {seconds} s: rotate again after that"
                )
            }
            NotNow::TooMany => format!(
                "{} keys are published, which is the most: wait until the tokens of the oldest have expired",
                found.keys.len()
            ),
        })
    }
}

fn times(found: &StoredKeys) -> Vec<Times> {
    let times = |key: &StoredKey| Times {
        signs_from: key.signs_from,
        longest_token_seconds: key.longest_token_seconds,
    };
    found.keys.iter().map(times).collect()
}

fn is_publishing(change: &Change) -> bool {
    matches!(change, Change::Publish(_))
}

/// Told once it is there for everybody.
fn tell(purpose: Purpose, change: &Change) {
    let table = purpose.table();
    match change {
        Change::Publish(StoredKey { kid, signs_from, .. }) => {
            tracing::info!(table, kid, signs_from, "a signing key is published");
        }
        Change::Seal { kid, .. } => tracing::info!(table, kid, "a signing key is encrypted anew"),
        Change::Lengthen { kid, seconds } => {
            tracing::debug!(kid, seconds, "tokens of a signing key may live longer");
        }
        Change::Revoke { kid } => {
            tracing::warn!(table, kid, "a key is revoked: whatever it signed is refused");
        }
        Change::Retire { kid } => {
            tracing::info!(table, kid, "a signing key is retired: what it signed has expired");
        }
    }
}

impl From<StoreError> for KeysError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AdministrationError> for KeysError {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Store(error) => Self::Store(error),
            AdministrationError::Refused(refused) => Self::Refused(refused),
        }
    }
}

impl From<getrandom::Error> for KeysError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

impl From<DamagedKey> for KeysError {
    fn from(damaged: DamagedKey) -> Self {
        Self::Damaged(damaged)
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = table::KEY_ENCRYPTION_KEY_FILES.name;
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::Random(error) => write!(formatter, "no random numbers: {error}"),
            Self::Unopened { kid, keys: 0 } => write!(
                formatter,
                "the signing key {kid} in the database is encrypted, and {setting} names no file: name the one that it \
                 was encrypted with; if that is lost, docs/signing-keys.md says what to do"
            ),
            Self::Unopened { kid, keys } => write!(
                formatter,
                "the signing key {kid} in the database is opened by none of the {keys} keys that {setting} names: add \
                 the file that it was encrypted with; if that is lost, docs/signing-keys.md says what to do"
            ),
            Self::Damaged(damaged) => damaged.fmt(formatter),
            Self::NotNow(text) => formatter.write_str(text),
            Self::Refused(refused) => refused.fmt(formatter),
        }
    }
}
