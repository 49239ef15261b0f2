//! `POST /api/auth/login`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use tokio::time::Instant;

use super::body;
use super::client::client;
use super::error::{ApiError, ErrorBody};
use super::fields::Fields;
use super::openapi;
use super::view::SessionView;
use crate::account::{LoginEmail, PresentedPassword};
use crate::app::App;
use crate::audit::{By, Event, Kind};
use crate::hashing::{Due, Verdict};
use crate::random;
use crate::refresh::RefreshToken;
use crate::store::{Client, Credentials, Grant, Opening, Verified};
use crate::throttle::{AddressPrefix, Throttled};

const FAILED: &str = "Login failed";

/// How often a password is verified for one login: again only where another login replaced the hash meanwhile.
const MAX_ATTEMPTS: usize = 2;

/// Opens a session for a user who knows the password.
///
/// Unknown e-mail, wrong password, disabled user and a stored hash that nobody can verify take the same steps and get
/// the same answer, at the same time after the request and its wait for the hashers, and so does whoever has tried too
/// often at one account. Only who finds the hashers full, or comes from an address that has tried too often, is sent away
/// at once: that says nothing of any account.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "sessions", request_body = openapi::body::Login,
    responses(
        (status = 200, description = "A new session", body = SessionView),
        (status = 401, description = "Unknown e-mail or wrong password", body = ErrorBody),
        openapi::ReadsBody, openapi::Throttled, openapi::Always,
    ),
)]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<SessionView>, ApiError> {
    let (arrival, client) = (Instant::now(), client(&request));
    let (email, password) = parse(request).await?;
    // Before the database is asked: who is sent away costs next to nothing, however many they are.
    let hashers = app.hasher.share_of(AddressPrefix::of(&client));
    hashers.has_place().map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    let mut due = app.login_deadline.begin(arrival, &password);
    let answer = throttled(&app, &mut due, &email, &password, &client).await;
    if !matches!(answer, Err(ApiError::Busy | ApiError::Throttled { by: Throttled::Address, .. })) {
        due.wait().await;
    }
    answer
}

/// Counts the attempt before it is made, and takes it back where it was none. Whoever is refused for his account costs no
/// hash: what is seen of that, at the same deadline, is no more than the answer says.
async fn throttled(
    app: &App,
    due: &mut Due<'_>,
    email: &LoginEmail,
    password: &PresentedPassword,
    client: &Client,
) -> Result<Json<SessionView>, ApiError> {
    let refusal = Event::refused(Kind::Login, "throttled", client);
    let attempt = app.throttle.login(&app.store, email, refusal).await;
    let attempt = attempt.map_err(|e| ApiError::of_throttle(&e, FAILED))?;
    due.delay(attempt.slow(due.most_delay()).await);
    let answer = answer(app, due, email, password, client).await;
    match &answer {
        Ok(_) => attempt.succeeded().await,
        Err(ApiError::InvalidLogin) => {}
        // One answer, and so one count, for a right password and a wrong one.
        Err(_) => attempt.taken_back().await,
    }
    answer
}

async fn answer(
    app: &App,
    due: &mut Due<'_>,
    email: &LoginEmail,
    password: &PresentedPassword,
    client: &Client,
) -> Result<Json<SessionView>, ApiError> {
    let (grant, refresh_token) = authenticate(app, due, email, password, client).await?;
    let token = app.issue(&grant).await.map_err(|e| ApiError::of_issue(&e, FAILED))?;
    Ok(Json(SessionView::new(token, &refresh_token, grant)))
}

