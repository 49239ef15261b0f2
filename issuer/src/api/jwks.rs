//! `GET /.well-known/jwks.json`

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::error::{ApiError, ErrorBody};
use super::openapi;
use crate::app::App;

/// The keys that verify our tokens (RFC 7517).
///
/// There is no such set where tokens are signed with secrets: 404, and the metadata names none. An empty set would be read
/// by some verifiers as "all keys are gone", while every one of them takes 404 for "not here".
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "verifiers",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the set that one has")),
    responses(
        (status = 200, description = "The keys (RFC 7517)", body = Object),
        (status = 304, description = "One has them"),
        (status = 404, description = "Tokens are signed with secrets", body = ErrorBody),
        openapi::Always,
    ),
)]
pub(crate) async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    match app.tokens.ring().jwk_set() {
        Some(document) => Ok(document.answer(&headers)),
        None => Err(ApiError::NotFound),
    }
}
