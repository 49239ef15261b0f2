//! What clients see: shapes of the tutorial's API first, additions beside them.

use serde::Serialize;

use crate::store::Profile;

/// A user.
#[derive(Debug, Serialize)]
pub(crate) struct UserView {
    id: String,
    name: String,
    email: String,
    /// The first of the user's roles; the token holds all of them.
    role: String,
}

/// The answer to a signup or a login.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionView {
    /// The access token by the name that the tutorial's clients read.
    pub(crate) token: String,
    /// The same, by the name that goes with the refresh token's.
    pub(crate) access_token: String,
    /// How to present it (RFC 6749 section 7.1).
    pub(crate) token_type: &'static str,
    /// The life of the access token, in seconds.
    pub(crate) expires_in: u32,
    pub(crate) user: UserView,
}

impl SessionView {
    pub(crate) fn new(token: String, expires_in: u32, user: Profile) -> Self {
        Self { access_token: token.clone(), token, token_type: "Bearer", expires_in, user: user.into() }
    }
}

impl From<Profile> for UserView {
    fn from(user: Profile) -> Self {
        let role = user.roles.into_iter().next().unwrap_or_default();
        Self { id: user.id.to_string(), name: user.name, email: user.email, role }
    }
}
