//! Who is an administrator when a request begins, and none any more when it is to be done.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;

use super::*;

/// A body before whose arrival something happens.
struct Late {
    before: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    bytes: Bytes,
}

impl HttpBody for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(before) = &mut self.before {
            ready!(before.as_mut().poll(context));
            self.before = None;
        }
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }
}

impl Office {
    fn request(&self, method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
        let authorization = format!("Bearer {}", self.chef["token"].as_str().unwrap());
        let request = Request::builder().method(method).uri(format!("/api/admin{path}"));
        let request = request.header("authorization", authorization);
        request.header("content-type", "application/json").body(body.into()).unwrap()
    }

    /// Logs the administrator in again.
    async fn back(&mut self) {
        self.issuing.execute("UPDATE users SET roles = '{admin}' WHERE email = 'chef@example.com'").await;
        self.chef =
            self.issuing.post("/api/auth/login", login("chef@example.com", "mypassword123")).await.body;
    }
}

/// All that changes something, about a user who is there and has a session.
fn changes(user: &str, session: &str) -> Vec<(&'static str, String, Value)> {
    vec![
        ("POST", "/users".to_owned(), json!({ "name": "Arjun", "email": "arjun@example.com" })),
        ("PUT", format!("{user}/roles"), json!({ "roles": ["admin"] })),
        ("POST", format!("{user}/disable"), Value::Null),
        ("POST", format!("{user}/enable"), Value::Null),
        ("POST", format!("{user}/password-link"), Value::Null),
        ("POST", format!("{user}/logout"), Value::Null),
        ("POST", "/keys/rotate".to_owned(), Value::Null),
        ("DELETE", format!("{user}/sessions/{session}"), Value::Null),
        ("DELETE", user.to_owned(), Value::Null),
    ]
}

fn text(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

#[tokio::test]
async fn who_is_logged_out_while_the_body_arrives_has_nothing_done() {
    let mut office = Office::open().await;
    let (user, _) = office.rahul(&["chef"]).await;
    let with_body = changes(&user, "").into_iter().filter(|(method, ..)| *method != "DELETE");
    let done = "SELECT count(*) FROM audit_events WHERE event NOT IN ('login', 'signup')";
    for (method, path, body) in with_body {
        office.back().await;
        let store = office.issuing.app.store.clone();
        let evicted = async move {
            store
                .execute("UPDATE sessions SET ended_at = now(), ended_why = 'logout' WHERE ended_at IS NULL")
                .await;
        };
        let late = Late { before: Some(Box::pin(evicted)), bytes: text(&body).into() };
        let answer = office.issuing.send(office.request(method, &path, Body::new(late))).await;
        assert_eq!(
            (answer.status, &answer.body["error"]),
            (StatusCode::UNAUTHORIZED, &json!("Token revoked")),
            "{method} {path}"
        );
        assert_eq!(office.issuing.app.store.count(done).await, 1, "{method} {path}");
    }
}

/// The request is past the look at who asks, and waits for the lock that whoever takes the role holds.
#[tokio::test]
async fn who_loses_the_role_while_waiting_for_the_lock_has_nothing_done() {
    let mut office = Office::open().await;
    let (user, made) = office.rahul(&["chef"]).await;
    office.log_in(&made).await;
    let sessions = office.get(&format!("{user}/sessions")).await.body;
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    let store = office.issuing.app.store.clone();
    let state =
        "SELECT concat_ws(' ', email, roles, user_version, disabled_at, ended_at, password_links.token_hash)
                 FROM users LEFT JOIN sessions ON sessions.user_id = users.id AND email LIKE 'rahul%'
                            LEFT JOIN password_links ON password_links.user_id = users.id
                 UNION ALL SELECT kid FROM signing_keys ORDER BY 1";
    let before = store.texts(state).await;
    for (method, path, body) in changes(&user, &session) {
        office.back().await;
        let mut eviction = store
            .locked(
                "SELECT pg_advisory_xact_lock(x'62772d61646d696e'::bit(64)::bigint);
                 UPDATE users SET roles = '{customer}' WHERE email = 'chef@example.com'",
            )
            .await;
        let (router, request) = (office.issuing.router.clone(), office.request(method, &path, text(&body)));
        let asking = tokio::spawn(async move { send(&router, request).await });
        let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                       WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted";
        while !asking.is_finished() && store.count(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
        sqlx::raw_sql("COMMIT").execute(&mut *eviction).await.unwrap();
        let answer = asking.await.unwrap();
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {}", answer.text);
        office.back().await;
        assert_eq!(store.texts(state).await, before, "{method} {path}");
    }
    let refused =
        "SELECT count(*) FROM audit_events WHERE outcome = 'refused' AND cause = 'not_administrator'
                                                           AND actor = 'user'";
    assert_eq!(store.count(refused).await, 9, "each is in the trail, of keys too");
}
