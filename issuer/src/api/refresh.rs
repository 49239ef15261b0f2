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
use crate::store::{Client, Presented, Refreshed, Whose, Why};
use crate::throttle::Throttled;

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
    let Some(token) = RefreshToken::parse(&text) else {
        return Err(refused(&app, &client, "malformed", None).await);
    };
    let successor = token.successor(&app.successors).map_err(|e| ApiError::internal(&e, FAILED))?;
    let presented = Presented { token: token.hash(), successor: successor.hash() };
    let refreshed = app.store.refresh(&presented, app.lives(), app.throttle.refreshes(), &client);
    match refreshed.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
        Refreshed::Granted(grant) => {
            let token = app.issue(&grant).await.map_err(|e| ApiError::of_issue(&e, FAILED))?;
            Ok(Json(SessionView::new(token, &successor, grant)))
        }
        Refreshed::Refused { why, whose } => Err(refused(&app, &client, why.as_str(), whose).await),
        Refreshed::Reused(whose) => {
            end(&app, &client, whose).await?;
            Err(refused(&app, &client, "reused", Some(whose)).await)
        }
        Refreshed::TooOften { whose, wait } => {
            let denied = app.throttle.session(Kind::Refresh, wait);
            match refused(&app, &client, Throttled::Session.cause(), Some(whose)).await {
                // The token is good, so the time that its session has to wait is what its user is told, and nothing of the
                // others behind his address.
                ApiError::InvalidRefreshToken | ApiError::Throttled { .. } => {
                    Err(ApiError::of_throttle(&denied, FAILED))
                }
                failed => Err(failed),
            }
        }
    }
}

/// Ends the session of a token that was used again: first of all, and whatever the counters say of who did it.
async fn end(app: &App, client: &Client, whose: Whose) -> Result<(), ApiError> {
    let Whose { user_id, session_id } = whose;
    let ended = app.store.end_session(user_id, session_id, Why::RefreshTokenReused, By::client(client));
    if ended.await.map_err(|e| ApiError::of_store(&e, FAILED))? {
        tracing::warn!(%user_id, %session_id, "a refresh token was used again: its session was ended");
    }
    Ok(())
}

/// Counts a refusal by its address, and writes it down unless there were too many: each is a row of the trail, which has
/// to have a bound. Only now: what is good is refused to nobody because of others behind his address.
async fn refused(app: &App, client: &Client, cause: &'static str, whose: Option<Whose>) -> ApiError {
    let event = Event::refused(Kind::Refresh, cause, client);
    let event = whose.map_or(event, |whose| event.about(whose.user_id).in_session(whose.session_id));
    if let Err(denied) = app.throttle.refused_refresh(&app.store, event).await {
        return ApiError::of_throttle(&denied, FAILED);
    }
    let written = app.store.audit(&event).await;
    written.map_or_else(|e| ApiError::of_store(&e, FAILED), |()| ApiError::InvalidRefreshToken)
}
