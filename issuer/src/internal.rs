//! The internal listener: probes and metrics for whoever runs this process, and the feed of revocations for proxies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::api;
use crate::app::App;
use crate::feed;
use crate::metrics;

/// The paths that are asked every few seconds.
pub(crate) const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// How long readiness waits for the database.
const PING: Duration = Duration::from_secs(2);

/// How far this process is.
#[derive(Default)]
pub(crate) struct Progress {
    app: OnceLock<Arc<App>>,
    stopping: AtomicBool,
}

impl Progress {
    /// Everything, once the start is complete.
    pub(crate) fn app(&self) -> Option<&Arc<App>> {
        self.app.get()
    }

    /// Requests can be served from now on.
    pub(crate) fn started(&self, app: Arc<App>) {
        let _ = self.app.set(app);
    }

    /// No new request should come from now on.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(feed) = self.app().and_then(|app| app.feed.as_ref()) {
            feed.stop();
        }
    }
}

/// The routes of the internal listener.
pub(crate) fn router(progress: Arc<Progress>) -> Router {
    let [live, ready, metrics] = PROBES;
    let routes = Router::new()
        .route(live, get(livez))
        .route(ready, get(readyz))
        .route(metrics, get(scrape))
        .merge(feed::http::routes())
        .with_state(progress);
    api::guarded(routes, None)
}

/// Alive: a restart would not help. Says nothing of the database, whose absence no restart cures.
async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Ready: migrated, keys at hand, and PostgreSQL answers and takes writes at this moment.
async fn readyz(State(progress): State<Arc<Progress>>) -> (StatusCode, Json<Value>) {
    let (status, text) = match progress.app.get() {
        _ if progress.stopping.load(Ordering::Relaxed) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Some(app) => match timeout(PING, app.store.is_writable()).await {
            Ok(Ok(true)) => (StatusCode::OK, "ready"),
            Ok(Ok(false)) => (StatusCode::SERVICE_UNAVAILABLE, "database read-only"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "database unavailable"),
        },
    };
    (status, Json(json!({ "status": text })))
}

/// What is counted. Before the start is complete there is nothing to tell.
async fn scrape(State(progress): State<Arc<Progress>>) -> Response {
    let Some(app) = progress.app.get() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    match metrics::render(app) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    async fn status(progress: &Arc<Progress>, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router(Arc::clone(progress)).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_process_that_starts_or_stops_is_alive_and_not_ready() {
        let progress = Arc::new(Progress::default());
        for stopping in [false, true] {
            if stopping {
                progress.stopping();
            }
            assert_eq!(status(&progress, "/livez").await, StatusCode::OK);
            assert_eq!(status(&progress, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}
