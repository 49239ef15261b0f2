//! Keys that never leave the issuer, one for each purpose.

use super::{Store, StoreError};
use crate::refresh::{KEY_BYTES, SuccessorKey};

/// The purpose under which the key of successors is kept.
const SUCCESSORS: &str = "refresh-successors";

impl Store {
    /// The key from which the successors of refresh tokens are derived; `candidate` becomes it if there is none.
    ///
    /// The primary key makes replicas that start together agree. Written only where none was found: the role that
    /// serves may be one that may not.
    pub(crate) async fn successor_key(&self, candidate: &SuccessorKey) -> Result<SuccessorKey, StoreError> {
        if let Some(key) = self.server_key().await? {
            return Ok(key);
        }
        sqlx::query!(
            "INSERT INTO server_keys (purpose, key) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING",
            SUCCESSORS,
            candidate.expose(),
        )
        .execute(&self.pool)
        .await?;
        Ok(self.server_key().await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    async fn server_key(&self) -> Result<Option<SuccessorKey>, sqlx::Error> {
        let key = sqlx::query_scalar!("SELECT key FROM server_keys WHERE purpose = $1", SUCCESSORS)
            .fetch_optional(&self.pool)
            .await?;
        let parse = |key: Vec<u8>| {
            <[u8; KEY_BYTES]>::try_from(key)
                .map_err(|_| sqlx::Error::Decode("a key of another length".into()))
        };
        Ok(key.map(parse).transpose()?.map(SuccessorKey::stored))
    }
}
