//! The access token of Bearward's issuer: the profile of RFC 9068.

use serde::{Deserialize, Serialize};

/// The `typ` of the JOSE header (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The payload of an access token. Identifiers and roles only, nothing personal: anyone can read a token.
///
/// `sid`, `user_version` and `epoch` are what revocation records name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct AccessTokenClaims {
    /// The issuer identifier (RFC 7519 section 4.1.1).
    pub iss: String,
    /// The user's identifier; unique within `iss`.
    pub sub: String,
    /// The audiences (RFC 7519 section 4.1.3), always as an array.
    pub aud: Vec<String>,
    /// Expiration, in seconds since the epoch (RFC 7519 section 4.1.4).
    pub exp: u64,
    /// Time of issue, in seconds since the epoch (RFC 7519 section 4.1.6).
    pub iat: u64,
    /// The token's own identifier (RFC 7519 section 4.1.7).
    pub jti: String,
    /// The session that the token belongs to.
    pub sid: String,
    /// The user's roles at the time of issue.
    pub roles: Vec<String>,
    /// Raised by every change of the user that must end older tokens.
    pub user_version: u64,
    /// Raised by everything that must end all older tokens (revoke all, restore of the database).
    pub epoch: u64,
}
