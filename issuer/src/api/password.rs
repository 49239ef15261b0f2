//! `POST /api/auth/password`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use bearward_core::Rejection;
use uuid::Uuid;

use super::body;
use super::caller::Caller;
use super::client::client;
use super::error::{ApiError, FieldError};
use super::fields::Fields;
use super::openapi;
use super::view::SessionView;
use crate::account::{Email, LoginEmail, Name, NewPassword, PresentedPassword};
use crate::app::App;
use crate::audit::{By, Event, Kind};
use crate::hashing::Share;
use crate::random;
use crate::refresh::RefreshToken;
use crate::settings::PasswordSettings;
use crate::store::{Client, Credentials, Opening, Profile, Verified};
use crate::throttle::{AddressPrefix, MAX_DELAY};

const FAILED: &str = "Password change failed";

/// Changes the password of a user who knows the current one, ends all sessions, and answers with a new one: whoever had
/// the old password, or a token of before, is out.
#[utoipa::path(
    post, path = "/api/auth/password", tag = "password", security(("bearer" = [])),
    request_body = openapi::body::PasswordChange,
    responses(
        (status = 200, description = "Changed; every session has ended, and this is a new one", body = SessionView),
        openapi::ReadsBody, openapi::NeedsToken, openapi::Throttled, openapi::Always,
    ),
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<SessionView>, ApiError> {
    let client = client(&request);
    let caller = Caller::of(&app, request.headers(), FAILED).await?;
    let (current, new) = parse(request, app.passwords, &caller.user).await?;
    let user_id = caller.user.id;
    let hashers = app.hasher.share_of(AddressPrefix::of(&client));
    hashers.has_place().map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    // As a login of this user from here: whoever has got hold of a token does not guess the password by it.
    let refusal = Event::refused(Kind::PasswordChange, "throttled", &client).about(user_id);
    let attempt = app.throttle.login(&app.store, &LoginEmail::new(&caller.user.email), refusal).await;
    let attempt = attempt.map_err(|e| ApiError::of_throttle(&e, FAILED))?;
    attempt.slow(MAX_DELAY).await;
    let compared = match compare(&app, user_id, current, hashers).await {
        Ok(compared) => compared,
        Err(error) => {
            attempt.taken_back().await;
            return Err(error);
        }
    };
    let Some(credentials) = compared else {
        refused(&app, &caller, &client, "credentials").await?;
        let (field, error) = ("currentPassword".to_owned(), "Current password is wrong".to_owned());
        return Err(ApiError::Fields(vec![FieldError { field, error }]));
    };
    attempt.succeeded().await;
    let password_hash = hashers.hash(new).await.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    let session_id = random::uuid().map_err(|e| ApiError::internal(&e, FAILED))?;
    let refresh_token = RefreshToken::new().map_err(|e| ApiError::internal(&e, FAILED))?;
    let opening = Opening {
        session_id,
        refresh_hash: refresh_token.hash(),
        lives: app.lives(),
        kind: Kind::PasswordChange,
        client: &client,
    };
    let verified = Verified {
        user_id,
        password_hash: &credentials.password_hash,
        user_version: credentials.user_version,
    };
    let changed = app.store.change_password(&verified, caller.token.session_id, &password_hash, &opening);
    let grant = changed.await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    // Logged out, disabled, or changed by somebody else while we were hashing.
    let Some(grant) = grant else {
        refused(&app, &caller, &client, "session").await?;
        return Err(ApiError::Rejected(Rejection::TokenRevoked));
    };
    let token = app.issue(&grant).await.map_err(|e| ApiError::of_issue(&e, FAILED))?;
    Ok(Json(SessionView::new(token, &refresh_token, grant)))
}

/// What the user's password is known by, if this is it.
async fn compare(
    app: &App,
    user_id: Uuid,
    current: PresentedPassword,
    hashers: Share<'_>,
) -> Result<Option<Credentials>, ApiError> {
    let credentials = app.store.credentials_of(user_id).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    let credentials = credentials.ok_or(ApiError::Rejected(Rejection::SubjectGone))?;
    let stored = Some(credentials.password_hash.clone());
    let verdict = hashers.verify(current, stored).await.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    Ok(Some(credentials).filter(|_| verdict.is_match()))
}

/// Writes down that a change was refused.
async fn refused(app: &App, caller: &Caller, client: &Client, cause: &'static str) -> Result<(), ApiError> {
    let user_id = caller.user.id;
    let event = By::user(user_id, client).was_refused(Kind::PasswordChange, cause).about(user_id);
    let event = event.in_session(caller.token.session_id);
    app.store.audit(&event).await.map_err(|e| ApiError::of_store(&e, FAILED))
}

async fn parse(
    request: Request,
    rules: PasswordSettings,
    user: &Profile,
) -> Result<(PresentedPassword, NewPassword), ApiError> {
    let mut fields = Fields::new(body::object(request).await?);
    let current = fields.take("currentPassword", "Current password", |text| {
        if text.is_empty() { Err("Current password is required".to_owned()) } else { Ok(text) }
    });
    let (name, email) = (Name::parse(&user.name).ok(), Email::parse(&user.email).ok());
    let new = fields.take("newPassword", "New password", |text| {
        NewPassword::parse(text, rules)?.apart_from(name.as_ref(), email.as_ref())
    });
    let (current, new) = fields.finish(current.zip(new))?;
    Ok((PresentedPassword::new(current), new))
}
