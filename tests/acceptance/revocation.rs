//! What ends early is refused at every worker of a real Envoy within a second, and nothing else is.
//!
//! Here every cause, without trouble. With it: [`network`] between Envoy and issuers, [`replicas`] of the issuer, [`failover`] of
//! the database, [`restore_drill`], [`envoy`] itself; all of them with two replicas ([`issuers`]), and while others ask all the
//! time ([`watch`]).

mod envoy;
mod failover;
mod issuers;
mod network;
mod people;
mod replicas;
mod restore_drill;
mod watch;

use std::time::Duration;

use bearward_tests::client::Request;
use bearward_tests::harness::{Gate, Setup};
use bearward_tests::note::note;
use bearward_tests::token::header;
use serde_json::{Value, json};

use self::people::{PASSWORD, Person, felt, passes, sid, token};

/// How soon a token that has ended is refused, at the latest, where one replica is well and can be reached.
const PROMISED: Duration = Duration::from_secs(1);

fn post(gate: &Gate, session: &Value, path: &str, body: &Value) -> Value {
    let request = if body.is_null() { Request::new("POST", path) } else { Request::post(path, body) };
    let answer = request.bearer(token(session)).send(gate.url());
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    if answer.text().is_empty() { Value::Null } else { answer.json() }
}

#[test]
fn every_cause_is_felt_at_every_worker_and_nobody_else_is_hurt() {
    let gate = Setup::shipped().workers(2).start();
    let (email, password) = gate.create_admin();
    let admin = Request::post("/api/auth/login", &json!({ "email": email, "password": password }))
        .send(gate.url())
        .json();
    let (_, bystander) = Person::sign_up(gate.url());
    let mut times = Vec::new();
    let mut felt = |what: &str, code: &str, ended: &[&Value], others: &[&Value]| {
        let others: Vec<&Value> = others.iter().copied().chain([&bystander]).collect();
        times.push((what.to_owned(), felt(gate.url(), what, code, ended, &others)));
    };

    let (mut priya, first) = Person::sign_up(gate.url());
    let second = priya.log_in(gate.url());
    post(&gate, &first, "/api/auth/logout", &json!({}));
    felt("logout of this session", "token_revoked", &[&first], &[&second]);

    let third = priya.log_in(gate.url());
    post(&gate, &third, "/api/auth/logout", &json!({ "scope": "others" }));
    felt("logout of the others", "token_revoked", &[&second], &[&third]);

    let fourth = priya.log_in(gate.url());
    let sessions = Request::get("/api/auth/sessions").bearer(token(&fourth)).send(gate.url()).json();
    let other =
        sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/api/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(Request::new("DELETE", path.as_str()).bearer(token(&fourth)).send(gate.url()).status, 204);
    felt("a session ended in the list", "token_revoked", &[&third], &[&fourth]);

    let change = json!({ "currentPassword": PASSWORD, "newPassword": "anotherpassword1" });
    let fifth = post(&gate, &fourth, "/api/auth/password", &change);
    priya.password = "anotherpassword1";
    let sixth = priya.log_in(gate.url());
    felt("a password change", "token_revoked", &[&fourth], &[&fifth, &sixth]);

    post(&gate, &fifth, "/api/auth/logout", &json!({ "scope": "all" }));
    let seventh = priya.log_in(gate.url());
    felt("logout of all", "token_revoked", &[&fifth, &sixth], &[&seventh]);

    let roles = Request::new("PUT", format!("/api/admin/users/{}/roles", priya.id))
        .json(&json!({ "roles": ["rider"] }));
    assert_eq!(roles.bearer(token(&admin)).send(gate.url()).status, 200);
    let refreshed =
        post(&gate, &seventh, "/api/auth/refresh", &json!({ "refreshToken": seventh["refreshToken"] }));
    felt("a role change", "token_revoked", &[&seventh], &[&refreshed]);

    let disable = format!("/api/admin/users/{}/disable", priya.id);
    post(&gate, &admin, &disable, &Value::Null);
    felt("disabling", "subject_gone", &[&refreshed], &[]);
    post(&gate, &admin, &disable.replace("disable", "enable"), &Value::Null);
    let eighth = priya.log_in(gate.url());
    felt("enabling again", "subject_gone", &[&refreshed], &[&eighth]);

    let revoke = |body: Value| post(&gate, &admin, "/api/admin/revocations", &body);
    let ninth = priya.log_in(gate.url());
    revoke(json!({ "kind": "session", "id": sid(&ninth) }));
    felt("an administrator's session", "token_revoked", &[&ninth], &[&eighth]);
    revoke(json!({ "kind": "subject", "id": priya.id }));
    let tenth = priya.log_in(gate.url());
    felt("an administrator's subject", "token_revoked", &[&eighth], &[&tenth]);
    let delete = Request::new("DELETE", format!("/api/admin/users/{}", priya.id)).bearer(token(&admin));
    assert_eq!(delete.send(gate.url()).status, 204);
    felt("deleting", "subject_gone", &[&tenth], &[]);

    for (what, took) in &times {
        note(&format!("revocation: {what}: felt after {} ms", took.as_millis()));
    }
    let late: Vec<_> = times.iter().filter(|(_, took)| *took > PROMISED).collect();
    assert!(late.is_empty(), "{late:?}");
    assert!(passes(gate.url(), &bystander));
}

#[test]
fn everything_and_a_key_are_revoked_at_every_worker_and_a_new_token_passes() {
    let gate = Setup::shipped().workers(2).start();
    let (email, password) = gate.create_admin();
    let log_in = || {
        Request::post("/api/auth/login", &json!({ "email": email, "password": password }))
            .send(gate.url())
            .json()
    };
    let (priya, before) = Person::sign_up(gate.url());
    let admin = log_in();
    post(&gate, &admin, "/api/admin/revocations", &json!({ "kind": "all" }));
    let after = priya.log_in(gate.url());
    felt(gate.url(), "everything", "token_revoked", &[&before, &admin], &[&after]);
    let admin = log_in();
    let kid = header(token(&after))["kid"].as_str().unwrap().to_owned();
    post(&gate, &admin, "/api/admin/revocations", &json!({ "kind": "key", "id": kid }));
    felt(gate.url(), "a key", "token_revoked", &[&after, &admin], &[]);
}
