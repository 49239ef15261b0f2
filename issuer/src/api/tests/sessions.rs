//! Logout, the list of sessions, and the password change.

use super::*;

const REVOKED: (u16, Option<&str>) = (401, Some("Token revoked"));

impl Issuing {
    pub(super) async fn authorized(&self, method: &str, path: &str, session: &Value, body: &str) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", refresh::bearer(session));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(body.to_owned().into()).unwrap()).await
    }

    /// Neither token of this answer is good any more.
    async fn assert_ended(&self, session: &Value) {
        let (status, error) = self.me(session).await;
        assert_eq!((status, error.as_deref()), REVOKED);
        for (method, path) in [
            ("GET", "/api/auth/sessions"),
            ("DELETE", "/api/auth/sessions/00000000-0000-0000-0000-000000000000"),
            ("POST", "/api/auth/logout"),
            ("POST", "/api/auth/password"),
        ] {
            let answer = self.authorized(method, path, session, "").await;
            assert_eq!((answer.status.as_u16(), answer.body["error"].as_str()), REVOKED, "{method} {path}");
        }
        assert_eq!(self.refresh(session).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn assert_alive(&self, session: &Value) {
        assert_eq!(self.me(session).await, (200, None));
    }

    async fn sessions(&self, session: &Value) -> Vec<Value> {
        let answer = self.authorized("GET", "/api/auth/sessions", session, "").await;
        answer.body["sessions"].as_array().unwrap().clone()
    }

    async fn log_out(&self, session: &Value, body: &str) -> StatusCode {
        self.authorized("POST", "/api/auth/logout", session, body).await.status
    }

    async fn change_password(&self, session: &Value, current: &str, new: &str) -> Answer {
        let body = json!({ "currentPassword": current, "newPassword": new }).to_string();
        self.authorized("POST", "/api/auth/password", session, &body).await
    }
}

#[tokio::test]
async fn a_logout_ends_this_session_the_others_or_all() {
    for (body, ends) in [
        ("", [true, false, false]),
        ("{}", [true, false, false]),
        (r#"{"scope":"this"}"#, [true, false, false]),
        (r#"{"scope":"others"}"#, [false, true, true]),
        (r#"{"scope":"all"}"#, [true, true, true]),
    ] {
        let issuing = issuing().await;
        let sessions = [issuing.priya().await, issuing.log_in().await, issuing.log_in().await];
        assert_eq!(issuing.log_out(&sessions[0], body).await, StatusCode::NO_CONTENT, "{body}");
        for (session, ended) in sessions.iter().zip(ends) {
            if ended {
                issuing.assert_ended(session).await;
            } else {
                issuing.assert_alive(session).await;
            }
        }
        issuing.assert_alive(&issuing.log_in().await).await;
    }
}

#[tokio::test]
async fn a_logout_of_an_unknown_scope_or_without_a_token_ends_nothing() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    for body in [r#"{"scope":"everything"}"#, r#"{"scope":5}"#, r#"{"scop":"all"}"#] {
        assert_eq!(issuing.log_out(&session, body).await, StatusCode::BAD_REQUEST, "{body}");
    }
    let nobody = issuing.post("/api/auth/logout", r#"{"scope":"all"}"#).await;
    assert_eq!(
        (nobody.status, &nobody.body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("No token provided"))
    );
    issuing.assert_alive(&session).await;
}

#[tokio::test]
async fn sessions_are_listed_with_what_their_user_can_tell_them_by() {
    let issuing = issuing().await;
    issuing.priya().await;
    let mut request = post("/api/auth/login", login("priya@example.com", "mypassword123"));
    request.headers_mut().insert("user-agent", "Phone/1.0".parse().unwrap());
    let peer: std::net::SocketAddr = "192.0.2.7:4711".parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    let phone = issuing.send(request).await.body;
    let listed = issuing.sessions(&phone).await;
    assert_eq!(listed.len(), 2);
    let [current, other] = [&listed[0], &listed[1]];
    assert_eq!(
        (&current["current"], &current["userAgent"], &current["address"]),
        (&json!(true), &json!("Phone/1.0"), &json!("192.0.2.7"))
    );
    assert_eq!((&other["current"], &other["userAgent"]), (&json!(false), &Value::Null));
    for member in ["createdAt", "lastUsedAt"] {
        let text = current[member].as_str().unwrap();
        assert!(text.len() == 20 && text.starts_with("20") && text.ends_with('Z'), "{text}");
    }
    assert_eq!(current.as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn a_session_that_can_do_nothing_any_more_is_not_listed() {
    let issuing = issuing().await;
    issuing.priya().await;
    issuing.execute("UPDATE sessions SET last_used_at = now() - interval '2 hours', greatest_exp = 1").await;
    assert_eq!(issuing.sessions(&issuing.log_in().await).await.len(), 1);
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_and_only_ones_own() {
    let issuing = issuing().await;
    let [one, two] = [issuing.priya().await, issuing.log_in().await];
    let rahul = json!({ "name": "Rahul", "email": "rahul@example.com", "password": "mypassword123" });
    let rahul = issuing.post("/api/auth/signup", rahul.to_string()).await.body;
    let listed = issuing.sessions(&one).await;
    let id = listed.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/api/auth/sessions/{id}");
    assert_eq!(issuing.authorized("DELETE", &path, &rahul, "").await.status, StatusCode::NOT_FOUND);
    issuing.assert_alive(&two).await;
    assert_eq!(issuing.authorized("DELETE", &path, &one, "").await.status, StatusCode::NO_CONTENT);
    issuing.assert_ended(&two).await;
    issuing.assert_alive(&one).await;
    for gone in [&path, "/api/auth/sessions/x", "/api/auth/sessions/%ff"] {
        let answer = issuing.authorized("DELETE", gone, &one, "").await;
        assert_eq!(
            (answer.status, &answer.body["error"]),
            (StatusCode::NOT_FOUND, &json!("Not found")),
            "{gone}"
        );
    }
}

#[tokio::test]
async fn a_password_change_needs_the_current_one_ends_all_and_answers_with_a_new_pair() {
    let issuing = issuing().await;
    let [one, two] = [issuing.priya().await, issuing.log_in().await];
    let wrong = issuing.change_password(&one, "mypassword124", "anotherpassword").await;
    assert_eq!(
        (wrong.status, &wrong.body["field"], &wrong.body["error"]),
        (StatusCode::BAD_REQUEST, &json!("currentPassword"), &json!("Current password is wrong"))
    );
    let short = issuing.change_password(&one, "mypassword123", "short").await;
    assert_eq!((short.status, &short.body["field"]), (StatusCode::BAD_REQUEST, &json!("newPassword")));
    issuing.assert_alive(&two).await;

    let changed = issuing.change_password(&one, "mypassword123", "anotherpassword").await;
    assert_eq!(changed.status, StatusCode::OK);
    for session in [&one, &two] {
        issuing.assert_ended(session).await;
    }
    issuing.assert_alive(&changed.body).await;
    assert_eq!(issuing.refresh(&changed.body).await.status, StatusCode::OK);
    let old = issuing.post("/api/auth/login", login("priya@example.com", "mypassword123")).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let new = issuing.post("/api/auth/login", login("priya@example.com", "anotherpassword")).await;
    assert_eq!(new.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_database_every_endpoint_of_sessions_is_503() {
    let issuing = issuing().await;
    let session = issuing.priya().await;
    issuing.database.drop_it().await;
    for (method, path) in [
        ("GET", "/api/auth/me"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/00000000-0000-0000-0000-000000000000"),
        ("POST", "/api/auth/logout"),
        ("POST", "/api/auth/password"),
    ] {
        let answer = issuing.authorized(method, path, &session, "").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
    }
    assert_eq!(issuing.refresh(&session).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
