//! `POST /api/auth/refresh`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};

use super::body;
use super::client::client;
use super::error::{ApiError, ErrorBody};
use super::fields::Fields;
use super::openapi;
use super::view::SessionView;
use crate::app::App;
use crate::audit::{By, Event, Kind};
use crate::refresh::RefreshToken;
use crate::store::{Client, Presented, Refreshed, Why};

const FAILED: &str = "Refresh failed";

/// Exchanges a refresh token for its successor and a new access token, which says what the user is now.
///
/// Every refresh token that is not good gets one answer. One that was used before also ends its session: either its
/// client or somebody else holds a copy, and nobody can tell which (RFC 9700 section 4.14.2).
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "sessions", request_body = openapi::body::Refresh,
    responses(
        (status = 200, description = "A new pair of tokens; the old refresh token is used up", body = SessionView),
        (status = 401, description = "The refresh token is not good", body = ErrorBody),
        openapi::ReadsBody, openapi::Throttled, openapi::Always,
    ),
)]
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
    let Some(token) = RefreshToken::parse(&text) else {
        return Err(malformed(&app, &client).await);
    };
    let successor = token.successor(&app.successors).map_err(|e| ApiError::internal(&e, FAILED))?;
    let presented = Presented { token: token.hash(), successor: successor.hash() };
    let refreshed = app.store.refresh(&presented, app.lives(), &client);
    match refreshed.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
        Refreshed::Granted(grant) => {
            let token = app.tokens.issue(&grant).map_err(|e| ApiError::of_issue(&e, FAILED))?;
            Ok(Json(SessionView::new(token, &successor, grant)))
        }
        Refreshed::Refused(_) => Err(ApiError::InvalidRefreshToken),
        Refreshed::Reused { user_id, session_id } => {
            let by = By::client(&client);
            let ended = app.store.end_session(user_id, session_id, Why::RefreshTokenReused, by);
            if ended.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
                tracing::warn!(%user_id, %session_id, "a refresh token was used again: its session was ended");
            }
            Err(ApiError::InvalidRefreshToken)
        }
    }
}

/// The answer to what is no refresh token of anybody.
async fn malformed(app: &App, client: &Client) -> ApiError {
    let event = By::client(client).was_refused(Kind::Refresh, "malformed");
    let written = app.store.audit(&event).await;
    written.map_or_else(|e| ApiError::of_store(&e, FAILED), |()| ApiError::InvalidRefreshToken)
}
