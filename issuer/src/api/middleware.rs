//! What holds for every request.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Instrument, debug, info, info_span};

use super::error::{ApiError, Refusal};
use crate::feed::http::PATHS;
use crate::internal::PROBES;
use crate::metrics::Metrics;
use crate::random;

/// How long a request may take, its body included. Below the proxy's own timeout, so that the client learns why.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest request identifier that is taken over, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// The identifier of a request, in the log and in the trail.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Ends a request that takes too long. Its statement is dropped, and its hash goes on counting against the pool.
pub(crate) async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    }
}

/// Nothing that we answer may be kept or read as another type, unless the handler says otherwise.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// One line a request, also where its client does not wait for the answer.
pub(crate) async fn log(
    State(metrics): State<Option<Metrics>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(&request);
    let span = info_span!("request", request_id = id);
    request.extensions_mut().insert(RequestId(id));
    let line = Line::begin(&request, metrics);
    async move {
        let response = next.run(request).await;
        line.end(&response);
        response
    }
    .instrument(span)
    .await
}

/// The line of a request, with the route and not the path, which may hold anything.
struct Line {
    begin: Instant,
    method: &'static str,
    route: String,
    written: bool,
    /// `None`: not counted.
    metrics: Option<Metrics>,
}

impl Line {
    fn begin(request: &Request, metrics: Option<Metrics>) -> Self {
        if let Some(metrics) = &metrics {
            metrics.begin_request();
        }
        let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
        Self { begin: Instant::now(), method: method(request.method()), route, written: false, metrics }
    }

    fn end(mut self, response: &Response) {
        self.written = true;
        let (method, route, duration_us) = (self.method, self.route.as_str(), self.duration_us());
        let status = response.status();
        self.count(Some(status.as_u16()));
        let refusal = response.extensions().get::<Refusal>().map(|refusal| refusal.0);
        // A probe that finds all well every few seconds is no news, nor is what proxies ask all the time, and count.
        let is_known = status.is_success() || status.is_server_error() || status == StatusCode::CONFLICT;
        if PROBES.contains(&route) && status.is_success() || PATHS.contains(&route) && is_known {
            debug!(method, route, status = status.as_u16(), duration_us, "request");
        } else {
            info!(method, route, status = status.as_u16(), refusal, duration_us, "request");
        }
    }

    fn count(&self, status: Option<u16>) {
        if let Some(metrics) = &self.metrics {
            metrics.end_request(self.method, &self.route, status, self.begin.elapsed());
        }
    }

    fn duration_us(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A request whose client is gone is dropped where it waits, and has cost what it cost until then: a hash, maybe.
impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            self.count(None);
            let (method, route, duration_us) = (self.method, self.route.as_str(), self.duration_us());
            if PATHS.contains(&route) {
                debug!(method, route, outcome = "client gone", duration_us, "request");
            } else {
                info!(method, route, outcome = "client gone", duration_us, "request");
            }
        }
    }
}

/// The proxy's identifier of the request, so that its log and ours meet; a fresh one where it sent none that is fit.
fn request_id(request: &Request) -> String {
    let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let fit = |id: &&str| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match given.filter(fit) {
        Some(id) => id.to_owned(),
        None => random::uuid().map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// The standard methods by their names; clients can make up others.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::testing::Recording;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use std::future::{pending, ready};
    use tower::ServiceExt;

    #[tokio::test]
    async fn every_request_has_one_line_with_its_id_also_when_its_client_does_not_wait() {
        let recording = Recording::begin();
        let router = Router::new()
            .route("/answered", get(|| ready("x")))
            .route("/slow", get(pending::<()>))
            .layer(from_fn_with_state(None, log));
        let ask = |path: &str| {
            let request = Request::get(path).header("x-request-id", "6f1c").body(Body::empty()).unwrap();
            tokio::time::timeout(Duration::from_millis(20), router.clone().oneshot(request))
        };
        assert!(ask("/answered").await.is_ok());
        assert!(ask("/slow").await.is_err());
        let lines = recording.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains(r#""route":"/answered","status":200"#), "{lines:?}");
        assert!(lines[1].contains(r#""route":"/slow","outcome":"client gone""#), "{lines:?}");
        assert!(lines.iter().all(|line| line.contains(r#""request_id":"6f1c""#)), "{lines:?}");
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_replaced() {
        let id = |value: &[u8]| {
            request_id(&Request::get("/").header("x-request-id", value).body(Body::empty()).unwrap())
        };
        assert_eq!(id(b"6f1c-2"), "6f1c-2");
        for bad in [&b"a b"[..], b"\xff", b"", b"a\"b", &[b'x'; 65]] {
            assert_eq!(id(bad).len(), 36);
        }
    }
}
