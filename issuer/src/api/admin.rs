//! `/api/admin/`: what administrators see and do.
//!
//! Who may is read from the database for every request, and for what changes anything once more under the lock that makes
//! one administrator decide at a time (`store::administration`).

mod access;
mod audit;
mod cursor;
mod keys;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::routing::{delete, get, post, put};
use uuid::Uuid;

use super::error::ApiError;
use crate::app::App;

const FAILED: &str = "Request failed";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/admin/users", get(users::list).post(users::create))
        .route("/api/admin/users/{id}", get(users::one).delete(users::delete))
        .route("/api/admin/users/{id}/roles", put(access::set_roles))
        .route("/api/admin/users/{id}/disable", post(access::disable))
        .route("/api/admin/users/{id}/enable", post(access::enable))
        .route("/api/admin/users/{id}/logout", post(access::log_out))
        .route("/api/admin/users/{id}/sessions", get(access::sessions))
        .route("/api/admin/users/{id}/sessions/{session}", delete(access::end_session))
        .route("/api/admin/users/{id}/password-link", post(users::password_link))
        .route("/api/admin/keys", get(keys::list))
        .route("/api/admin/keys/rotate", post(keys::rotate))
        .route("/api/admin/audit", get(audit::list))
}

/// What is no identifier is nobody's.
fn id(path: Result<Path<String>, PathRejection>) -> Result<Uuid, ApiError> {
    let id = path.ok().and_then(|Path(text)| Uuid::try_parse(&text).ok());
    id.ok_or(ApiError::NotFound)
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("Limit must be an integer from {least} to {most}")),
    }
}
