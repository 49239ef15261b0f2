//! The feed as proxies see it, on a real PostgreSQL. Named after the sentences of `model/README.md`.

mod answers;
mod interface;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bearward_protocol::revocations::{FEED_KEYS_PATH, FEED_PATH};
use ed25519_dalek::{Signature, VerifyingKey};
use secrecy::SecretString;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use super::watch::{self, Pace};
use super::*;
use crate::api;
use crate::internal::{self, Progress};
use crate::store::connect;
use crate::store::testing::TestDatabase;

const CREDENTIAL: &str = "t9Wc2LrX7qVb4NzKf8YhJm3PdGs6RuEa";
const ISSUER: &str = "https://login.example.com";

/// A replica with its feed.
struct Replica {
    feed: Arc<Feed>,
    progress: Arc<Progress>,
    router: Router,
    watching: JoinHandle<()>,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// What was signed, and that it was signed by the feed.
#[derive(Clone, Debug)]
struct Signed(Value);

impl Drop for Replica {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn feeding() -> (TestDatabase, Store, Replica) {
    let (database, store) = TestDatabase::migrated().await;
    let replica = Replica::begin(&store, Pace::default(), 100).await;
    replica.read().await;
    (database, store, replica)
}

impl Replica {
    async fn begin(store: &Store, pace: Pace, polls: u32) -> Self {
        let keeper = Keeper::of_feed_test(store);
        let ring = keeper.load(None).await.unwrap();
        let credentials = Credentials::new(&[SecretString::from(CREDENTIAL)]);
        let mut feed = Feed::new(ISSUER.to_owned(), store.clone(), (keeper, ring), credentials, polls);
        feed.pace = pace;
        let feed = Arc::new(feed);
        let mut app = api::tests::app(store.clone(), Keeper::of_test(store).load(None).await.unwrap());
        app.feed = Some(Arc::clone(&feed));
        let progress = Arc::new(Progress::default());
        progress.started(Arc::new(app));
        let watching = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { watch::forever(&feed).await }
        });
        Self { router: internal::router(Arc::clone(&progress)), feed, progress, watching }
    }

    /// Waits until what is committed now was read.
    async fn read(&self) {
        // On a machine that is busy a reading may take longer than who asks waits for it.
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.feed.read_anew().await.is_err() {
            assert!(Instant::now() < deadline, "it cannot read");
        }
    }

    /// Reads, and does not read again by itself, where it neither looks nor listens.
    async fn settle(&self) {
        self.read().await;
        // It may have been asked for while the first reading was yet to begin.
        until("it has read twice", || self.feed.readings.good.load(Ordering::Relaxed) >= 2).await;
    }

    async fn get(&self, path: &str, credential: &str) -> Got {
        let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {credential}"));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Got { status: parts.status, headers: parts.headers, text }
    }

    async fn asks(&self, query: &str) -> Got {
        self.get(&format!("{FEED_PATH}?{query}"), CREDENTIAL).await
    }

    /// Asks for what must be answered.
    async fn answer(&self, query: &str) -> Signed {
        let got = self.asks(query).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text);
        self.verified(&got.text).await
    }

    /// An answer whose signature holds by the published keys.
    async fn verified(&self, jws: &str) -> Signed {
        let keys = self.get(FEED_KEYS_PATH, CREDENTIAL).await;
        let keys: Value = serde_json::from_str(&keys.text).unwrap();
        Signed(payload(jws, &keys).expect("a key of the feed signed it"))
    }

    async fn snapshot(&self) -> Signed {
        self.answer("").await
    }

    async fn delta(&self, from: &Signed, wait: u64) -> Signed {
        self.answer(&format!("{}&wait={wait}", from.position())).await
    }
}

impl Signed {
    /// The position after it, as a query.
    fn position(&self) -> String {
        let Self(value) = self;
        let [generation, digest] =
            [&value["generation"], &value["head"]["digest"]].map(|text| text.as_str().unwrap());
        format!("generation={generation}&sequence={}&digest={digest}", value["head"]["sequence"])
    }

    fn sequences(&self) -> Vec<u64> {
        self.0["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["sequence"].as_u64().unwrap())
            .collect()
    }

    fn head(&self) -> u64 {
        self.0["head"]["sequence"].as_u64().unwrap()
    }

    fn as_of(&self) -> u64 {
        self.0["as_of"].as_u64().unwrap()
    }
}

/// The payload of a JWS that a key of this set has signed.
fn payload(jws: &str, keys: &Value) -> Option<Value> {
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"])?;
    let key: [u8; 32] = decode(key["x"].as_str().unwrap()).try_into().unwrap();
    let signature = Signature::from_slice(&decode(signature)).unwrap();
    VerifyingKey::from_bytes(&key).unwrap().verify_strict(message.as_bytes(), &signature).ok()?;
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("revocations+jwt"), Some("EdDSA")));
    let parsed: Value = serde_json::from_slice(&decode(payload)).unwrap();
    // As strictly as a filter reads it.
    let _: FeedAnswer<'_> = serde_json::from_slice(&decode(payload)).unwrap();
    Some(parsed)
}

impl Store {
    /// Ends so many sessions, whose records end after so many seconds. Not all in one transaction: the head's row has a version
    /// for each of its records, which the next one goes through.
    async fn revoke(&self, records: i64, seconds: i64) {
        for begin in (0..records).step_by(500) {
            let records = (records - begin).min(500);
            let statement = format!(
                "WITH head AS (UPDATE revocation_head SET sequence = sequence + {records}
                               RETURNING sequence - {records} AS before)
                 INSERT INTO revocations (sequence, kind, name, ends_at)
                 SELECT before + number, 'session', 'session-' || (before + number),
                        floor(extract(epoch FROM now()))::bigint + {seconds}
                 FROM head, generate_series(1, {records}) AS number ORDER BY number"
            );
            self.execute(statement.leak()).await;
        }
    }
}

/// Until something holds that another task brings about.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}
