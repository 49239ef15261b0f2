//! Revocation by what a token names.

use super::*;

impl Office {
    async fn revoke(&self, body: &Value) -> Answer {
        self.ask("POST", "/revocations", body).await
    }

    /// The `sid` of a session's token, and its user's identifier.
    async fn sid_and_sub(&self, session: &Value) -> (String, String) {
        let payload = session["token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&bearward_core::base64url::decode(payload.as_bytes()).unwrap()).unwrap();
        let text = |name: &str| claims[name].as_str().unwrap().to_owned();
        (text("sid"), text("sub"))
    }

    /// Which key signed a session's token.
    fn kid(&self, session: &Value) -> String {
        let header = session["token"].as_str().unwrap().split('.').next().unwrap();
        let header: Value =
            serde_json::from_slice(&bearward_core::base64url::decode(header.as_bytes()).unwrap()).unwrap();
        header["kid"].as_str().unwrap().to_owned()
    }

    async fn is_good(&self, session: &Value) -> bool {
        self.issuing.authorized("GET", "/api/auth/me", session, "").await.status == StatusCode::OK
    }
}

#[tokio::test]
async fn an_administrator_ends_a_session_a_users_tokens_a_key_or_everything_by_its_name() {
    let office = Office::open().await;
    let (_, made) = office.rahul(&["customer"]).await;
    let one = office.log_in(&made).await;
    let other = office.log_in_with("anotherpassword").await.body;
    let (sid, sub) = office.sid_and_sub(&one).await;
    let revoked = async |body: Value| {
        let answer = office.revoke(&body).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""), "{body}");
    };
    revoked(json!({ "kind": "session", "id": sid })).await;
    assert!(!office.is_good(&one).await && office.is_good(&other).await);
    assert_eq!(office.revoke(&json!({ "kind": "session", "id": sid })).await.status, StatusCode::NOT_FOUND);
    revoked(json!({ "kind": "subject", "id": sub })).await;
    assert!(!office.is_good(&other).await && office.is_good(&office.chef).await);
    // Of a key that is none of ours: nobody here is hurt.
    revoked(json!({ "kind": "key", "id": "somebody's" })).await;
    assert!(office.is_good(&office.chef).await);
    let third = office.log_in_with("anotherpassword").await.body;
    revoked(json!({ "kind": "all", "sessions": "keep" })).await;
    assert!(!office.is_good(&third).await && !office.is_good(&office.chef).await);
    let refreshed = office
        .issuing
        .post("/api/auth/refresh", json!({ "refreshToken": third["refreshToken"] }).to_string())
        .await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    assert!(office.is_good(&refreshed.body).await);
    let chef = office.issuing.post("/api/auth/login", login("chef@example.com", "mypassword123")).await.body;
    let answer = office.ask_as(&chef, "POST", "/revocations", &json!({ "kind": "all" })).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let ended = office
        .issuing
        .post("/api/auth/refresh", json!({ "refreshToken": refreshed.body["refreshToken"] }).to_string())
        .await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{}", ended.text);
    let kinds = office.issuing.app.store.texts("SELECT kind FROM revocations ORDER BY sequence").await;
    assert_eq!(kinds, ["session", "subject", "key", "epoch", "epoch"]);
    let causes = "SELECT cause FROM audit_events WHERE event = 'revocation' AND actor = 'user' ORDER BY id";
    assert_eq!(office.issuing.app.store.texts(causes).await, ["key", "all_tokens", "all"]);
}

#[tokio::test]
async fn a_revoked_key_of_ours_is_retired_at_once_and_another_one_signs() {
    let office = Office::open().await;
    let kids = office.issuing.app.store.texts("SELECT kid FROM signing_keys WHERE retired_at IS NULL").await;
    let answer = office.revoke(&json!({ "kind": "key", "id": kids[0] })).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let now = office
        .issuing
        .app
        .store
        .texts("SELECT kid FROM signing_keys WHERE retired_at IS NULL AND signs_from <= now()")
        .await;
    assert!(now.len() == 1 && now != kids, "{now:?}");
    assert_eq!(office.issuing.app.store.texts("SELECT name FROM revocations WHERE kind = 'key'").await, kids);
    // No moment passes in which this or another replica goes on with it.
    let chef = office.issuing.post("/api/auth/login", login("chef@example.com", "mypassword123")).await.body;
    let refreshed = json!({ "refreshToken": chef["refreshToken"] }).to_string();
    let refreshed = office.issuing.post("/api/auth/refresh", refreshed).await.body;
    for session in [&chef, &refreshed] {
        assert_eq!(office.kid(session), now[0]);
    }
    let private = "SELECT kid FROM signing_keys WHERE retired_at IS NOT NULL AND num_nonnulls(private_key, sealed_key) = 0";
    assert_eq!(office.issuing.app.store.texts(private).await, kids);
}

#[tokio::test]
async fn a_key_that_is_revoked_again_has_one_record_for_good() {
    let office = Office::open().await;
    for _ in 0..3 {
        let answer = office.revoke(&json!({ "kind": "key", "id": "somebody's" })).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    }
    let store = &office.issuing.app.store;
    assert_eq!(store.count("SELECT count(*) FROM revocations").await, 1);
    assert_eq!(store.count("SELECT sequence FROM revocation_head").await, 1);
    assert_eq!(store.count("SELECT count(*) FROM audit_events WHERE event = 'revocation'").await, 3);
}

#[tokio::test]
async fn what_is_wrong_with_a_revocation_is_named_by_field_and_only_administrators_revoke() {
    let office = Office::open().await;
    for (body, fields) in [
        (json!({}), vec!["kind"]),
        (json!({ "kind": "everything", "id": "x" }), vec!["kind"]),
        (json!({ "kind": "session" }), vec!["id"]),
        (json!({ "kind": "session", "id": "x" }), vec!["id"]),
        (json!({ "kind": "key", "id": "" }), vec!["id"]),
        (json!({ "kind": "key", "id": "x".repeat(129) }), vec!["id"]),
        (json!({ "kind": "all", "id": "x" }), vec!["id"]),
        (json!({ "kind": "all", "sessions": "some" }), vec!["sessions"]),
        (json!({ "kind": "key", "id": "x", "sessions": "keep" }), vec!["sessions"]),
    ] {
        let answer = office.revoke(&body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        let named: Vec<_> =
            answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{body}");
    }
    let (_, made) = office.rahul(&["customer"]).await;
    let rahul = office.log_in(&made).await;
    let answer = office.ask_as(&rahul, "POST", "/revocations", &json!({ "kind": "all" })).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(office.issuing.app.store.texts("SELECT kind FROM revocations").await, Vec::<String>::new());
}
