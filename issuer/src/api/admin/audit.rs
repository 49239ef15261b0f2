//! The trail of authentication events.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;
use uuid::Uuid;

use super::{FAILED, cursor};
use crate::api::caller::Administrator;
use crate::api::error::ApiError;
use crate::api::fields::Fields;
use crate::api::openapi;
use crate::app::App;
use crate::store::{TrailFilter, TrailRow};

/// The longest name of an event, in bytes, as the table has it.
const MAX_EVENT_BYTES: usize = 32;

/// A part of the trail, newest first: all of it, or what concerns one user, or one kind of event.
#[utoipa::path(
    get, path = "/api/admin/audit", tag = "administration", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, description = "At most so many, 1 to 200"), ("cursor" = Option<String>, Query, description = "`nextCursor` of the part before"), ("user" = Option<Uuid>, Query, description = "What concerns this user"), ("event" = Option<String>, Query, description = "Events of this kind")),
    responses(
        (status = 200, description = "A part of the trail, newest first", body = TrailView),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<TrailView>, ApiError> {
    Administrator::of(&app, &headers, FAILED).await?;
    let mut fields = Fields::of_query(&uri)?;
    let user_id = fields.take_optional("user", "User", |text| {
        Uuid::try_parse(&text).map_err(|_| "User must be the identifier of a user".to_owned())
    });
    let event = fields.take_optional("event", "Event", |text| {
        let is_name = (1..=MAX_EVENT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_name {
            Ok(text)
        } else {
            Err("Event must be the name of an event, for example login".to_owned())
        }
    });
    let part = cursor::part(&mut fields, cursor::as_number);
    let ((user_id, event), (before, limit)) = fields.finish(user_id.zip(event).zip(part))?;
    let rows = app.store.trail(&TrailFilter { user_id, event, before }, limit).await;
    let rows = rows.map_err(|e| ApiError::of_store(&e, FAILED))?;
    // A part that is full may be the last one; the next is empty then.
    let is_full = u32::try_from(rows.len()).is_ok_and(|length| length == limit);
    let next_cursor = rows.last().filter(|_| is_full).map(|row| cursor::of_number(row.id));
    Ok(Json(TrailView { events: rows.into_iter().map(EventView::from).collect(), next_cursor }))
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrailView {
    events: Vec<EventView>,
    /// For the next part; `null` at the end.
    next_cursor: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventView {
    /// Grows with every event.
    id: i64,
    /// By RFC 3339.
    at: String,
    event: String,
    /// `success` or `refused`.
    outcome: String,
    cause: Option<String>,
    /// `client`, `user`, `operator` or `issuer`.
    actor: String,
    actor_id: Option<String>,
    /// Whom it concerns, also one who is deleted by now.
    user_id: Option<String>,
    session_id: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl From<TrailRow> for EventView {
    fn from(row: TrailRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            event: row.event,
            outcome: row.outcome,
            cause: row.cause,
            actor: row.actor,
            actor_id: row.actor_id.map(|id| id.to_string()),
            user_id: row.user_id.map(|id| id.to_string()),
            session_id: row.session_id.map(|id| id.to_string()),
            address: row.address,
            user_agent: row.user_agent,
            request_id: row.request_id,
        }
    }
}
