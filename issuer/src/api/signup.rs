//! `POST /api/auth/signup`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;

use super::body;
use super::client::client;
use super::error::{ApiError, ErrorBody};
use super::fields::Fields;
use super::openapi;
use super::view::SessionView;
use crate::account::{CUSTOMER, Email, Name, NewPassword};
use crate::app::App;
use crate::audit::{By, Event, Kind};
use crate::random;
use crate::refresh::RefreshToken;
use crate::settings::PasswordSettings;
use crate::store::{NewUser, Opening};
use crate::throttle::AddressPrefix;

const FAILED: &str = "Signup failed";

/// Creates a user with the role `customer`, and logs in.
#[utoipa::path(
    post, path = "/api/auth/signup", tag = "sessions", request_body = openapi::body::Signup,
    responses(
        (status = 201, description = "Signed up, and logged in", body = SessionView),
        (status = 409, description = "Somebody has this e-mail", body = ErrorBody),
        openapi::ReadsBody, openapi::Throttled, openapi::Always,
    ),
)]
pub(crate) async fn signup(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<SessionView>), ApiError> {
    let client = client(&request);
    let Signup { name, email, password } = Signup::parse(request, app.passwords).await?;
    // Before it is counted: who finds no place has signed up nobody.
    let hashers = app.hasher.share_of(AddressPrefix::of(&client));
    hashers.has_place().map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    let counted = app.throttle.signup(&app.store, Event::refused(Kind::Signup, "throttled", &client)).await;
    counted.map_err(|e| ApiError::of_throttle(&e, FAILED))?;
    let password_hash = hashers.hash(password).await.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    let [id, session_id] = two_ids()?;
    let user = NewUser { id, name: &name, email: &email, password_hash: &password_hash, role: CUSTOMER };
    let refresh_token = RefreshToken::new().map_err(|e| ApiError::internal(&e, FAILED))?;
    let opening = Opening {
        session_id,
        refresh_hash: refresh_token.hash(),
        lives: app.lives(),
        kind: Kind::Signup,
        client: &client,
    };
    let grant = app.store.sign_up(&user, &opening).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    let Some(grant) = grant else {
        let event = By::client(&client).was_refused(Kind::Signup, "email_taken");
        app.store.audit(&event).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
        return Err(ApiError::EmailTaken);
    };
    let token = app.issue(&grant).await.map_err(|e| ApiError::of_issue(&e, FAILED))?;
    Ok((StatusCode::CREATED, Json(SessionView::new(token, &refresh_token, grant))))
}

struct Signup {
    name: Name,
    email: Email,
    password: NewPassword,
}

impl Signup {
    async fn parse(request: Request, rules: PasswordSettings) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body::object(request).await?);
        let name = fields.take("name", "Name", |text| Name::parse(&text));
        let email = fields.take("email", "Email", |text| Email::parse(&text));
        let password = fields.take("password", "Password", |text| {
            NewPassword::parse(text, rules)?.apart_from(name.as_ref(), email.as_ref())
        });
        let all = name.zip(email).zip(password);
        fields.finish(all.map(|((name, email), password)| Self { name, email, password }))
    }
}

fn two_ids() -> Result<[uuid::Uuid; 2], ApiError> {
    let id = || random::uuid().map_err(|e| ApiError::internal(&e, FAILED));
    Ok([id()?, id()?])
}
