//! `/api/admin/`: what administrators see and do.
//!
//! Who may is read from the database for every request, once all of it has arrived, and for what changes anything once more
//! under the lock that makes one administrator decide at a time (`store::administration`).

mod access;
mod audit;
mod cursor;
mod keys;
mod revocations;
mod users;

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::body;
use super::caller::Administrator;
use super::client::client;
use super::error::ApiError;
use super::fields::Fields;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::store::Client;

const FAILED: &str = "Request failed";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::one, users::delete))
        .routes(routes!(access::set_roles))
        .routes(routes!(access::disable))
        .routes(routes!(access::enable))
        .routes(routes!(access::log_out))
        .routes(routes!(access::sessions))
        .routes(routes!(access::end_session))
        .routes(routes!(users::password_link))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(revocations::revoke))
        .routes(routes!(audit::list))
}

/// What an administrator asks for about a user, from where.
struct Order {
    administrator: Administrator,
    client: Client,
    user_id: Uuid,
}

impl Order {
    /// # Errors
    /// As [`Administrator::of`]; [`ApiError::NotFound`] for what is no identifier.
    async fn of(
        app: &App,
        user: Result<Path<String>, PathRejection>,
        client: Client,
        headers: &HeaderMap,
    ) -> Result<Self, ApiError> {
        let administrator = Administrator::of(app, headers, FAILED).await?;
        Ok(Self { administrator, client, user_id: id(user)? })
    }

    /// The same, with the fields of the body, once that has arrived: until then he may have lost the role.
    async fn with_fields(
        app: &App,
        user: Result<Path<String>, PathRejection>,
        request: Request,
    ) -> Result<(Self, Fields), ApiError> {
        let client = client(&request);
        let received = body::received(request).await?;
        let order = Self::of(app, user, client, received.headers()).await?;
        Ok((order, Fields::new(received.object()?)))
    }

    /// The same, where the request says all of it: a body with anything in it is refused.
    async fn without_body(
        app: &App,
        user: Result<Path<String>, PathRejection>,
        request: Request,
    ) -> Result<Self, ApiError> {
        let client = client(&request);
        let received = body::received(request).await?;
        let order = Self::of(app, user, client, received.headers()).await?;
        received.nothing()?;
        Ok(order)
    }

    fn event(&self, kind: Kind) -> Event<'_> {
        self.administrator.event(kind, &self.client).about(self.user_id)
    }
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
