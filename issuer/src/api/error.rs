//! Every way in which a request fails: one table.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bearward_core::{LocalResponse, Rejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::hashing::HashError;
use crate::keys::KeysError;
use crate::store::{AdministrationError, Refused, StoreError};
use crate::throttle::{Denied, Throttled};
use crate::tokens::IssueError;

/// The longest that a client is told to wait, in seconds: the longest window that there is a setting for.
const MAX_RETRY_AFTER_SECONDS: u64 = 86_400;

/// A request that failed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The body is no acceptable JSON object.
    Body(&'static str),
    /// Fields of the body are missing, wrong or unknown; never empty.
    Fields(Vec<FieldError>),
    /// The body is too large.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// Somebody has this e-mail.
    EmailTaken,
    /// Unknown e-mail, wrong password or disabled user: not to be told apart.
    InvalidLogin,
    /// Unknown, expired or used refresh token, ended session or disabled user: not to be told apart.
    InvalidRefreshToken,
    /// The token is refused, as the filter refuses it.
    Rejected(Rejection),
    /// Unknown, used, void or expired password link: not to be told apart.
    InvalidPasswordLink,
    /// Nobody would be left who can administer.
    LastAdministrator,
    /// What is asked for means nothing for a disabled user.
    UserDisabled,
    /// Keys are asked to rotate where secrets sign.
    NoKeys,
    /// A key waits already for its time to sign, or as many are published as may be.
    NoSuccessorNow,
    /// There is no such route.
    NotFound,
    /// There is such a route, for another method.
    MethodNotAllowed,
    /// Too many attempts, and how many seconds until the next is allowed.
    Throttled { by: Throttled, seconds: u64 },
    /// As much is hashed as may be.
    Busy,
    /// PostgreSQL is away.
    DatabaseUnavailable,
    /// No answer within the deadline.
    DeadlineExceeded,
    /// A fault of ours, with what did not work.
    Internal(&'static str),
}

/// Why a response is what it is, for the log line of its request. A constant: nothing of the request is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal(pub(crate) &'static str);

/// What failed, in words.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    #[schema(example = "Email is required")]
    error: String,
    /// The first field that is wrong.
    #[schema(example = "email", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// All that are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) error: String,
}

