//! `POST /api/auth/refresh`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};

use super::body;
use super::client::client;
use super::error::ApiError;
use super::fields::Fields;
use super::view::SessionView;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::refresh::RefreshToken;
use crate::store::{Presented, Refreshed, Why};

const FAILED: &str = "Refresh failed";

/// Exchanges a refresh token for its successor and a new access token, which says what the user is now.
///
/// Every refresh token that is not good gets one answer. One that was used before also ends its session: either its
/// client or somebody else holds a copy, and nobody can tell which (RFC 9700 section 4.14.2).
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<SessionView>, ApiError> {
    let client = client(&request);
    let mut fields = Fields::new(body::object(request).await?);
    let text = fields.take("refreshToken", "Refresh token", Ok);
    let text = fields.finish(text)?;
    let counted = app.throttle.refresh(&app.store, Event::refused(Kind::Refresh, "throttled", &client)).await;
    counted.map_err(|e| ApiError::of_throttle(&e, FAILED))?;
    let Some(token) = RefreshToken::parse(&text) else { return Err(refused("malformed")) };
    let successor = token.successor(&app.successors).map_err(|e| ApiError::internal(&e, FAILED))?;
    let presented = Presented { token: token.hash(), successor: successor.hash() };
    let refreshed = app.store.refresh(&presented, app.lives(), &client);
    match refreshed.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
        Refreshed::Granted(grant) => {
            let token = app.tokens.issue(&grant).map_err(|e| ApiError::of_issue(&e, FAILED))?;
            tracing::info!(event = "refresh", outcome = "success", user_id = %grant.user.id, session_id = %grant.session_id);
            Ok(Json(SessionView::new(token, &successor, grant)))
        }
        Refreshed::Refused(refusal) => Err(refused(refusal.as_str())),
        Refreshed::Reused { user_id, session_id } => {
            let ended = app.store.end_session(user_id, session_id, Why::RefreshTokenReused);
            let ended = ended.await.map_err(|e| ApiError::of_store(&e, FAILED))?;
            tracing::warn!(event = "refresh", outcome = "reuse", %user_id, %session_id, ended);
            Err(ApiError::InvalidRefreshToken)
        }
    }
}

fn refused(cause: &'static str) -> ApiError {
    tracing::info!(event = "refresh", outcome = "refused", cause);
    ApiError::InvalidRefreshToken
}
