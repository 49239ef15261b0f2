//! What is signed with what: tokens with keys or secrets, the feed with keys of its own.

use super::{DatabaseSettings, MAX_AGE_SECONDS, Reader, TOKEN_SECONDS, secret_files, table, values};
use crate::feed::credentials::Credentials;
use crate::keys::Purpose;
use crate::keys::life::Rhythm;
use crate::keys::ring::NamedSecret;
use crate::keys::seal::KeyEncryption;
use crate::store::ANSWER_SECONDS;

/// What tokens are signed with.
#[derive(Debug)]
pub(crate) enum SigningSettings {
    /// With keys in the database.
    EdDsa(KeySettings),
    /// With secrets, which verifiers have, too. Never empty. The feed is signed with keys all the same.
    Hs256(Vec<NamedSecret>, KeySettings),
}

/// Who may read the feed of revocations.
pub(crate) struct FeedSettings {
    pub(crate) credentials: Credentials,
    /// How many may wait for it.
    pub(crate) polls: u32,
}

/// How keys in the database lie there, and change.
#[derive(Debug)]
pub(crate) struct KeySettings {
    pub(crate) encryption: KeyEncryption,
    pub(crate) rhythm: Rhythm,
}

/// What `keys` works with.
pub(crate) struct KeysCommandSettings {
    pub(crate) database: DatabaseSettings,
    pub(crate) signing: SigningSettings,
}

impl SigningSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secrets = reader.optional(&table::HS256_SECRET_FILES, secret_files::named_secrets);
        let keys = KeySettings::read(reader);
        let (secrets, keys) = (secrets?, keys?);
        // With the feed there are keys to encrypt all the same.
        let has_feed = reader.is_set(&table::FEED_CREDENTIAL_FILES);
        if secrets.is_some() && keys.encryption.len() > 0 && !has_feed {
            let other = table::KEY_ENCRYPTION_KEY_FILES.name;
            let text =
                format!("is set together with {other}, which encrypts no secrets; set only one of them");
            reader.problem(table::HS256_SECRET_FILES.name, text);
        }
        Some(match secrets {
            Some(secrets) => Self::Hs256(secrets, keys),
            None => Self::EdDsa(keys),
        })
    }

    /// How the keys of the feed lie in the database, and change: as those of tokens, and what they sign lives as long as
    /// it may be taken.
    pub(crate) fn feed_keys(&self) -> KeySettings {
        let (Self::EdDsa(keys) | Self::Hs256(_, keys)) = self;
        KeySettings {
            encryption: keys.encryption.of(Purpose::Feed),
            rhythm: Rhythm { token_seconds: ANSWER_SECONDS, ..keys.rhythm },
        }
    }
}

impl FeedSettings {
    /// `Some(None)`: it is off.
    #[expect(clippy::option_option, reason = "as `Reader::optional`")]
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Option<Self>> {
        let credentials = reader.optional(&table::FEED_CREDENTIAL_FILES, secret_files::feed_credentials);
        let polls = reader.number(&table::FEED_POLLS, 1..=100_000);
        let (credentials, polls) = (credentials?, polls?);
        Some(credentials.map(|secrets| Self { credentials: Credentials::new(&secrets), polls }))
    }
}

impl KeySettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let encryption = reader.optional(&table::KEY_ENCRYPTION_KEY_FILES, secret_files::key_encryption_keys);
        let required = reader.value(&table::KEY_ENCRYPTION, values::is_required);
        let max_age_seconds = reader.number(&table::JWK_SET_MAX_AGE_SECONDS, MAX_AGE_SECONDS);
        let rotation_days = reader.number(&table::KEY_ROTATION_DAYS, 0..=3_650);
        let token_seconds = reader.number(&table::ACCESS_TOKEN_SECONDS, TOKEN_SECONDS);
        let encryption = encryption?;
        let has_keys =
            !reader.is_set(&table::HS256_SECRET_FILES) || reader.is_set(&table::FEED_CREDENTIAL_FILES);
        if required? && encryption.is_none() && has_keys {
            let (required, files) = (table::KEY_ENCRYPTION, table::KEY_ENCRYPTION_KEY_FILES);
            reader.problem(required.name, format!("is `required`, and {} names no file", files.name));
        }
        let rotation_days = rotation_days?;
        Some(Self {
            encryption: KeyEncryption::new(&encryption.unwrap_or_default()),
            rhythm: Rhythm {
                max_age_seconds: max_age_seconds?,
                rotate_after_seconds: (rotation_days > 0).then_some(rotation_days * 86_400),
                token_seconds: token_seconds?,
            },
        })
    }
}

impl KeysCommandSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, signing) = (DatabaseSettings::read(reader), SigningSettings::read(reader));
        Some(Self { database: database?, signing: signing? })
    }
}
