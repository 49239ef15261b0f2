//! `GET /.well-known/oauth-authorization-server`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::error::ApiError;
use super::openapi;
use crate::app::App;

/// Where the metadata is (RFC 8414 section 3). For an issuer with a path, that path follows (section 3.1).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// What there is to know of us as an authorization server (RFC 8414 section 2).
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "verifiers",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the metadata that one has")),
    responses(
        (status = 200, description = "The metadata (RFC 8414)", body = Object),
        (status = 304, description = "One has it"),
        openapi::Always,
    ),
)]
pub(crate) async fn metadata(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.tokens.metadata().answer(&headers)
}

/// The same under the path of the issuer, and nothing under any other.
pub(crate) async fn metadata_below(
    State(app): State<Arc<App>>,
    Path(below): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if app.tokens.issuer_path() != below {
        return Err(ApiError::NotFound);
    }
    Ok(app.tokens.metadata().answer(&headers))
}
