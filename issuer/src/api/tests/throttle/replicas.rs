//! Several processes on one database count as one.

use super::*;
use crate::store::Purged;

/// Another process on the same database.
async fn replica(issuing: &Issuing) -> Router {
    let store = issuing.app.store.clone();
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    router(Arc::new(app(store, ring)))
}

#[tokio::test]
async fn replicas_count_together() {
    let issuing = issuing_to_priya().await;
    let other = replica(&issuing).await;
    let attempt = || from(HERE, post("/api/auth/login", login("priya@example.com", WRONG)));
    for _ in 0..5 {
        assert_eq!(issuing.send(attempt()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(send(&other, attempt()).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(issuing.send(attempt()).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send(&other, attempt()).await.status, StatusCode::TOO_MANY_REQUESTS);
    // What one of them counted another forgets.
    let right = || from(ELSEWHERE, post("/api/auth/login", login("priya@example.com", RIGHT)));
    log_in_often(&issuing, 9, ELSEWHERE, "priya@example.com").await;
    assert_eq!(send(&other, right()).await.status, StatusCode::OK);
    log_in_often(&issuing, 9, ELSEWHERE, "priya@example.com").await;
}

#[tokio::test]
async fn processes_that_start_together_have_one_key() {
    let (_database, store) = TestDatabase::migrated().await;
    let (one, other) = tokio::join!(store.throttle_key(&[1; 32]), store.throttle_key(&[2; 32]));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(store.throttle_key(&[3; 32]).await.unwrap(), one);
    let successors = store.successor_key(&SuccessorKey::stored([4; 32])).await.unwrap();
    assert_ne!(successors.expose(), one, "each purpose has its own");
}

#[tokio::test]
async fn counters_that_have_ended_are_purged_a_bounded_number_at_a_time() {
    let issuing = issuing_to_priya().await;
    let store = &issuing.app.store;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        log_in_often(&issuing, 1, HERE, email).await;
    }
    let rows = || store.count("SELECT count(*) FROM throttle");
    assert_eq!((rows().await, store.purge(Purged::Throttle, 100).await.unwrap()), (8, 0), "none has ended");
    later(&issuing, A_WINDOW_LATER).await;
    log_in_often(&issuing, 1, HERE, "a@example.com").await;
    assert_eq!(store.purge(Purged::Throttle, 2).await.unwrap(), 2);
    assert_eq!((store.purge(Purged::Throttle, 100).await.unwrap(), rows().await), (3, 3));
}
