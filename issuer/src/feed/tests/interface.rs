//! Who may ask, how many at a time, and until when.

use super::*;
use crate::metrics;

#[tokio::test]
async fn without_one_of_the_credentials_nothing_is_told_and_without_any_set_there_is_no_feed() {
    let (_database, store, replica) = feeding().await;
    for path in [FEED_PATH, FEED_KEYS_PATH] {
        assert_eq!(replica.get(path, CREDENTIAL).await.status, StatusCode::OK);
        let got = replica.get(path, "t9Wc2LrX7qVb4NzKf8YhJm3PdGs6RuEb").await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED);
        assert!(got.headers.contains_key("www-authenticate"));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = replica.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let progress = Arc::new(Progress::default());
    let router = internal::router(Arc::clone(&progress));
    let ask = || router.clone().oneshot(Request::get(FEED_PATH).body(Body::empty()).unwrap());
    assert_eq!(ask().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE, "it starts");
    let app = api::tests::app(store.clone(), Keeper::of_test(&store).load(None).await.unwrap());
    progress.started(Arc::new(app));
    assert_eq!(ask().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_is_a_jws_of_its_media_type_that_nobody_keeps_and_a_malformed_question_gets_400() {
    let (_database, _store, replica) = feeding().await;
    let got = replica.asks("").await;
    assert_eq!(got.headers["content-type"], "application/revocations+jwt");
    assert_eq!(got.headers["cache-control"], "no-store");
    for query in ["x=1", "sequence=1", "wait=x", "after=1"] {
        assert_eq!(replica.asks(query).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_keys_are_a_set_of_their_own_and_neither_set_verifies_what_is_the_others() {
    let (_database, store, replica) = feeding().await;
    let got = replica.get(FEED_KEYS_PATH, CREDENTIAL).await;
    assert_eq!(got.headers["cache-control"], "public, max-age=300");
    let feed: Value = serde_json::from_str(&got.text).unwrap();
    let tokens = Keeper::of_test(&store).load(None).await.unwrap();
    let of_tokens: Value = serde_json::from_slice(tokens.published()).unwrap();
    let answer = replica.asks("").await.text;
    assert!(payload(&answer, &feed).is_some());
    assert!(payload(&answer, &of_tokens).is_none());
    let token = tokens.sign_as("at+jwt", serde_json::json!({}), 1).unwrap();
    assert!(payload(&token, &feed).is_none());
    let request = Request::get(FEED_KEYS_PATH)
        .header(AUTHORIZATION, format!("Bearer {CREDENTIAL}"))
        .header("if-none-match", got.headers["etag"].clone());
    let response = replica.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn beyond_the_most_polls_the_next_one_is_sent_away_and_their_number_is_told() {
    let (_database, store) = TestDatabase::migrated().await;
    let replica = Replica::begin(&store, Pace::default(), 2).await;
    replica.read().await;
    let query = format!("{}&wait=5", replica.snapshot().await.position());
    tokio::join!(replica.asks(&query), replica.asks(&query), async {
        until("two wait", || replica.feed.polls.available_permits() == 0).await;
        let got = replica.asks(&query).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(got.text.contains("Too many polls"), "{}", got.text);
        let text = metrics::render(replica.progress.app().unwrap()).unwrap();
        for line in [
            "bearward_feed_polls 2",
            "bearward_feed_polls_max 2",
            "bearward_feed_head_sequence 0",
            r#"bearward_feed_answers_total{kind="page"} 1"#,
            r#"bearward_feed_refusals_total{cause="busy"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        store.revoke(1, 900).await;
    });
    assert_eq!(replica.feed.polls.available_permits(), 2);
}

#[tokio::test]
async fn when_we_stop_who_waits_is_answered_at_once_and_who_comes_goes_elsewhere() {
    let (_database, _store, replica) = feeding().await;
    let query = format!("{}&wait=5", replica.snapshot().await.position());
    let begin = Instant::now();
    let (waiting, ()) = tokio::join!(replica.asks(&query), async {
        until("it waits", || replica.feed.polls.available_permits() < 100).await;
        replica.progress.stopping();
    });
    assert!(begin.elapsed() < Duration::from_secs(3));
    assert!(waiting.status == StatusCode::OK && waiting.headers["connection"] == "close");
    assert_eq!(replica.verified(&waiting.text).await.sequences(), [0; 0]);
    let next = replica.asks(&query).await;
    assert_eq!(next.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(next.headers.contains_key("retry-after") && next.headers["connection"] == "close");
}

#[tokio::test]
async fn a_replica_whose_database_takes_no_connections_serves_what_it_has_for_two_seconds_and_recovers() {
    let (database, _store, replica) = feeding().await;
    let other = connect::pool(&database.settings);
    other
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    assert_eq!(replica.asks("").await.status, StatusCode::OK, "what it read is new enough");
    sleep(MAX_HEAD_AGE).await;
    replica.read().await;
    assert_eq!(replica.asks("").await.status, StatusCode::OK);
}
