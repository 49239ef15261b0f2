//! What a user may: roles, disabling, sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::users::{AccountView, account, roles_of};
use super::{FAILED, Order, id};
use crate::api::caller::Administrator;
use crate::api::client::client;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::openapi;
use crate::api::sessions::SessionsView;
use crate::app::App;
use crate::audit::Kind;

/// Gives a user these roles, and no others. Tokens with the old ones are good no more; a refresh yields the new ones.
#[utoipa::path(
    put, path = "/api/admin/users/{id}/roles", tag = "administration", security(("bearer" = [])),
    request_body = openapi::body::Roles,
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 200, description = "The user; tokens of before have ended, sessions go on", body = AccountView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "The last administrator stays", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn set_roles(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<AccountView>, ApiError> {
    let (order, mut fields) = Order::with_fields(&app, path, request).await?;
    let roles = roles_of(&mut fields);
    let roles = fields.finish(roles)?;
    let set = app.store.set_roles(order.user_id, &roles, &order.event(Kind::RolesChange)).await;
    set.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    account(&app, order.user_id).await
}

/// Disables a user and ends all sessions; one who is disabled stays so.
#[utoipa::path(
    post, path = "/api/admin/users/{id}/disable", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 200, description = "The user; all sessions have ended", body = AccountView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "The last administrator stays", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<AccountView>, ApiError> {
    let order = Order::without_body(&app, path, request).await?;
    let disabled = app.store.disable(order.user_id, &order.event(Kind::UserDisable)).await;
    disabled.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    account(&app, order.user_id).await
}

/// Lets a disabled user log in again; one who is not disabled stays so.
#[utoipa::path(
    post, path = "/api/admin/users/{id}/enable", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 200, description = "The user; he may log in again", body = AccountView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<AccountView>, ApiError> {
    let order = Order::without_body(&app, path, request).await?;
    let enabled = app.store.enable(order.user_id, &order.event(Kind::UserEnable)).await;
    enabled.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    account(&app, order.user_id).await
}

/// Ends all sessions of a user.
#[utoipa::path(
    post, path = "/api/admin/users/{id}/logout", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 204, description = "All sessions have ended"),
        (status = 404, description = "There is no such user", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let order = Order::without_body(&app, path, request).await?;
    let by = order.administrator.by(&order.client);
    let done = app.store.log_out_user(order.user_id, by).await;
    done.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sessions of a user.
#[utoipa::path(
    get, path = "/api/admin/users/{id}/sessions", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 200, description = "The sessions of the user", body = SessionsView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn sessions(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<SessionsView>, ApiError> {
    let administrator = Administrator::of(&app, &headers, FAILED).await?;
    let user_id = id(path)?;
    drop(account(&app, user_id).await?);
    let listed = app.store.list_sessions(user_id, app.lives()).await;
    let listed = listed.map_err(|e| ApiError::of_store(&e, FAILED))?;
    Ok(Json(SessionsView::new(listed, administrator.0.token.session_id)))
}

/// Ends one of them.
#[utoipa::path(
    delete, path = "/api/admin/users/{id}/sessions/{session}", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user"), ("session" = Uuid, Path, description = "Of the session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "The user has no such session", body = ErrorBody),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let client = client(&request);
    let administrator = Administrator::of(&app, request.headers(), FAILED).await?;
    let ids = path
        .ok()
        .and_then(|Path((user, session))| Uuid::try_parse(&user).ok().zip(Uuid::try_parse(&session).ok()));
    let (user_id, session_id) = ids.ok_or(ApiError::NotFound)?;
    let by = administrator.by(&client);
    let ended = app.store.end_session_of_user(user_id, session_id, by).await;
    if !ended.map_err(|e| ApiError::of_administration(&e, FAILED))? {
        return Err(ApiError::NotFound);
    }
    Ok(StatusCode::NO_CONTENT)
}
