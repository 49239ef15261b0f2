//! Whatever gives tokens out against whatever ends them, interleaved statement by statement.
//!
//! One of two stops at a gate, a trigger that the test puts before, in or after one kind of statement. The other then
//! runs to its end, or until it waits for a lock of the first. Then the gate opens. That is done with every pair, at every
//! gate that the first comes to; so each comes before, between and after all statements of the other. In the end no token
//! may be good that one of the two should have ended, and the records must say of every token what the database says.

mod gates;
mod operations;

use super::*;
use gates::Gates;
use operations::{Case, Done, Held, Operation};

/// Runs `first` against all others at every gate that it comes to; `at_least` so many, or the gates are not where the
/// statements are.
async fn at_every_gate(first: Operation, at_least: usize) {
    let mut gates = Gates::new().await;
    let mut reached = 0;
    for gate in gates::ALL {
        let one = gates.store(gate);
        for second in Operation::ALL {
            let case = Case::new(&gates.open, &gates.key).await;
            let paused = case.start(first, &one);
            if !gates.stops(&paused).await {
                case.check(&gates.open, &[(first, paused.await.unwrap())]).await;
                break;
            }
            reached += usize::from(second == Operation::ALL[0]);
            let other = case.start(second, &gates.other);
            gates.settles(&other).await;
            let done = [(first, gates.finish(paused).await), (second, other.await.unwrap())];
            case.check(&gates.open, &done).await;
        }
    }
    assert!(reached >= at_least, "{first:?} came to {reached} gates");
    gates.assert_gapless().await;
}

impl Case {
    /// That no token is good which one of these operations ended.
    async fn check(&self, store: &Store, done: &[(Operation, Done)]) {
        let new = done.iter().flat_map(|(_, done)| &done.held);
        let held: Vec<&Held> = self.one.iter().chain(&self.two).chain(new).collect();
        let names = held.iter().flat_map(|held| [held.grant.user.id, held.grant.session_id]);
        let records = records(store, names.map(|id| id.to_string()).collect()).await;
        let context = || {
            format!(
                "{:?}",
                done.iter().map(|(operation, done)| (operation, done.took_place)).collect::<Vec<_>>()
            )
        };
        for held in &held {
            let refused = records.iter().any(|record| record.refuses(&held.grant));
            let good = matches!(store.standing(&identity(&held.grant)).await.unwrap(), Standing::Good(_));
            assert_eq!(
                good,
                !refused,
                "the records say something else than the database: {} {:?}",
                context(),
                held.grant
            );
        }
        for (operation, done) in done.iter().filter(|(_, done)| done.took_place) {
            for held in &held {
                let own = done.held.iter().any(|own| own.grant == held.grant);
                if operation.ends_token(self, &held.grant, own) {
                    let refused = records.iter().any(|record| record.refuses(&held.grant));
                    assert!(refused, "{operation:?} left a token: {} {:?}", context(), held.grant);
                }
                if operation.ends_session(self, &held.grant, own) {
                    let refreshed = refresh::refresh(store, &self.key, &held.token).await.unwrap();
                    assert!(
                        !matches!(refreshed, Refreshed::Granted(_)),
                        "{operation:?} left a session: {}",
                        context()
                    );
                }
            }
        }
    }
}

/// A record as the filter knows it.
struct Known {
    kind: String,
    name: String,
    minimum: Option<i64>,
    ends_at: i64,
}

impl Known {
    /// Whether it refuses this token for as long as anybody would accept it.
    fn refuses(&self, grant: &Grant) -> bool {
        let long_enough = self.ends_at >= i64::try_from(grant.expires_at).unwrap() + 360;
        let version = i64::try_from(grant.user_version).unwrap();
        long_enough
            && match self.kind.as_str() {
                "session" => self.name == grant.session_id.to_string(),
                _ => self.name == grant.user.id.to_string() && self.minimum.unwrap() > version,
            }
    }
}

async fn records(store: &Store, names: Vec<String>) -> Vec<Known> {
    sqlx::query_as("SELECT kind, name, minimum, ends_at FROM revocations WHERE name = ANY($1)")
        .bind(names)
        .fetch_all(&store.pool)
        .await
        .unwrap()
        .into_iter()
        .map(|(kind, name, minimum, ends_at)| Known { kind, name, minimum, ends_at })
        .collect()
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_login_at_any_statement() {
    at_every_gate(Operation::Login, 5).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_refresh_at_any_statement() {
    at_every_gate(Operation::Refresh, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_repeated_refresh_at_any_statement() {
    at_every_gate(Operation::Retry, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_reuse_at_any_statement() {
    at_every_gate(Operation::Reuse, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_logout_at_any_statement() {
    at_every_gate(Operation::Logout, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_the_end_of_another_session_at_any_statement() {
    at_every_gate(Operation::EndOther, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_logout_of_the_others_at_any_statement() {
    at_every_gate(Operation::LogoutOthers, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_logout_everywhere_at_any_statement() {
    at_every_gate(Operation::LogoutEverywhere, 9).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_password_change_at_any_statement() {
    at_every_gate(Operation::PasswordChange, 14).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_new_roles_at_any_statement() {
    at_every_gate(Operation::NewRoles, 7).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_disabling_at_any_statement() {
    at_every_gate(Operation::Disable, 9).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_used_password_link_at_any_statement() {
    at_every_gate(Operation::Link, 11).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_promotion_at_any_statement() {
    at_every_gate(Operation::Promote, 9).await;
}

#[tokio::test]
async fn nothing_survives_its_end_with_a_deletion_at_any_statement() {
    at_every_gate(Operation::Delete, 9).await;
}
