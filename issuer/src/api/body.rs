//! Reads a request body: bounded in size and time, a JSON object, strict.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::error::ApiError;
use super::fields::Fields;

/// The largest body, in bytes. The longest acceptable one is far below.
pub(crate) const MAX_BODY_BYTES: usize = 8 * 1024;
/// How much of a body that is too large is read and thrown away before the answer, in bytes. A connection that is
/// closed on unread data is reset, and the client may never see why.
const MAX_DISCARDED_BYTES: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const READ_TIME: Duration = Duration::from_secs(5);

/// A request whose body has arrived and is not read yet. Whoever may only do something *now* is asked for between the two.
pub(crate) struct Received {
    headers: HeaderMap,
    bytes: Vec<u8>,
}

/// Waits for the body of a request.
///
/// # Errors
/// [`ApiError::BodyTooLarge`], [`ApiError::BodyTooSlow`]; [`ApiError::Body`] where it breaks off.
pub(crate) async fn received(request: Request<Body>) -> Result<Received, ApiError> {
    let (head, body) = request.into_parts();
    let bytes = timeout(READ_TIME, bytes(body)).await.map_err(|_| ApiError::BodyTooSlow)??;
    Ok(Received { headers: head.headers, bytes })
}

/// Reads the body of a request as a JSON object without duplicate members.
///
/// # Errors
/// [`ApiError::Body`], [`ApiError::BodyTooLarge`], [`ApiError::BodyTooSlow`]
pub(crate) async fn object(request: Request<Body>) -> Result<Map<String, Value>, ApiError> {
    received(request).await?.object()
}

/// The same, where no body at all counts as an object without members.
///
/// # Errors
/// As [`object`].
pub(crate) async fn optional_object(request: Request<Body>) -> Result<Map<String, Value>, ApiError> {
    received(request).await?.optional_object()
}

impl Received {
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as a JSON object without duplicate members.
    ///
    /// # Errors
    /// [`ApiError::Body`]
    pub(crate) fn object(&self) -> Result<Map<String, Value>, ApiError> {
        // Demanded also because a browser sends no `application/json` across sites without asking first.
        if !self.headers.get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes())) {
            return Err(ApiError::Body("Content-Type must be application/json"));
        }
        bearward_core::json::parse_object(&self.bytes)
            .map_err(|_| ApiError::Body("Request body must be one JSON object without duplicate members"))
    }

    /// The same, where no body at all counts as an object without members.
    ///
    /// # Errors
    /// As [`Received::object`].
    pub(crate) fn optional_object(&self) -> Result<Map<String, Value>, ApiError> {
        if self.bytes.is_empty() { Ok(Map::new()) } else { self.object() }
    }

    /// No body, or an object without members.
    ///
    /// # Errors
    /// As [`Received::object`], and [`ApiError::Fields`].
    pub(crate) fn nothing(&self) -> Result<(), ApiError> {
        Fields::new(self.optional_object()?).finish(Some(()))
    }
}

/// Counts what arrives: `Content-Length` may be absent.
async fn bytes(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut received: usize = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::Body("Request body is incomplete"))?;
        let Some(data) = frame.data_ref() else { continue };
        received = received.saturating_add(data.len());
        if received <= MAX_BODY_BYTES {
            bytes.extend_from_slice(data);
        } else if received > MAX_DISCARDED_BYTES {
            break;
        }
    }
    if received > MAX_BODY_BYTES { Err(ApiError::BodyTooLarge) } else { Ok(bytes) }
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, body: impl Into<Body>) -> Request<Body> {
        Request::post("/").header(CONTENT_TYPE, content_type).body(body.into()).unwrap()
    }

    #[tokio::test]
    async fn a_json_object_is_read_with_any_parameter_of_its_type() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(object(request(content_type, r#"{"a":1}"#)).await.unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn what_is_no_json_object_is_refused() {
        let array: &[u8] = b"[1]";
        for body in
            [&b""[..], b"not json", array, b"\"x\"", b"{", b"{} {}", b"{\"a\":1,\"a\":2}", b"\xff", b"null"]
        {
            let refused = object(request("application/json", body.to_vec())).await;
            assert!(matches!(refused, Err(ApiError::Body(_))), "{body:?}");
        }
    }

    #[tokio::test]
    async fn no_body_is_an_object_without_members_where_that_is_allowed() {
        let nothing = || Request::post("/").body(Body::empty()).unwrap();
        assert!(optional_object(nothing()).await.unwrap().is_empty());
        assert!(object(nothing()).await.is_err());
        assert_eq!(optional_object(request("application/json", r#"{"a":1}"#)).await.unwrap().len(), 1);
        assert!(optional_object(request("text/plain", "{}")).await.is_err());
        assert!(optional_object(request("application/json", " ")).await.is_err());
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let refused = object(request(content_type, "{}")).await;
            assert!(
                matches!(refused, Err(ApiError::Body("Content-Type must be application/json"))),
                "{content_type}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_beyond_the_bound_is_too_large() {
        let object_of = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(object(request("application/json", object_of(MAX_BODY_BYTES))).await.is_ok());
        for bytes in [MAX_BODY_BYTES + 1, 1024 * 1024, MAX_DISCARDED_BYTES + 1] {
            let refused = object(request("application/json", object_of(bytes))).await;
            assert!(matches!(refused, Err(ApiError::BodyTooLarge)), "{bytes}");
        }
    }
}
