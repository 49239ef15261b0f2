//! Users: the list, one of them, new ones, their links, their end.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use super::{FAILED, Order, cursor, id};
use crate::account::{CUSTOMER, Email, LoginEmail, Name, Role};
use crate::api::body;
use crate::api::caller::Administrator;
use crate::api::client::client;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::fields::Fields;
use crate::api::openapi;
use crate::app::App;
use crate::audit::Kind;
use crate::hashing::PasswordHash;
use crate::password_link::LinkToken;
use crate::random;
use crate::settings::PasswordLinkSettings;
use crate::store::{Account, AccountsPage, NewAccount, NewPasswordLink};

/// A part of all users, oldest first; or the one with this e-mail.
#[utoipa::path(
    get, path = "/api/admin/users", tag = "administration", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, description = "At most so many, 1 to 200"), ("cursor" = Option<String>, Query, description = "`nextCursor` of the part before"), ("email" = Option<String>, Query, description = "The one with this address")),
    responses(
        (status = 200, description = "A part of the users, in the order in which they were made", body = UsersView),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<UsersView>, ApiError> {
    Administrator::of(&app, &headers, FAILED).await?;
    let mut fields = Fields::of_query(&uri)?;
    let email = fields.take_optional("email", "Email", |text| Ok(LoginEmail::new(&text)));
    let part = cursor::part(&mut fields, cursor::place);
    let (email, (after, limit)) = fields.finish(email.zip(part))?;
    let page = match &email {
        None => app.store.list_accounts(after, limit).await.map_err(|e| ApiError::of_store(&e, FAILED))?,
        Some(email) => {
            AccountsPage { accounts: by_email(&app, email).await?.into_iter().collect(), next: None }
        }
    };
    Ok(Json(UsersView {
        users: page.accounts.into_iter().map(AccountView::from).collect(),
        next_cursor: page.next.map(cursor::of_place),
    }))
}

async fn by_email(app: &App, email: &LoginEmail) -> Result<Option<Account>, ApiError> {
    let Some(email) = email.to_look_up() else { return Ok(None) };
    app.store.account_by_email(email).await.map_err(|e| ApiError::of_store(&e, FAILED))
}

/// One user.
#[utoipa::path(
    get, path = "/api/admin/users/{id}", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 200, description = "The user", body = AccountView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<AccountView>, ApiError> {
    Administrator::of(&app, &headers, FAILED).await?;
    account(&app, id(path)?).await
}

/// What is known of this user now.
pub(super) async fn account(app: &App, user_id: uuid::Uuid) -> Result<Json<AccountView>, ApiError> {
    let account = app.store.account(user_id).await.map_err(|e| ApiError::of_store(&e, FAILED))?;
    Ok(Json(account.ok_or(ApiError::NotFound)?.into()))
}

/// Creates a user without a password, who chooses one by the link of the answer. So no administrator ever knows it.
#[utoipa::path(
    post, path = "/api/admin/users", tag = "administration", security(("bearer" = [])),
    request_body = openapi::body::NewUser,
    responses(
        (status = 201, description = "Made; the link by which he sets a password is shown this once", body = CreatedView),
        (status = 409, description = "Somebody has this e-mail", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<CreatedView>), ApiError> {
    let client = client(&request);
    let received = body::received(request).await?;
    let administrator = Administrator::of(&app, received.headers(), FAILED).await?;
    let mut fields = Fields::new(received.object()?);
    let name = fields.take("name", "Name", |text| Name::parse(&text));
    let email = fields.take("email", "Email", |text| Email::parse(&text));
    let roles = match fields.has("roles") {
        true => roles_of(&mut fields),
        false => Some(vec![CUSTOMER.to_owned()]),
    };
    let ((name, email), roles) = fields.finish(name.zip(email).zip(roles))?;
    let id = random::uuid().map_err(|e| ApiError::internal(&e, FAILED))?;
    let (token, link) = new_link(&app.password_links)?;
    let password_hash = &PasswordHash::of_no_password();
    let account =
        NewAccount { id, name: &name, email: &email, roles: &roles, password_hash, link: Some(link) };
    let event = administrator.event(Kind::UserCreate, &client).about(id);
    let created = app.store.create_account(&account, &event).await;
    let created = created.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    let password_link = PasswordLinkView::new(&token, &app.password_links);
    Ok((StatusCode::CREATED, Json(CreatedView { user: created.into(), password_link })))
}

/// The roles of a body; all that is wrong with them is recorded.
pub(super) fn roles_of(fields: &mut Fields) -> Option<Vec<String>> {
    let taken = fields.take_list("roles", "Roles", Role::MOST, Role::parse)?;
    fields.check("roles", Role::together(taken))
}

/// A new link, in place of the one before. The password that the user has is good until the link is used.
#[utoipa::path(
    post, path = "/api/admin/users/{id}/password-link", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 201, description = "A link in place of the one before", body = PasswordLinkView),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "The user is disabled", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn password_link(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<(StatusCode, Json<PasswordLinkView>), ApiError> {
    let order = Order::without_body(&app, path, request).await?;
    let (token, link) = new_link(&app.password_links)?;
    let event = order.event(Kind::PasswordLink);
    let created = app.store.create_password_link(order.user_id, &link, &event).await;
    created.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    Ok((StatusCode::CREATED, Json(PasswordLinkView::new(&token, &app.password_links))))
}

fn new_link(settings: &PasswordLinkSettings) -> Result<(LinkToken, NewPasswordLink), ApiError> {
    let token = LinkToken::new().map_err(|e| ApiError::internal(&e, FAILED))?;
    let link = NewPasswordLink { token_hash: token.hash(), seconds: settings.seconds };
    Ok((token, link))
}

/// Deletes a user.
#[utoipa::path(
    delete, path = "/api/admin/users/{id}", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of the user")),
    responses(
        (status = 204, description = "Deleted, with all sessions"),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "The last administrator stays", body = ErrorBody),
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let order = Order::of(&app, path, client(&request), request.headers()).await?;
    let deleted = app.store.delete_user(order.user_id, &order.event(Kind::UserDelete)).await;
    deleted.map_err(|e| ApiError::of_administration(&e, FAILED))?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsersView {
    users: Vec<AccountView>,
    /// For the next part; `null` at the end.
    next_cursor: Option<String>,
}

/// A user as administrators see him. Times by RFC 3339.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountView {
    id: String,
    name: String,
    email: String,
    roles: Vec<String>,
    /// `false`: nobody can log in until a password link is used.
    has_password: bool,
    disabled: bool,
    disabled_at: Option<String>,
    created_at: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedView {
    user: AccountView,
    password_link: PasswordLinkView,
}

/// A link that is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordLinkView {
    /// For `POST /api/auth/password/link`.
    token: String,
    /// The page that takes the token; `null` where none is set.
    link: Option<String>,
    /// How long it is good, in seconds.
    expires_in: u32,
}

impl PasswordLinkView {
    fn new(token: &LinkToken, settings: &PasswordLinkSettings) -> Self {
        Self { token: token.text(), link: token.link(settings), expires_in: settings.seconds }
    }
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name,
            email: account.email,
            roles: account.roles,
            has_password: account.has_password,
            disabled: account.disabled_at.is_some(),
            disabled_at: account.disabled_at,
            created_at: account.created_at,
        }
    }
}
