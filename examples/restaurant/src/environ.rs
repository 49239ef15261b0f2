//! Who the caller is, read the way a trusting upstream reads it.
//!
//! CGI (RFC 3875 section 4.1.18), WSGI, Rack and PHP hand headers to the application as variables: upper case, `-`
//! turned into `_`. `X-User-Id`, `x-user-id` and `x_user_id` are then one and the same, and in many such servers the
//! last one wins. Some servers also add the trailers, which arrive after the body, to the headers. This upstream does
//! both on purpose: it is the worst case that a proxy which vouches for identity headers must be safe with.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode;

use crate::api::Problem;

/// The largest body that is read, in bytes: an order of [`MAX_ITEMS`](crate::kitchen::MAX_ITEMS) needs far less.
const MAX_BODY: usize = 16 * 1024;

/// Who asks, if anyone was named.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `x-user-id`.
    pub(crate) user_id: Option<String>,
    /// `x-user-roles`, comma separated.
    roles: Vec<String>,
}

impl Caller {
    /// Whether the caller sees the orders of everyone.
    pub(crate) fn sees_all_orders(&self) -> bool {
        self.roles.iter().any(|role| role == "admin" || role == "rider")
    }
}

/// Reads the whole request, then names its [`Caller`] to the handlers.
pub(crate) async fn name_caller(request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let (body, trailers) = match read(body).await {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    let environ = fold([&head.headers, &trailers]);
    head.extensions.insert(caller(&environ));
    next.run(Request::from_parts(head, Body::from(body))).await
}

async fn read(body: Body) -> Result<(Bytes, HeaderMap), Problem> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => {
            let trailers = collected.trailers().cloned().unwrap_or_default();
            Ok((collected.to_bytes(), trailers))
        }
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"))
        }
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "The body ended early")),
    }
}

/// Header names as variables. The last header of a name wins.
fn fold(maps: [&HeaderMap; 2]) -> HashMap<String, &[u8]> {
    let headers = maps.into_iter().flatten();
    headers
        .map(|(name, value)| (name.as_str().to_ascii_uppercase().replace('-', "_"), value.as_bytes()))
        .collect()
}

fn caller(environ: &HashMap<String, &[u8]>) -> Caller {
    let roles = environ.get("X_USER_ROLES").copied().unwrap_or_default();
    Caller {
        user_id: environ.get("X_USER_ID").map(|id| decoded(id)),
        // Split first: a comma that was encoded belongs to its role.
        roles: roles.split(|byte| *byte == b',').map(decoded).filter(|role| !role.is_empty()).collect(),
    }
}

fn decoded(value: &[u8]) -> String {
    percent_decode(value.trim_ascii()).decode_utf8_lossy().into_owned()
}
