//! The trail of what was done.

use super::*;

#[tokio::test]
async fn what_administrators_do_is_written_down_with_who_whom_and_from_where() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    office.log_in(&made).await;
    let sessions = office.get(&format!("{path}/sessions")).await.body;
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    for (method, rest, body) in [
        ("PUT", "/roles".to_owned(), json!({ "roles": ["rider"] })),
        ("DELETE", format!("/sessions/{session}"), Value::Null),
        ("POST", "/logout".to_owned(), Value::Null),
        ("POST", "/password-link".to_owned(), Value::Null),
        ("POST", "/disable".to_owned(), Value::Null),
        ("POST", "/enable".to_owned(), Value::Null),
        ("DELETE", String::new(), Value::Null),
    ] {
        let answer = office.ask(method, &format!("{path}{rest}"), &body).await;
        assert!(answer.status.is_success(), "{method} {rest}: {}", answer.text);
    }
    let user = made["user"]["id"].as_str().unwrap();
    let trail = office.get(&format!("/audit?user={user}")).await;
    let events = trail.body["events"].as_array().unwrap();
    let chef = &office.chef["user"]["id"];
    let by_chef: Vec<&str> = events
        .iter()
        .filter(|event| event["actorId"] == *chef)
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    let expected = [
        "user_delete",
        "user_enable",
        "user_disable",
        "password_link",
        "logout",
        "session_end",
        "roles_change",
        "user_create",
    ];
    assert_eq!(by_chef, expected, "newest first");
    let chosen = events.iter().find(|event| event["event"] == "password_change").unwrap();
    assert_eq!((&chosen["cause"], &chosen["actorId"]), (&json!("password_link"), &json!(user)));
    let ended = events.iter().find(|event| event["event"] == "session_end").unwrap();
    assert_eq!((ended["sessionId"].as_str(), ended["userId"].as_str()), (Some(session.as_str()), Some(user)));
    for secret in [&made["passwordLink"]["token"], &json!("rahul@example.com"), &json!("anotherpassword")] {
        assert!(!trail.text.contains(secret.as_str().unwrap()), "{}", trail.text);
    }
}

#[tokio::test]
async fn the_trail_is_read_part_by_part_newest_first_while_it_grows() {
    let office = Office::open().await;
    for _ in 0..5 {
        office.redeem("x", "anotherpassword").await;
    }
    let filter = "/audit?event=password_change&limit=2";
    let (mut ids, mut path) = (Vec::new(), filter.to_owned());
    loop {
        let part = office.get(&path).await.body;
        for event in part["events"].as_array().unwrap() {
            assert_eq!((&event["outcome"], &event["actor"]), (&json!("refused"), &json!("client")));
            ids.push(event["id"].as_i64().unwrap());
        }
        let Some(next) = part["nextCursor"].as_str() else { break };
        path = format!("{filter}&cursor={next}");
        office.redeem("x", "anotherpassword").await;
    }
    assert_eq!(ids.len(), 5);
    assert!(ids.is_sorted_by(|one, two| one > two), "{ids:?}");
    assert_eq!(office.get("/audit?event=no_such_event").await.body["events"], json!([]));
    for (wrong, field) in
        [("user=x", "user"), ("event=A", "event"), ("event=", "event"), ("cursor=AA", "cursor")]
    {
        let refused = office.get(&format!("/audit?{wrong}")).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{wrong}"
        );
    }
}
