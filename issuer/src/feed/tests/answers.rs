//! Rules 19 to 22: which answer there is.

use super::*;

#[tokio::test]
async fn a_snapshot_holds_every_live_record_and_a_delta_what_came_after_it() {
    let (_database, store, replica) = feeding().await;
    let empty = replica.snapshot().await;
    assert_eq!((empty.head(), empty.sequences()), (0, vec![]));
    assert_eq!((&empty.0["after"], &empty.0["through"]), (&0.into(), &0.into()));
    store.revoke(3, 900).await;
    replica.read().await;
    let snapshot = replica.snapshot().await;
    assert_eq!((snapshot.head(), snapshot.sequences()), (3, vec![1, 2, 3]));
    assert_eq!(snapshot.0["iss"], ISSUER);
    assert_eq!(snapshot.0["records"][1]["name"], "session-2");
    store.revoke(2, 900).await;
    replica.read().await;
    for (from, expected) in [(&empty, vec![1, 2, 3, 4, 5]), (&snapshot, vec![4, 5])] {
        let delta = replica.delta(from, 0).await;
        assert_eq!((delta.head(), delta.sequences()), (5, expected));
        assert_eq!(delta.0["from"], from.0["head"]);
        assert_eq!(delta.0.get("more"), None);
    }
}

#[tokio::test]
async fn every_kind_of_record_is_told_with_its_members() {
    let (_database, store, replica) = feeding().await;
    store
        .execute(
            "INSERT INTO revocations (sequence, kind, name, minimum, epoch, reason, ends_at)
             VALUES (1, 'session', 'a', NULL, NULL, NULL, 9999999999), (2, 'subject', 'b', 4, 2, 'gone', 9999999999),
                    (3, 'key', 'c', NULL, NULL, NULL, NULL), (4, 'epoch', NULL, 7, NULL, NULL, 9999999999);
             UPDATE revocation_head SET sequence = 4",
        )
        .await;
    replica.read().await;
    let told = &replica.snapshot().await.0["records"];
    let expected = serde_json::json!([
        { "sequence": 1, "kind": "session", "name": "a", "ends_at": 9_999_999_999_u64 },
        { "sequence": 2, "kind": "subject", "name": "b", "minimum": 4, "epoch": 2, "reason": "gone",
          "ends_at": 9_999_999_999_u64 },
        { "sequence": 3, "kind": "key", "name": "c" },
        { "sequence": 4, "kind": "epoch", "minimum": 7, "ends_at": 9_999_999_999_u64 },
    ]);
    assert_eq!(*told, expected);
}

#[tokio::test]
async fn who_waits_is_answered_when_something_comes_and_else_at_the_end_with_nothing_but_a_newer_time() {
    let (_database, store, replica) = feeding().await;
    let before = replica.snapshot().await;
    let begin = Instant::now();
    let heartbeat = replica.delta(&before, 1).await;
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!((heartbeat.head(), heartbeat.sequences()), (0, vec![]));
    assert!(heartbeat.as_of() > before.as_of());
    let begin = Instant::now();
    let (delta, ()) = tokio::join!(replica.delta(&before, 5), async {
        until("it waits", || replica.feed.polls.available_permits() < 100).await;
        store.revoke(1, 900).await;
    });
    assert_eq!(delta.sequences(), [1]);
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_position_of_another_generation_with_another_digest_or_of_a_purged_row_gets_409() {
    let (_database, store, replica) = feeding().await;
    store.revoke(2, 900).await;
    replica.read().await;
    let Signed(value) = replica.snapshot().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = value.clone();
        change(&mut value);
        Signed(value).position()
    };
    for (why, query) in [
        ("generation", with(&|value| value["generation"] = "0".repeat(32).into())),
        ("digest", with(&|value| value["head"]["digest"] = "7".repeat(64).into())),
        ("sequence", with(&|value| value["head"]["sequence"] = 1.into())),
        ("a later one", with(&|value| value["head"]["sequence"] = 3.into())),
    ] {
        assert_eq!(replica.asks(&query).await.status, StatusCode::CONFLICT, "{why}");
        let page = format!("{query}&after=0");
        assert_eq!(replica.asks(&page).await.status, StatusCode::CONFLICT, "a page of another head: {why}");
    }
    // A replica that begins after the row of the position was purged cannot know it.
    let position = Signed(value).position();
    store.revoke(1, 900).await;
    store.execute("DELETE FROM revocations WHERE sequence <= 2").await;
    let other = Replica::begin(&store, Pace::default(), 10).await;
    other.read().await;
    assert_eq!(other.asks(&position).await.status, StatusCode::CONFLICT);
    replica.read().await;
    assert_eq!(replica.answer(&position).await.sequences(), [3], "and the one that saw it still does");
    let beginning = format!(
        "generation={}&sequence=0&digest={}",
        replica.snapshot().await.0["generation"].as_str().unwrap(),
        "0".repeat(64)
    );
    assert_eq!(other.answer(&beginning).await.sequences(), [3], "the beginning is a position of every log");
}

