//! Every way in which the feed refuses: one table.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api;

/// A question that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The feed is off.
    Off,
    /// No credential, or none of ours.
    Credential,
    /// The query is none.
    Malformed(&'static str),
    /// The position is not of this log, or not any more.
    Conflict,
    /// The primary was not read lately.
    Blind,
    /// There is nothing to sign with at the moment.
    Keys,
    /// As many polls wait as may.
    Busy,
    Starting,
    Stopping,
}

impl Refusal {
    /// Each one, once.
    pub(super) const ALL: [Self; 9] = [
        Self::Off,
        Self::Credential,
        Self::Malformed(""),
        Self::Conflict,
        Self::Blind,
        Self::Keys,
        Self::Busy,
        Self::Starting,
        Self::Stopping,
    ];

    /// The table: status, name for who counts, text for who asks.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        let later = StatusCode::SERVICE_UNAVAILABLE;
        match self {
            Self::Off => (StatusCode::NOT_FOUND, "off", "The feed of revocations is off"),
            Self::Credential => (StatusCode::UNAUTHORIZED, "credential", "Invalid credential"),
            Self::Malformed(what) => (StatusCode::BAD_REQUEST, "malformed", what),
            Self::Conflict => {
                (StatusCode::CONFLICT, "conflict", "Not a position of this log: take a snapshot")
            }
            Self::Blind => (later, "blind", "The database was not read lately, try again"),
            Self::Keys => (later, "keys", "There is no key to sign with, try again"),
            Self::Busy => (later, "busy", "Too many polls wait, try again"),
            Self::Starting => (later, "starting", "Starting, try again"),
            Self::Stopping => (later, "stopping", "Stopping, try another replica"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// Its place in [`Refusal::ALL`].
    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|other| other.name() == self.name()).unwrap_or(0)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, _, text) = self.row();
        let mut response = (status, Json(json!({ "error": text }))).into_response();
        response.extensions_mut().insert(api::Refusal(text));
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bearward-feed\""));
        }
        response
    }
}
