//! `GET /api/auth/me`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::error::ApiError;
use super::openapi;
use super::view::UserView;
use crate::app::App;

const FAILED: &str = "Request failed";

/// The user of the token.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "The user", body = MeView), openapi::NeedsToken, openapi::Always),
)]
pub(crate) async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<MeView>, ApiError> {
    let caller = Caller::of(&app, &headers, FAILED).await?;
    Ok(Json(MeView { user: caller.user.into() }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MeView {
    user: UserView,
}
