//! The keys that sign tokens.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use sqlx::PgExecutor;

use super::{Store, StoreError};

/// A signing key as it is stored.
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    /// The seed of RFC 8032 section 5.1.5.
    pub(crate) private_key: SecretBox<Vec<u8>>,
    pub(crate) public_key: Vec<u8>,
}

impl Store {
    /// The keys in use, the one that signs first; `candidate` becomes the only one if there is none.
    ///
    /// The lock makes replicas that start together agree: the second one finds the key of the first. It takes more
    /// rights than reading, so it is only taken where no key was found.
    pub(crate) async fn signing_keys(&self, candidate: &StoredKey) -> Result<Vec<StoredKey>, StoreError> {
        let keys = keys_in_use(&self.pool).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("LOCK TABLE signing_keys IN EXCLUSIVE MODE").execute(&mut *transaction).await?;
        sqlx::query!(
            "INSERT INTO signing_keys (kid, algorithm, private_key, public_key)
             SELECT $1, 'EdDSA', $2, $3 WHERE NOT EXISTS (SELECT FROM signing_keys WHERE retired_at IS NULL)",
            candidate.kid,
            candidate.private_key.expose_secret(),
            candidate.public_key,
        )
        .execute(&mut *transaction)
        .await?;
        let keys = keys_in_use(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(keys)
    }
}

async fn keys_in_use(executor: impl PgExecutor<'_>) -> Result<Vec<StoredKey>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT kid, private_key, public_key FROM signing_keys WHERE retired_at IS NULL
         ORDER BY created_at DESC, kid"
    )
    .fetch_all(executor)
    .await?;
    let key = |kid, private_key, public_key| StoredKey {
        kid,
        private_key: SecretBox::new(Box::new(private_key)),
        public_key,
    };
    Ok(rows.into_iter().map(|row| key(row.kid, row.private_key, row.public_key)).collect())
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoredKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
