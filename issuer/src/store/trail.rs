//! The trail of authentication events, as administrators read it.

use uuid::Uuid;

use super::{Store, StoreError};

/// What of the trail is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrailFilter {
    /// Whom it concerns.
    pub(crate) user_id: Option<Uuid>,
    /// What was done or tried.
    pub(crate) event: Option<String>,
    /// Only what was written before this one.
    pub(crate) before: Option<i64>,
}

/// An event as it was written down.
#[derive(Clone, Debug)]
pub(crate) struct TrailRow {
    pub(crate) id: i64,
    /// In the form of RFC 3339.
    pub(crate) at: String,
    pub(crate) event: String,
    pub(crate) outcome: String,
    pub(crate) cause: Option<String>,
    pub(crate) actor: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Store {
    /// The newest events that the filter lets pass, at most so many, newest first.
    pub(crate) async fn trail(&self, filter: &TrailFilter, limit: u32) -> Result<Vec<TrailRow>, StoreError> {
        let rows = sqlx::query_as!(
            TrailRow,
            r#"SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "at!", event, outcome, cause,
                      actor, actor_id, user_id, session_id, address, user_agent, request_id
               FROM audit_events
               WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::text IS NULL OR event = $2)
                     AND ($3::bigint IS NULL OR id < $3)
               ORDER BY id DESC LIMIT $4"#,
            filter.user_id,
            filter.event,
            filter.before,
            i64::from(limit),
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }
}