impl ApiError {
    /// The table.
    fn row(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Body(text) => (StatusCode::BAD_REQUEST, text),
            Self::Fields(_) => (StatusCode::BAD_REQUEST, "Invalid request"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "Request body too slow"),
            Self::EmailTaken => (StatusCode::CONFLICT, "Email already registered"),
            Self::InvalidLogin => (StatusCode::UNAUTHORIZED, "Invalid email or password"),
            Self::InvalidRefreshToken => (StatusCode::UNAUTHORIZED, "Invalid refresh token"),
            Self::InvalidPasswordLink => (StatusCode::BAD_REQUEST, "Invalid or expired link"),
            Self::LastAdministrator => (
                StatusCode::CONFLICT,
                "This is the last administrator who can log in: make another one first",
            ),
            Self::UserDisabled => (StatusCode::CONFLICT, "User is disabled"),
            Self::NoKeys => {
                (StatusCode::CONFLICT, "Tokens are signed with secrets, which change by settings")
            }
            Self::NoSuccessorNow => {
                (StatusCode::CONFLICT, "A key waits already for its time to sign, or too many are published")
            }
            Self::Rejected(_) => (StatusCode::UNAUTHORIZED, "Invalid token"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts, try again later"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Too busy, try again"),
            Self::DatabaseUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable, try again")
            }
            Self::DeadlineExceeded => (StatusCode::SERVICE_UNAVAILABLE, "Took too long, try again"),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        }
    }

    /// A statement failed while doing what `failed` names. The cause is logged and not sent.
    pub(crate) fn of_store(error: &StoreError, failed: &'static str) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(cause = %error, "PostgreSQL is unavailable");
                Self::DatabaseUnavailable
            }
            StoreError::NoSchema | StoreError::Failed(_) => Self::internal(error, failed),
        }
    }

    /// An administrator's wish was refused or failed while doing what `failed` names.
    pub(crate) fn of_administration(error: &AdministrationError, failed: &'static str) -> Self {
        match error {
            AdministrationError::Store(error) => Self::of_store(error, failed),
            AdministrationError::Refused(refused) => Self::of_refused(*refused),
        }
    }

    fn of_refused(refused: Refused) -> Self {
        match refused {
            Refused::NoSuchUser => Self::NotFound,
            Refused::LastAdministrator => Self::LastAdministrator,
            Refused::NotAdministrator => Self::Rejected(Rejection::RoleMissing),
            Refused::EmailTaken => Self::EmailTaken,
            Refused::Disabled => Self::UserDisabled,
            // Roles of a request are counted when it is read; what adds to those that are there is the command line's.
            Refused::TooManyRoles => {
                Self::Fields(vec![FieldError { field: "roles".to_owned(), error: refused.to_string() }])
            }
        }
    }

    /// The keys did not rotate while doing what `failed` names.
    pub(crate) fn of_keys(error: &KeysError, failed: &'static str) -> Self {
        match error {
            KeysError::Store(error) => Self::of_store(error, failed),
            KeysError::NotNow(_) => Self::NoSuccessorNow,
            KeysError::Refused(refused) => Self::of_refused(*refused),
            _ => Self::internal(error, failed),
        }
    }

    /// An attempt may not be made at what `failed` names.
    pub(crate) fn of_throttle(denied: &Denied, failed: &'static str) -> Self {
        match denied {
            Denied::Throttled { by, wait } => {
                // Rounded up: who comes back after so many seconds is not refused again.
                let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
                Self::Throttled { by: *by, seconds: seconds.clamp(1, MAX_RETRY_AFTER_SECONDS) }
            }
            Denied::Unknown(error) => Self::of_store(error, failed),
        }
    }

    /// Hashing failed while doing what `failed` names.
    pub(crate) fn of_hashing(error: &HashError, failed: &'static str) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Failed(_) => Self::internal(error, failed),
        }
    }

    /// No token was made while doing what `failed` names.
    pub(crate) fn of_issue(error: &IssueError, failed: &'static str) -> Self {
        match error {
            IssueError::StaleKeys => {
                tracing::warn!(cause = %error, "no token is made");
                Self::DatabaseUnavailable
            }
            _ => Self::internal(error, failed),
        }
    }

    /// A fault of ours. The cause is logged and not sent.
    pub(crate) fn internal(cause: &(impl std::fmt::Display + ?Sized), failed: &'static str) -> Self {
        tracing::error!(%cause, failed, "a request failed by a fault of the issuer");
        Self::Internal(failed)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Rejected(rejection) = self {
            return rejected(rejection);
        }
        let (status, text) = self.row();
        let retry_after = match &self {
            Self::Throttled { seconds, .. } => Some(HeaderValue::from(*seconds)),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(HeaderValue::from_static("1")),
            _ => None,
        };
        let errors = if let Self::Fields(errors) = self { errors } else { Vec::new() };
        let first = errors.first().cloned();
        let body = ErrorBody {
            error: first.as_ref().map_or_else(|| text.to_owned(), |first| first.error.clone()),
            field: first.map(|first| first.field),
            errors,
        };
        let mut response = (status, axum::Json(body)).into_response();
        response.extensions_mut().insert(Refusal(text));
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, retry_after);
        }
        // RFC 9110 section 15.5.2: a 401 must hold a challenge.
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"bearward\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The response that the filter would give: one rejection looks the same wherever it is made.
fn rejected(rejection: Rejection) -> Response {
    let local = LocalResponse::of(rejection, false);
    let mut response = Response::new(Body::from(local.body));
    response.extensions_mut().insert(Refusal(rejection.row().reason));
    *response.status_mut() = StatusCode::from_u16(local.status).unwrap_or(StatusCode::UNAUTHORIZED);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    for (name, value) in local.headers {
        if let Ok(value) = HeaderValue::try_from(value.as_ref()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn every() -> Vec<ApiError> {
        let field = FieldError { field: "name".to_owned(), error: "Name is required".to_owned() };
        let mut all = vec![
            ApiError::Body("x"),
            ApiError::Fields(vec![field]),
            ApiError::BodyTooLarge,
            ApiError::BodyTooSlow,
            ApiError::EmailTaken,
            ApiError::InvalidLogin,
            ApiError::InvalidRefreshToken,
            ApiError::InvalidPasswordLink,
            ApiError::LastAdministrator,
            ApiError::UserDisabled,
            ApiError::NoKeys,
            ApiError::NoSuccessorNow,
            ApiError::NotFound,
            ApiError::MethodNotAllowed,
            ApiError::Throttled { by: Throttled::Address, seconds: 90 },
            ApiError::Busy,
            ApiError::DatabaseUnavailable,
            ApiError::DeadlineExceeded,
            ApiError::Internal("Login failed"),
        ];
        all.extend(Rejection::ALL.iter().map(|rejection| ApiError::Rejected(*rejection)));
        all
    }

    #[test]
    fn the_time_to_come_again_is_rounded_up_to_seconds_and_has_bounds() {
        for (wait, seconds) in [
            (Duration::ZERO, "1"),
            (Duration::from_millis(1), "1"),
            (Duration::from_secs(90), "90"),
            (Duration::from_micros(90_000_001), "91"),
            (Duration::MAX, "86400"),
        ] {
            let denied = Denied::Throttled { by: Throttled::Account, wait };
            let response = ApiError::of_throttle(&denied, "Login failed").into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[RETRY_AFTER], seconds);
        }
    }

    #[tokio::test]
    async fn every_error_is_json_with_a_text_and_the_headers_of_its_status() {
        for error in every() {
            let name = format!("{error:?}");
            let response = error.into_response();
            let status = response.status();
            let has = |header: HeaderName| response.headers().contains_key(header);
            let later = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
            assert_eq!(has(RETRY_AFTER), later.contains(&status), "{name}");
            assert!(has(WWW_AUTHENTICATE) || status != StatusCode::UNAUTHORIZED, "{name}");
            assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().ends_with("json"), "{name}");
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(body["error"].is_string(), "{name}");
        }
    }
}
