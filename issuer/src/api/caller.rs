//! Who asks: by a token of ours, which the filter need not have seen.

use std::time::SystemTime;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use bearward_core::Rejection;

use super::error::ApiError;
use crate::account::ADMIN;
use crate::app::App;
use crate::audit::{By, Event, Kind};
use crate::store::{Client, Profile, Standing, TokenIdentity};

/// Whoever holds a token that is good at this moment.
pub(crate) struct Caller {
    pub(crate) token: TokenIdentity,
    pub(crate) user: Profile,
}

impl Caller {
    /// Verifies the Bearer token as the filter does, and asks the database what no signature can say: whether its
    /// session lives. Identity headers are not looked at: whoever reaches us past the filter could set them.
    ///
    /// # Errors
    /// [`ApiError::Rejected`]; the database's as those of doing what `failed` names.
    pub(crate) async fn of(app: &App, headers: &HeaderMap, failed: &'static str) -> Result<Self, ApiError> {
        let authorization = headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
        let token = app.tokens.identity(authorization, now()).map_err(ApiError::Rejected)?;
        match app.store.standing(&token).await.map_err(|e| ApiError::of_store(&e, failed))? {
            Standing::Good(user) => Ok(Self { token, user }),
            Standing::Revoked => Err(ApiError::Rejected(Rejection::TokenRevoked)),
            Standing::Gone => Err(ApiError::Rejected(Rejection::SubjectGone)),
        }
    }
}

/// A caller who is an administrator at this moment.
pub(crate) struct Administrator(pub(crate) Caller);

impl Administrator {
    /// As [`Caller::of`]. The role stands in the database: what the token says of it counts neither for nor against. What is
    /// done then asks once more, under its lock.
    ///
    /// # Errors
    /// As [`Caller::of`]; the filter's own rejection where the role is missing.
    pub(crate) async fn of(app: &App, headers: &HeaderMap, failed: &'static str) -> Result<Self, ApiError> {
        let caller = Caller::of(app, headers, failed).await?;
        let has_role = caller.user.roles.iter().any(|role| role == ADMIN);
        if has_role { Ok(Self(caller)) } else { Err(ApiError::Rejected(Rejection::RoleMissing)) }
    }

    /// This administrator, at this client.
    pub(crate) fn by<'a>(&self, client: &'a Client) -> By<'a> {
        By::user(self.0.user.id, client)
    }

    /// Something that this administrator does, to a user that [`Event::about`] names.
    pub(crate) fn event<'a>(&self, kind: Kind, client: &'a Client) -> Event<'a> {
        Event::of_user(kind, self.0.user.id, client)
    }
}

/// Seconds since the epoch. A clock before it counts as the epoch, where every token is not valid yet.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
