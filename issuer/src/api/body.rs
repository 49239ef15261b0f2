//! Reads a request body: bounded in size and time, a JSON object, strict.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
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

/// Reads the body of a request as a JSON object without duplicate members.
///
/// # Errors
/// [`ApiError::Body`], [`ApiError::BodyTooLarge`], [`ApiError::BodyTooSlow`]
pub(crate) async fn object(request: Request<Body>) -> Result<Map<String, Value>, ApiError> {
    read(request, false).await
}

/// The same, where no body at all counts as an object without members.
///
/// # Errors
/// As [`object`].
pub(crate) async fn optional_object(request: Request<Body>) -> Result<Map<String, Value>, ApiError> {
    read(request, true).await
}

/// No body, or an object without members.
///
/// # Errors
/// As [`object`], and [`ApiError::Fields`].
pub(crate) async fn nothing(request: Request<Body>) -> Result<(), ApiError> {
    Fields::new(optional_object(request).await?).finish(Some(()))
}

async fn read(request: Request<Body>, may_be_empty: bool) -> Result<Map<String, Value>, ApiError> {
    let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
    let bytes = timeout(READ_TIME, bytes(request.into_body())).await.map_err(|_| ApiError::BodyTooSlow)??;
    if may_be_empty && bytes.is_empty() {
        return Ok(Map::new());
    }
    // Demanded also because a browser sends no `application/json` across sites without asking first.
    if !is_json {
        return Err(ApiError::Body("Content-Type must be application/json"));
    }
    bearward_core::json::parse_object(&bytes)
        .map_err(|_| ApiError::Body("Request body must be one JSON object without duplicate members"))
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
