//! The public interface.

mod body;
mod caller;
mod client;
mod error;
mod fields;
mod jwks;
mod login;
mod logout;
mod me;
mod metadata;
mod middleware;
mod password;
mod refresh;
mod sessions;
mod signup;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use axum::middleware::from_fn;
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use bearward_protocol::jwk::JWK_SET_PATH;

use crate::app::App;
#[cfg(test)]
pub(crate) use body::object as body_object;
pub(crate) use client::TrustedProxies;
pub(crate) use error::{ApiError, FieldError};
pub(crate) use fields::Fields;
use metadata::METADATA_PATH;

/// The routes of the public listener.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/api/auth/signup", post(signup::signup))
        .route("/api/auth/login", post(login::login))
        .route("/api/auth/refresh", post(refresh::refresh))
        .route("/api/auth/logout", post(logout::logout))
        .route("/api/auth/password", post(password::change))
        .route("/api/auth/sessions", get(sessions::list))
        .route("/api/auth/sessions/{id}", delete(sessions::end))
        .route("/api/auth/me", get(me::me))
        .route(JWK_SET_PATH, get(jwks::jwks))
        .route(METADATA_PATH, get(metadata::metadata))
        .route(&format!("{METADATA_PATH}/{{*below}}"), get(metadata::metadata_below))
        .layer(Extension(Arc::clone(&app.proxies)))
        .with_state(app);
    guarded(routes)
}

/// What holds for every listener: answers for what is not there, a deadline, headers, one log line a request.
pub(crate) fn guarded(routes: Router) -> Router {
    routes
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(middleware::deadline))
        .layer(from_fn(middleware::headers))
        .layer(from_fn(middleware::log))
}
