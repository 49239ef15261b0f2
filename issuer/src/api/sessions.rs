//! `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::client::client;
use super::error::{ApiError, ErrorBody};
use super::openapi;
use crate::app::App;
use crate::audit::By;
use crate::store::{ListedSession, Why};

const FAILED: &str = "Request failed";

/// The sessions of the user of the token.
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "sessions", security(("bearer" = [])),
    responses(
        (status = 200, description = "The sessions of the user, the one used last first", body = SessionsView),
        openapi::NeedsToken, openapi::Always,
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<SessionsView>, ApiError> {
    let caller = Caller::of(&app, &headers, FAILED).await?;
    let listed = app.store.list_sessions(caller.user.id, app.lives());
    let listed = listed.await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    Ok(Json(SessionsView::new(listed, caller.token.session_id)))
}

/// Ends one of them. Another user's session is as unknown as none.
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "sessions", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "The user has no such session", body = ErrorBody),
        openapi::NeedsToken, openapi::Always,
    ),
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let client = client(&request);
    let caller = Caller::of(&app, request.headers(), FAILED).await?;
    let id = id.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
    let session_id = id.ok_or(ApiError::NotFound)?;
    let user_id = caller.user.id;
    let ended = app.store.end_session(user_id, session_id, Why::Ended, By::user(user_id, &client));
    if !ended.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
        return Err(ApiError::NotFound);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionsView {
    sessions: Vec<ListedView>,
}

impl SessionsView {
    /// `current`: the session of the token.
    pub(super) fn new(listed: Vec<ListedSession>, current: Uuid) -> Self {
        Self { sessions: listed.into_iter().map(|session| ListedView::new(session, current)).collect() }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListedView {
    id: String,
    /// RFC 3339, as the next.
    created_at: String,
    /// When it was opened, or refreshed last.
    last_used_at: String,
    /// From where it was opened or refreshed last.
    address: Option<String>,
    user_agent: Option<String>,
    /// Whether it is the session of the token.
    current: bool,
}

impl ListedView {
    fn new(session: ListedSession, current: Uuid) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            address: session.client.address,
            user_agent: session.client.user_agent,
            current: session.id == current,
        }
    }
}
