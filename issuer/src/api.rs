//! The public interface.

mod admin;
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
mod openapi;
mod password;
mod password_link;
mod refresh;
mod sessions;
mod signup;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use axum::{Extension, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::document::Document;
use crate::metrics::Metrics;
#[cfg(test)]
pub(crate) use body::object as body_object;
pub(crate) use client::TrustedProxies;
pub(crate) use error::{ApiError, FieldError, Refusal};
pub(crate) use fields::Fields;
use metadata::METADATA_PATH;

/// The routes of the public listener.
pub(crate) fn router(app: Arc<App>) -> Router {
    let metrics = Some(app.store.metrics().clone());
    let (routes, document) = documented().split_for_parts();
    let document = Document::json(&document, openapi::MAX_AGE_SECONDS);
    let routes = routes
        .route(&format!("{METADATA_PATH}/{{*below}}"), get(metadata::metadata_below))
        .route(openapi::PATH, get(openapi::serve).with_state(document))
        .layer(Extension(Arc::clone(&app.proxies)))
        .with_state(app);
    guarded(routes, metrics)
}

/// The routes that clients call, each with its part of the document.
fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .routes(routes!(signup::signup))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(password::change))
        .routes(routes!(password_link::redeem))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(me::me))
        .routes(routes!(jwks::jwks))
        .routes(routes!(metadata::metadata))
        .merge(admin::routes())
}

/// The routes of the public listener before there is anything to work with. Each answer is the last of its connection, so
/// that the next request meets those that come after.
pub(crate) fn starting() -> Router {
    let not_yet = async || ([(CONNECTION, HeaderValue::from_static("close"))], ApiError::DatabaseUnavailable);
    guarded(Router::new().route("/", any(not_yet)).route("/{*path}", any(not_yet)), None)
}

/// What holds for every listener: answers for what is not there, a deadline, headers, one log line a request. It is
/// counted where `metrics` are given.
pub(crate) fn guarded(routes: Router, metrics: Option<Metrics>) -> Router {
    routes
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(middleware::deadline))
        .layer(from_fn(middleware::headers))
        .layer(from_fn_with_state(metrics, middleware::log))
}