#[tokio::test]
async fn before_409_the_head_is_read_anew_by_one_reading_for_all_and_who_is_behind_does_not_say_it() {
    let (_database, store, ahead) = feeding().await;
    let pace = Pace { poll: Duration::from_secs(3600), listens: false };
    let behind = Replica::begin(&store, pace, 100).await;
    behind.settle().await;
    store.revoke(1, 900).await;
    ahead.read().await;
    let position = ahead.snapshot().await.position();
    assert_eq!(behind.snapshot().await.head(), 0, "it has not looked since");
    let readings = behind.feed.readings.good.load(Ordering::Relaxed);
    let asked = (0..50).map(|_| behind.asks(&position));
    for got in futures_all(asked).await {
        assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    }
    let readings = behind.feed.readings.good.load(Ordering::Relaxed) - readings;
    assert!((1..=3).contains(&readings), "{readings} readings");
}

#[tokio::test]
async fn who_cannot_read_the_head_anew_says_503_and_not_409() {
    let (database, _store, replica) = feeding().await;
    let unknown = format!("generation={}&sequence=1&digest={}", "0".repeat(32), "7".repeat(64));
    assert_eq!(replica.asks(&unknown).await.status, StatusCode::CONFLICT);
    database.drop_it().await;
    let got = replica.asks(&unknown).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(got.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_long_delta_comes_in_parts_each_of_which_is_the_place_to_go_on_from() {
    let (_database, store, replica) = feeding().await;
    let mut from = replica.snapshot().await;
    store.revoke(2_000, 900).await;
    replica.read().await;
    let (mut told, mut parts) = (Vec::new(), 0);
    loop {
        from = replica.delta(&from, 5).await;
        told.extend(from.sequences());
        parts += 1;
        let is_last = from.0.get("more").is_none();
        assert_eq!(from.head(), *told.last().unwrap());
        if is_last {
            break;
        }
    }
    assert!(parts > 2, "{parts}");
    assert!(told == (1..=2_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_snapshot_of_several_pages_is_whole_although_records_end_and_come_between_them() {
    let (_database, store, replica) = feeding().await;
    store.revoke(100, 1).await;
    store.revoke(2_000, 900).await;
    replica.read().await;
    let first = replica.snapshot().await;
    let (mut page, mut told) = (first.clone(), first.sequences());
    while page.0["through"] != page.0["head"]["sequence"] {
        // Records come, and those that have ended are purged.
        store.revoke(10, 900).await;
        store.execute("DELETE FROM revocations WHERE ends_at < extract(epoch FROM now())").await;
        replica.read().await;
        let through = page.0["through"].as_u64().unwrap();
        page = replica.answer(&format!("{}&after={through}", first.position())).await;
        assert_eq!(
            (page.0["head"].clone(), page.0["after"].as_u64()),
            (first.0["head"].clone(), Some(through))
        );
        told.extend(page.sequences());
    }
    let begin = told.iter().position(|sequence| *sequence > 100).unwrap();
    assert!(told[begin..] == (101..=2_100).collect::<Vec<_>>());
    let delta = replica.delta(&first, 0).await;
    assert_eq!(delta.sequences().first(), Some(&2_101), "what came meanwhile is the next delta");
}

#[tokio::test]
async fn a_snapshot_begins_at_the_head_alone_and_who_names_another_place_gets_what_came_after_it() {
    let (_database, store, replica) = feeding().await;
    let beginning = replica.snapshot().await;
    store.revoke(3, 900).await;
    replica.read().await;
    let snapshot = replica.snapshot().await;
    let page_at = |from: &Signed| format!("{}&after=0&wait=5", from.position());
    let page = replica.answer(&page_at(&snapshot)).await;
    assert_eq!((page.0["after"].as_u64(), page.sequences()), (Some(0), vec![1, 2, 3]));
    store.revoke(1, 900).await;
    replica.read().await;
    for (from, expected) in [(&snapshot, vec![4]), (&beginning, vec![1, 2, 3, 4])] {
        let delta = replica.answer(&page_at(from)).await;
        assert_eq!((delta.0.get("after"), &delta.0["from"]), (None, &from.0["head"]));
        assert_eq!((delta.head(), delta.sequences()), (4, expected));
    }
    let elsewhere = page_at(&snapshot).replace("sequence=3", "sequence=2");
    assert_eq!(replica.asks(&elsewhere).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_thousand_that_ask_for_the_same_at_once_share_one_signature() {
    let (_database, store, replica) = feeding().await;
    let before = replica.snapshot().await;
    let slow = Pace { poll: Duration::from_secs(3600), listens: false };
    store.revoke(10, 900).await;
    let replica = Replica::begin(&store, slow, 2_000).await;
    replica.settle().await;
    let signatures = replica.feed.counts.signatures();
    let query = format!("{}&wait=5", before.position());
    let all = futures_all((0..1_000).map(|_| replica.asks(&query))).await;
    assert!(all.iter().all(|got| got.status == StatusCode::OK && got.text == all[0].text));
    assert_eq!(replica.feed.counts.signatures() - signatures, 1);
}

async fn futures_all<T: Send + 'static>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (future, done) in &mut pending {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}
