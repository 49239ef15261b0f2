//! The keys that sign tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::FAILED;
use crate::api::body;
use crate::api::caller::Administrator;
use crate::api::client::client;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::openapi;
use crate::app::App;
use crate::audit::Kind;
use crate::keys::life;
use crate::store::Clock;

/// The keys with their stages, the last retired ones among them, without their private halves.
#[utoipa::path(
    get, path = "/api/admin/keys", tag = "administration", security(("bearer" = [])),
    responses(
        (status = 200, description = "The signing keys, without their private halves", body = KeysView),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<KeysView>, ApiError> {
    Administrator::of(&app, &headers, FAILED).await?;
    let listed = app.store.list_signing_keys(Clock::Database).await;
    let (now, rows) = listed.map_err(|e| ApiError::of_store(&e, FAILED))?;
    let stages = life::stages(now, &rows);
    let view = |(row, stage): (crate::store::KeyRow, &'static str)| KeyView {
        kid: row.kid,
        stage,
        published_at: row.published_at_text,
        signs_from: row.signs_from_text,
        retired_at: row.retired_at_text,
        encrypted: row.encrypted,
    };
    Ok(Json(KeysView { keys: rows.into_iter().zip(stages).map(view).collect() }))
}

/// Publishes a new key, which signs once every verifier knows it.
#[utoipa::path(
    post, path = "/api/admin/keys/rotate", tag = "administration", security(("bearer" = [])),
    responses(
        (status = 201, description = "A successor is published", body = RotatedView),
        (status = 409, description = "A successor is published already, or tokens are signed with secrets", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<RotatedView>), ApiError> {
    let client = client(&request);
    let received = body::received(request).await?;
    let administrator = Administrator::of(&app, received.headers(), FAILED).await?;
    received.nothing()?;
    let keeper = app.keeper.as_ref().ok_or(ApiError::NoKeys)?;
    let event = administrator.event(Kind::KeyRotate, &client).about_nobody();
    let successor = keeper.rotate(&event).await.map_err(|e| ApiError::of_keys(&e, FAILED))?;
    let view = RotatedView { kid: successor.kid, signs_in_seconds: successor.signs_in_seconds };
    Ok((StatusCode::CREATED, Json(view)))
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct KeysView {
    keys: Vec<KeyView>,
}

/// A key. Times by RFC 3339.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    kid: String,
    /// `published`, `signs`, `verifies` or `retired`.
    stage: &'static str,
    published_at: String,
    signs_from: String,
    retired_at: Option<String>,
    encrypted: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RotatedView {
    kid: String,
    /// How long it is published before it signs.
    signs_in_seconds: i64,
}
