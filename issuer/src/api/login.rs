//! `POST /api/auth/login`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};

use super::body;
use super::client::client;
use super::error::ApiError;
use super::fields::Fields;
use super::view::SessionView;
use crate::account::{LoginEmail, PresentedPassword};
use crate::app::App;
use crate::hashing::Verdict;
use crate::random;
use crate::refresh::RefreshToken;
use crate::store::{Credentials, Opening, Verified};

const FAILED: &str = "Login failed";

/// Opens a session for a user who knows the password.
///
/// Unknown e-mail, wrong password, disabled user and a stored hash that nobody can verify take the same steps and get
/// the same answer.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<SessionView>, ApiError> {
    let client = client(&request);
    let (email, password) = parse(request).await?;
    let credentials = look_up(&app, &email).await?;
    let hash = credentials.as_ref().map(|known| known.password_hash.clone());
    let verdict = app.hasher.verify(password, hash).await.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    if let (Verdict::Unusable(why), Some(known)) = (verdict, &credentials) {
        tracing::error!(user_id = %known.user_id, %why, "the stored password hash of this user cannot be verified");
    }
    let Some(credentials) = credentials.filter(|_| verdict == Verdict::Match) else {
        return Err(refused("credentials"));
    };

    let session_id = random::uuid().map_err(|e| ApiError::internal(&e, FAILED))?;
    let refresh_token = RefreshToken::new().map_err(|e| ApiError::internal(&e, FAILED))?;
    let opening =
        Opening { session_id, refresh_hash: refresh_token.hash(), lives: app.lives(), client: &client };
    let verified = Verified {
        user_id: credentials.user_id,
        password_hash: &credentials.password_hash,
        user_version: credentials.user_version,
    };
    let grant =
        app.store.open_session(&verified, &opening).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    // Disabled, or changed while we were hashing.
    let Some(grant) = grant else { return Err(refused("user")) };
    let token = app.tokens.issue(&grant).map_err(|e| ApiError::internal(&e, FAILED))?;
    tracing::info!(event = "login", outcome = "success", user_id = %grant.user.id, session_id = %session_id);
    Ok(Json(SessionView::new(token, &refresh_token, grant)))
}

async fn parse(request: Request) -> Result<(LoginEmail, PresentedPassword), ApiError> {
    let required = |label: &'static str| {
        move |text: String| if text.is_empty() { Err(format!("{label} is required")) } else { Ok(text) }
    };
    let mut fields = Fields::new(body::object(request).await?);
    let email = fields.take("email", "Email", required("Email"));
    let password = fields.take("password", "Password", required("Password"));
    let (email, password) = fields.finish(email.zip(password))?;
    Ok((LoginEmail::new(&email), PresentedPassword::new(password)))
}

async fn look_up(app: &App, email: &LoginEmail) -> Result<Option<Credentials>, ApiError> {
    match email.to_look_up() {
        None => Ok(None),
        Some(email) => app.store.credentials(email).await.map_err(|e| ApiError::of_store(&e, FAILED)),
    }
}

fn refused(cause: &'static str) -> ApiError {
    tracing::info!(event = "login", outcome = "refused", cause);
    ApiError::InvalidLogin
}
