//! The trail of authentication events.

use sqlx::PgExecutor;

use super::{Store, StoreError};
use crate::audit::Event;

impl Store {
    /// Writes down an event that changed nothing, as refusals do.
    pub(crate) async fn audit(&self, event: &Event<'_>) -> Result<(), StoreError> {
        Ok(insert(&self.pool, event).await?)
    }
}

/// Writes down an event within the transaction of what it did: there is none without the other.
pub(super) async fn insert(executor: impl PgExecutor<'_>, event: &Event<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_events
           (event, outcome, cause, actor, actor_id, user_id, session_id, address, user_agent, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        event.kind.as_str(),
        event.outcome.as_str(),
        event.cause,
        event.actor.as_str(),
        event.actor.id(),
        event.user_id,
        event.session_id,
        event.client.address,
        event.client.user_agent,
        event.client.request_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}
