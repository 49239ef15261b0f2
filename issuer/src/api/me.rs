//! `GET /api/auth/me`

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use bearward_core::Rejection;
use serde::Serialize;

use super::error::ApiError;
use super::view::UserView;
use crate::app::App;

const FAILED: &str = "Request failed";

/// The user of the token. Identity headers are not looked at: whoever reaches us past the filter could set them.
pub(crate) async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<MeView>, ApiError> {
    let authorization = headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
    let id = app.tokens.subject(authorization, now()).map_err(ApiError::Rejected)?;
    let user = app.store.profile(id).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    let user = user.ok_or(ApiError::Rejected(Rejection::SubjectGone))?;
    Ok(Json(MeView { user: user.into() }))
}

#[derive(Serialize)]
pub(crate) struct MeView {
    user: UserView,
}

/// Seconds since the epoch. A clock before it counts as the epoch, where every token is not valid yet.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