async fn authenticate(
    app: &App,
    due: &mut Due<'_>,
    email: &LoginEmail,
    password: &PresentedPassword,
    client: &Client,
) -> Result<(Grant, RefreshToken), ApiError> {
    let mut credentials = look_up(app, email).await?;
    let known = credentials.as_ref().map(|known| known.user_id);
    for _ in 0..MAX_ATTEMPTS {
        let verdict = verify(app, due, credentials.as_ref(), password, client).await?;
        let Some(known) = credentials.filter(|_| verdict.is_match()) else { break };
        if let Some(opened) = open_session(app, &known, client).await? {
            if verdict == Verdict::MatchOutdated {
                renew(app, &known, password, client).await;
            }
            return Ok(opened);
        }
        // Disabled, or changed while we were hashing. Another login of the same user may have renewed the hash, which is
        // no reason to refuse this one.
        let now = look_up(app, email).await?;
        let renewed = now.as_ref().is_some_and(|now| {
            now.user_version == known.user_version && now.password_hash != known.password_hash
        });
        if !renewed {
            return Err(refused(
                app,
                By::client(client).was_refused(Kind::Login, "user").about(known.user_id),
            )
            .await);
        }
        credentials = now;
    }
    let event = By::client(client).was_refused(Kind::Login, "credentials");
    Err(refused(app, known.map_or(event, |user_id| event.about(user_id))).await)
}

async fn verify(
    app: &App,
    due: &mut Due<'_>,
    credentials: Option<&Credentials>,
    password: &PresentedPassword,
    client: &Client,
) -> Result<Verdict, ApiError> {
    let hash = credentials.map(|known| known.password_hash.clone());
    if let Some(hash) = &hash {
        app.login_deadline.cover(hash);
    }
    let verdict = app.hasher.share_of(AddressPrefix::of(client)).verify_in_turn(password.clone(), hash).await;
    let (verdict, waited) = verdict.map_err(|e| ApiError::of_hashing(&e, FAILED))?;
    due.delay(waited);
    if let (Verdict::Unusable(why), Some(known)) = (verdict, credentials) {
        tracing::error!(user_id = %known.user_id, %why, "the stored password hash of this user cannot be verified");
    }
    Ok(verdict)
}

async fn open_session(
    app: &App,
    known: &Credentials,
    client: &Client,
) -> Result<Option<(Grant, RefreshToken)>, ApiError> {
    let session_id = random::uuid().map_err(|e| ApiError::internal(&e, FAILED))?;
    let refresh_token = RefreshToken::new().map_err(|e| ApiError::internal(&e, FAILED))?;
    let opening = Opening {
        session_id,
        refresh_hash: refresh_token.hash(),
        lives: app.lives(),
        kind: Kind::Login,
        client,
    };
    let verified = Verified {
        user_id: known.user_id,
        password_hash: &known.password_hash,
        user_version: known.user_version,
    };
    let opened = app.store.open_session(&verified, &opening).await;
    let opened = opened.map_err(|e| ApiError::of_store(&e, FAILED))?;
    Ok(opened.map(|grant| (grant, refresh_token)))
}

/// Replaces an outdated hash. What fails is left to the next login: this one has succeeded. That it waits for a worker
/// again delays nothing by will, for only who knows the password can see it.
async fn renew(app: &App, known: &Credentials, password: &PresentedPassword, client: &Client) {
    let user_id = known.user_id;
    let hash = match app.hasher.share_of(AddressPrefix::of(client)).renew(password.clone()).await {
        Ok(hash) => hash,
        Err(cause) => return tracing::info!(%user_id, %cause, "a password hash is left to be renewed"),
    };
    match app.store.renew_hash(user_id, &known.password_hash, &hash).await {
        Ok(true) => tracing::info!(event = "password_hash_renewed", %user_id),
        Ok(false) => {}
        Err(cause) => tracing::warn!(%user_id, %cause, "a password hash is left to be renewed"),
    }
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

/// A refusal that cannot be written down is none: the client comes again when the database is back.
async fn refused(app: &App, event: Event<'_>) -> ApiError {
    let written = app.store.audit(&event).await;
    written.map_or_else(|e| ApiError::of_store(&e, FAILED), |()| ApiError::InvalidLogin)
}
