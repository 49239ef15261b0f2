//! Keys that never leave the issuer, one for each purpose.

use super::{Store, StoreError};
use crate::refresh::SuccessorKey;

/// The purpose under which the key of successors is kept.
const SUCCESSORS: &str = "refresh-successors";
/// The purpose under which the key is kept that counters of attempts are named by.
const THROTTLE: &str = "throttle";

/// The length of every key, in bytes.
const KEY_BYTES: usize = 32;

impl Store {
    /// The key from which the successors of refresh tokens are derived; `candidate` becomes it if there is none.
    pub(crate) async fn successor_key(&self, candidate: &SuccessorKey) -> Result<SuccessorKey, StoreError> {
        Ok(SuccessorKey::stored(self.server_key(SUCCESSORS, candidate.expose()).await?))
    }

    /// The key that names the counters of attempts; `candidate` becomes it if there is none.
    pub(crate) async fn throttle_key(
        &self,
        candidate: &[u8; KEY_BYTES],
    ) -> Result<[u8; KEY_BYTES], StoreError> {
        self.server_key(THROTTLE, candidate).await
    }

    /// The primary key makes replicas that start together agree. Written only where none was found: the role that
    /// serves may be one that may not.
    async fn server_key(&self, purpose: &str, candidate: &[u8]) -> Result<[u8; KEY_BYTES], StoreError> {
        if let Some(key) = self.stored_key(purpose).await? {
            return Ok(key);
        }
        sqlx::query!(
            "INSERT INTO server_keys (purpose, key) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING",
            purpose,
            candidate,
        )
        .execute(&self.pool)
        .await?;
        Ok(self.stored_key(purpose).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    async fn stored_key(&self, purpose: &str) -> Result<Option<[u8; KEY_BYTES]>, sqlx::Error> {
        let key = sqlx::query_scalar!("SELECT key FROM server_keys WHERE purpose = $1", purpose)
            .fetch_optional(&self.pool)
            .await?;
        let parse = |key: Vec<u8>| {
            <[u8; KEY_BYTES]>::try_from(key)
                .map_err(|_| sqlx::Error::Decode("a key of another length".into()))
        };
        key.map(parse).transpose()
    }
}
