//! `POST /api/auth/logout`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;

use super::body;
use super::caller::Caller;
use super::client::client;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi;
use crate::app::App;
use crate::audit::By;
use crate::store::Why;

const FAILED: &str = "Logout failed";

/// Ends the session of the token, or the others of its user, or all.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "sessions", security(("bearer" = [])), request_body = Option<openapi::body::Logout>,
    responses(
        (status = 204, description = "Ended"),
        openapi::ReadsBody, openapi::NeedsToken, openapi::Always,
    ),
)]
pub(crate) async fn logout(State(app): State<Arc<App>>, request: Request) -> Result<StatusCode, ApiError> {
    let client = client(&request);
    let caller = Caller::of(&app, request.headers(), FAILED).await?;
    let mut fields = Fields::new(body::optional_object(request).await?);
    let scope = fields.take_optional("scope", "Scope", |text| Scope::parse(&text));
    let scope = fields.finish(scope)?.unwrap_or(Scope::This);
    let (user_id, session_id) = (caller.user.id, caller.token.session_id);
    let by = By::user(user_id, &client);
    match scope {
        Scope::This => app.store.end_session(user_id, session_id, Why::Logout, by).await.map(drop),
        Scope::Others => app.store.end_other_sessions(user_id, session_id, Why::Ended, by).await.map(drop),
        Scope::All => app.store.log_out_everywhere(user_id, by).await.map(drop),
    }
    .map_err(|e| ApiError::of_store(&e, FAILED))?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Copy)]
enum Scope {
    This,
    Others,
    All,
}

impl Scope {
    const EVERY: [Self; 3] = [Self::This, Self::Others, Self::All];

    fn parse(text: &str) -> Result<Self, String> {
        let named = Self::EVERY.into_iter().find(|scope| scope.as_str() == text);
        named.ok_or_else(|| "Scope must be this, others or all".to_owned())
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Others => "others",
            Self::All => "all",
        }
    }
}
