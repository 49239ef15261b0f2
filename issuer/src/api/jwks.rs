//! `GET /.well-known/jwks.json`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

use crate::app::App;

/// The keys that verify our tokens (RFC 7517). The one answer that may be kept, for five minutes.
pub(crate) async fn jwks(State(app): State<Arc<App>>) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, app.tokens.jwk_set())
}
