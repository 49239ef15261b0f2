//! `POST /api/auth/password/link`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;

use super::body;
use super::client::client;
use super::error::{ApiError, FieldError};
use super::fields::Fields;
use super::openapi;
use crate::account::{Email, Name, NewPassword};
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::password_link::{LinkHash, LinkToken};
use crate::settings::PasswordSettings;
use crate::store::{Client, Profile};
use crate::throttle::AddressPrefix;

const FAILED: &str = "Password change failed";
/// What an event says that a password was set by.
const BY_LINK: &str = "password_link";

/// Sets the password of whoever holds a one-time link, and ends all sessions.
///
/// There is no token in the answer: the login that follows shows that the user knows what was typed, and is throttled and
/// released as every other. A link that is not good has one answer, whatever is wrong with it, and costs no hash.
#[utoipa::path(
    post, path = "/api/auth/password/link", tag = "password", request_body = openapi::body::LinkedPassword,
    responses(
        (status = 204, description = "The password is set; every session of the user has ended"),
        openapi::ReadsBody, openapi::Throttled, openapi::Always,
    ),
)]
pub(crate) async fn redeem(State(app): State<Arc<App>>, request: Request) -> Result<StatusCode, ApiError> {
    let client = client(&request);
    let (token, password) = parse(request, app.passwords).await?;
    // Nobody guesses a token; but each refusal is a row of the trail, which has to have a bound.
    let refusal = Event::refused(Kind::PasswordChange, BY_LINK, &client);
    let counted = app.throttle.link(&app.store, refusal).await;
    counted.map_err(|e| ApiError::of_throttle(&e, FAILED))?;
    let Some(link) = LinkToken::parse(&token).map(|token| token.hash()) else {
        return Err(refused(&app, refusal).await);
    };
    let user = user_of(&app, link, &client).await?;
    let (name, email) = (Name::parse(&user.name).ok(), Email::parse(&user.email).ok());
    let password = password
        .apart_from(name.as_ref(), email.as_ref())
        .map_err(|error| ApiError::Fields(vec![FieldError { field: "newPassword".to_owned(), error }]))?;
    let hashers = app.hasher.share_of(AddressPrefix::of(&client));
    let hash = hashers.hash(password).await.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    let event = Event::of_user(Kind::PasswordChange, user.id, &client).because(BY_LINK);
    let done = app.store.redeem_password_link(link, &hash, &event).await;
    if !done.map_err(|e| ApiError::of_store(&e, FAILED))? {
        // Used, void or expired while we were hashing.
        let event = Event::refused(Kind::PasswordChange, BY_LINK, &client).about(user.id);
        return Err(refused(&app, event).await);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn user_of(app: &App, link: LinkHash, client: &Client) -> Result<Profile, ApiError> {
    let user = app.store.user_of_password_link(link).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    match user {
        Some(user) => Ok(user),
        None => Err(refused(app, Event::refused(Kind::PasswordChange, BY_LINK, client)).await),
    }
}

async fn parse(request: Request, rules: PasswordSettings) -> Result<(String, NewPassword), ApiError> {
    let mut fields = Fields::new(body::object(request).await?);
    let token = fields.take("token", "Token", Ok);
    let new = fields.take("newPassword", "New password", |text| NewPassword::parse(text, rules));
    fields.finish(token.zip(new))
}

async fn refused(app: &App, event: Event<'_>) -> ApiError {
    let written = app.store.audit(&event).await;
    written.map_or_else(|e| ApiError::of_store(&e, FAILED), |()| ApiError::InvalidPasswordLink)
}
