//! What clients see: shapes of the tutorial's API first, additions beside them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::refresh::RefreshToken;
use crate::store::{Grant, Profile};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    id: String,
    name: String,
    email: String,
    /// The first of the user's roles; the token holds all of them.
    role: String,
}

/// The answer to a signup, a login, a refresh or a password change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionView {
    /// The access token by the name that the tutorial's clients read.
    pub(crate) token: String,
    /// The same, by the name that goes with the refresh token's.
    pub(crate) access_token: String,
    /// How to present it (RFC 6749 section 7.1).
    pub(crate) token_type: &'static str,
    /// The life of the access token, in seconds.
    pub(crate) expires_in: u64,
    /// To be used once, at `POST /api/auth/refresh`.
    pub(crate) refresh_token: String,
    /// How long it may be used, in seconds.
    pub(crate) refresh_expires_in: u64,
    pub(crate) user: UserView,
}

impl SessionView {
    pub(crate) fn new(token: String, refresh_token: &RefreshToken, grant: Grant) -> Self {
        Self {
            access_token: token.clone(),
            token,
            token_type: "Bearer",
            expires_in: grant.expires_at.saturating_sub(grant.issued_at),
            refresh_token: refresh_token.text(),
            refresh_expires_in: grant.refresh_seconds,
            user: grant.user.into(),
        }
    }
}

impl From<Profile> for UserView {
    fn from(user: Profile) -> Self {
        let role = user.roles.into_iter().next().unwrap_or_default();
        Self { id: user.id.to_string(), name: user.name, email: user.email, role }
    }
}
