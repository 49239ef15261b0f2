//! `GET /revocations/v1` and `GET /revocations/v1/keys`, on the internal listener.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bearward_protocol::revocations::{FEED_KEYS_PATH, FEED_MEDIA_TYPE, FEED_PATH};

use super::question::Question;
use super::refusal::Refusal;
use super::{Answer, Feed};
use crate::internal::Progress;

/// The paths that proxies ask all the time.
pub(crate) const PATHS: [&str; 2] = [FEED_PATH, FEED_KEYS_PATH];

/// The routes.
pub(crate) fn routes() -> Router<Arc<Progress>> {
    Router::new().route(FEED_PATH, get(revocations)).route(FEED_KEYS_PATH, get(keys))
}

async fn revocations(
    State(progress): State<Arc<Progress>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let feed = match feed(&progress) {
        Ok(feed) => Arc::clone(feed),
        Err(refusal) => return refusal.into_response(),
    };
    // Nothing of the request is kept while it waits but what is asked.
    let question = permitted(&feed, &headers)
        .and_then(|()| Question::parse(query.as_deref().unwrap_or_default()).map_err(Refusal::Malformed));
    drop((progress, query, headers));
    let answer = match question {
        Ok(question) => feed.ask(&question).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = match answer {
        Ok(Answer { kind, bytes }) => {
            feed.counts.answered(kind);
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FEED_MEDIA_TYPE));
            response
        }
        Err(refusal) => {
            feed.counts.refused(refusal);
            refusal.into_response()
        }
    };
    if feed.is_stopping() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The keys that verify answers (RFC 7517), and nothing else.
async fn keys(State(progress): State<Arc<Progress>>, headers: HeaderMap) -> Response {
    let answer = feed(&progress).and_then(|feed| {
        permitted(feed, &headers).inspect_err(|refusal| feed.counts.refused(*refusal))?;
        let ring = feed.ring();
        ring.jwk_set().map(|set| set.answer(&headers)).ok_or(Refusal::Keys)
    });
    answer.unwrap_or_else(IntoResponse::into_response)
}

fn feed(progress: &Progress) -> Result<&Arc<Feed>, Refusal> {
    let app = progress.app().ok_or(Refusal::Starting)?;
    app.feed.as_ref().ok_or(Refusal::Off)
}

fn permitted(feed: &Feed, headers: &HeaderMap) -> Result<(), Refusal> {
    if feed.credentials.are_in(headers) { Ok(()) } else { Err(Refusal::Credential) }
}
