//! One-time links by which a user sets a password.

use super::*;
use crate::password_link::LinkToken;

const BAD: (StatusCode, &str) = (StatusCode::BAD_REQUEST, r#"{"error":"Invalid or expired link"}"#);

fn seen(answer: &Answer) -> (StatusCode, &str) {
    (answer.status, answer.text.as_str())
}

impl Office {
    async fn new_link(&self, path: &str) -> String {
        let made = self.ask("POST", &format!("{path}/password-link"), &Value::Null).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.body["token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_link_sets_the_password_once_and_ends_all_sessions() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    let before = office.log_in(&made).await;
    let token = office.new_link(&path).await;
    assert_eq!(
        office.log_in_with("anotherpassword").await.status,
        StatusCode::OK,
        "good until the link is used"
    );
    assert_eq!(office.redeem(&token, "yetanotherpassword").await.status, StatusCode::NO_CONTENT);
    assert_eq!(office.issuing.me(&before).await, (401, Some("Token revoked".to_owned())));
    assert_eq!(office.log_in_with("anotherpassword").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(office.log_in_with("yetanotherpassword").await.status, StatusCode::OK);
    assert_eq!(seen(&office.redeem(&token, "athirdpassword").await), BAD);
    assert_eq!(office.log_in_with("yetanotherpassword").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_that_is_not_good_has_one_answer_and_costs_no_hash() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    let replaced = made["passwordLink"]["token"].as_str().unwrap().to_owned();
    let token = office.new_link(&path).await;
    let computed = office.issuing.app.hasher.computed();
    let unknown = LinkToken::new().unwrap().text();
    for bad in [replaced.as_str(), unknown.as_str(), "x", "", &format!("{token}="), &"x".repeat(4000)] {
        assert_eq!(seen(&office.redeem(bad, "anotherpassword").await), BAD, "{bad}");
    }
    office.issuing.execute("UPDATE password_links SET created_at = '2020-01-01', expires_at = now()").await;
    assert_eq!(seen(&office.redeem(&token, "anotherpassword").await), BAD);
    let token = office.new_link(&path).await;
    office.ask("POST", &format!("{path}/disable"), &Value::Null).await;
    assert_eq!(seen(&office.redeem(&token, "anotherpassword").await), BAD);
    office.ask("POST", &format!("{path}/enable"), &Value::Null).await;
    assert_eq!(seen(&office.redeem(&token, "anotherpassword").await), BAD);
    let token = office.new_link(&path).await;
    assert_eq!(office.ask("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(seen(&office.redeem(&token, "anotherpassword").await), BAD);
    assert_eq!(office.issuing.app.hasher.computed(), computed);
}

#[tokio::test]
async fn a_password_that_breaks_the_rules_leaves_the_link_as_it_is() {
    let office = Office::open().await;
    let (_, made) = office.rahul(&["chef"]).await;
    let token = made["passwordLink"]["token"].as_str().unwrap();
    for (password, why) in [("short", "at least 8"), ("password1", "most common"), ("rahul2024", "the name")]
    {
        let refused = office.redeem(token, password).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!("newPassword"))
        );
        assert!(refused.body["error"].as_str().unwrap().contains(why), "{}", refused.text);
    }
    assert_eq!(office.redeem(token, "anotherpassword").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn of_two_who_use_one_link_at_once_one_sets_the_password() {
    let office = Office::open().await;
    let (_, made) = office.rahul(&["chef"]).await;
    let token = made["passwordLink"]["token"].as_str().unwrap();
    let (one, two) =
        tokio::join!(office.redeem(token, "thefirstpassword"), office.redeem(token, "thesecondpassword"));
    let (won, lost) = if one.status == StatusCode::NO_CONTENT {
        ("thefirstpassword", ("thesecondpassword", &two))
    } else {
        ("thesecondpassword", ("thefirstpassword", &one))
    };
    assert_eq!(seen(lost.1), BAD);
    assert_eq!(office.log_in_with(won).await.status, StatusCode::OK);
    assert_eq!(office.log_in_with(lost.0).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_link_that_was_replaced_while_its_password_was_hashed_sets_none() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    let token = made["passwordLink"]["token"].as_str().unwrap();
    let places = office.issuing.app.hasher.places();
    let stopped = office.issuing.app.hasher.stop_workers();
    let (redeemed, ()) = tokio::join!(office.redeem(token, "anotherpassword"), async {
        while office.issuing.app.hasher.places() == places {
            tokio::task::yield_now().await;
        }
        office.new_link(&path).await;
        drop(stopped);
    });
    assert_eq!(seen(&redeemed), BAD);
    assert_eq!(office.get(&path).await.body["hasPassword"], false);
}

#[tokio::test]
async fn who_finds_the_hashers_full_may_come_again_with_the_same_link() {
    let office = Office::open().await;
    let (_, made) = office.rahul(&["chef"]).await;
    let token = made["passwordLink"]["token"].as_str().unwrap();
    let full = office.issuing.app.hasher.occupy();
    let busy = office.redeem(token, "anotherpassword").await;
    assert_eq!(
        (busy.status, &busy.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    drop(full);
    assert_eq!(office.redeem(token, "anotherpassword").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_login_without_a_password_takes_one_hash_and_logs_no_error() {
    let office = Office::open().await;
    office.rahul(&["chef"]).await;
    let recording = crate::log::testing::Recording::begin();
    let computed = office.issuing.app.hasher.computed();
    assert_eq!(office.log_in_with("anotherpassword").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(office.issuing.app.hasher.computed(), computed + 1);
    let lines = recording.lines();
    assert!(lines.iter().all(|line| !line.contains("\"ERROR\"")), "{lines:?}");
}
