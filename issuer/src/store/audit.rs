//! The trail of authentication events: whatever writes a row logs its line, once the row is there.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::audit::Event;

impl Store {
    /// Writes down an event that changed nothing, as refusals do.
    pub(crate) async fn audit(&self, event: &Event<'_>) -> Result<(), StoreError> {
        insert(&self.pool, event).await?;
        self.tell(event);
        Ok(())
    }
}

/// Writes down an event within the transaction of what it did: there is none without the other. Its line is left to
/// whoever commits.
pub(super) async fn insert(executor: impl PgExecutor<'_>, event: &Event<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_events
           (event, outcome, cause, actor, actor_id, user_id, session_id, address, user_agent, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        event.kind.as_str(),
        event.outcome.as_str(),
        event.cause,
        event.by.actor.as_str(),
        event.by.actor.id(),
        event.user_id,
        event.session_id,
        event.by.client.address,
        event.by.client.user_agent,
        event.by.client.request_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// The same once for each of these sessions.
pub(super) async fn insert_for_each(
    executor: impl PgExecutor<'_>,
    event: &Event<'_>,
    sessions: &[Uuid],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_events
           (event, outcome, cause, actor, actor_id, user_id, session_id, address, user_agent, request_id)
         SELECT $1, $2, $3, $4, $5, $6, session_id, $8, $9, $10 FROM unnest($7::uuid[]) AS session_id",
        event.kind.as_str(),
        event.outcome.as_str(),
        event.cause,
        event.by.actor.as_str(),
        event.by.actor.id(),
        event.user_id,
        sessions,
        event.by.client.address,
        event.by.client.user_agent,
        event.by.client.request_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}
