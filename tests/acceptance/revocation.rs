//! What ends early is refused at every worker of a real Envoy within a second, and nothing else is.

use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::harness::{Gate, Setup};
use bearward_tests::note::note;
use serde_json::{Value, json};
use xtask::directory::random_hex;

const PASSWORD: &str = "mypassword123";
/// How soon a token that has ended is refused, at the latest.
const PROMISED: Duration = Duration::from_secs(1);
/// After so many refusals in a row, each on a connection of its own, no worker is left that does not know.
const IN_A_ROW: usize = 16;

/// Somebody with the answers to his logins.
struct Person {
    id: String,
    email: String,
    password: &'static str,
}

impl Person {
    fn sign_up(gate: &Gate) -> (Self, Value) {
        let email = format!("{}@example.com", random_hex(8).unwrap());
        let body = json!({ "name": "Priya", "email": email, "password": PASSWORD });
        let session = Request::post("/api/auth/signup", &body).send(gate.url());
        assert_eq!(session.status, 201, "{}", session.text());
        let id = session.json()["user"]["id"].as_str().unwrap().to_owned();
        (Self { id, email, password: PASSWORD }, session.json())
    }

    fn log_in(&self, gate: &Gate) -> Value {
        let body = json!({ "email": self.email, "password": self.password });
        let session = Request::post("/api/auth/login", &body).send(gate.url());
        assert_eq!(session.status, 200, "{}", session.text());
        session.json()
    }
}

fn token(session: &Value) -> &str {
    session["token"].as_str().unwrap()
}

/// What the gate says of a token, on a connection of its own: any worker may answer.
fn verdict(gate: &Gate, session: &Value) -> (u16, String) {
    let answer = Request::get("/api/orders").bearer(token(session)).send(gate.url());
    let code = if answer.status == 200 {
        String::new()
    } else {
        answer.json()["code"].as_str().unwrap_or_default().to_owned()
    };
    (answer.status, code)
}

fn passes(gate: &Gate, session: &Value) -> bool {
    verdict(gate, session).0 == 200
}

/// Until the tokens are refused as they should be by whichever worker is asked: when they were first, and then always. Everybody
/// else must pass from then on.
fn felt(gate: &Gate, what: &str, code: &str, ended: &[&Value], others: &[&Value]) -> Duration {
    let begin = Instant::now();
    let (mut first, mut in_a_row) = (begin, 0);
    while in_a_row < IN_A_ROW {
        let asked = Instant::now();
        let verdicts: Vec<_> = ended.iter().map(|session| verdict(gate, session)).collect();
        if verdicts.iter().all(|verdict| *verdict == (401, code.to_owned())) {
            if in_a_row == 0 {
                first = asked;
            }
            in_a_row += 1;
        } else {
            in_a_row = 0;
        }
        assert!(begin.elapsed() < PROMISED * 5, "{what}: {verdicts:?}");
    }
    for session in others {
        assert_eq!(verdict(gate, session).0, 200, "{what} hurts somebody else");
    }
    for session in ended {
        assert_eq!(verdict(gate, session), (401, code.to_owned()), "{what}");
    }
    first - begin
}

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
    let (_, bystander) = Person::sign_up(&gate);
    let mut times = Vec::new();
    let mut felt = |what: &str, code: &str, ended: &[&Value], others: &[&Value]| {
        let others: Vec<&Value> = others.iter().copied().chain([&bystander]).collect();
        times.push((what.to_owned(), felt(&gate, what, code, ended, &others)));
    };

    let (mut priya, first) = Person::sign_up(&gate);
    let second = priya.log_in(&gate);
    post(&gate, &first, "/api/auth/logout", &json!({}));
    felt("logout of this session", "token_revoked", &[&first], &[&second]);

    let third = priya.log_in(&gate);
    post(&gate, &third, "/api/auth/logout", &json!({ "scope": "others" }));
    felt("logout of the others", "token_revoked", &[&second], &[&third]);

    let fourth = priya.log_in(&gate);
    let sessions = Request::get("/api/auth/sessions").bearer(token(&fourth)).send(gate.url()).json();
    let other =
        sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/api/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(Request::new("DELETE", path.as_str()).bearer(token(&fourth)).send(gate.url()).status, 204);
    felt("a session ended in the list", "token_revoked", &[&third], &[&fourth]);

    let change = json!({ "currentPassword": PASSWORD, "newPassword": "anotherpassword1" });
    let fifth = post(&gate, &fourth, "/api/auth/password", &change);
    priya.password = "anotherpassword1";
    let sixth = priya.log_in(&gate);
    felt("a password change", "token_revoked", &[&fourth], &[&fifth, &sixth]);

    post(&gate, &fifth, "/api/auth/logout", &json!({ "scope": "all" }));
    let seventh = priya.log_in(&gate);
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
    let eighth = priya.log_in(&gate);
    felt("enabling again", "subject_gone", &[&refreshed], &[&eighth]);

    let revoke = |body: Value| post(&gate, &admin, "/api/admin/revocations", &body);
    let ninth = priya.log_in(&gate);
    revoke(json!({ "kind": "session", "id": sid(&ninth) }));
    felt("an administrator's session", "token_revoked", &[&ninth], &[&eighth]);
    revoke(json!({ "kind": "subject", "id": priya.id }));
    let tenth = priya.log_in(&gate);
    felt("an administrator's subject", "token_revoked", &[&eighth], &[&tenth]);
    let delete = Request::new("DELETE", format!("/api/admin/users/{}", priya.id)).bearer(token(&admin));
    assert_eq!(delete.send(gate.url()).status, 204);
    felt("deleting", "subject_gone", &[&tenth], &[]);

    for (what, took) in &times {
        note(&format!("revocation: {what}: felt after {} ms", took.as_millis()));
    }
    let late: Vec<_> = times.iter().filter(|(_, took)| *took > PROMISED).collect();
    assert!(late.is_empty(), "{late:?}");
    assert!(passes(&gate, &bystander));
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
    let (priya, before) = Person::sign_up(&gate);
    let admin = log_in();
    post(&gate, &admin, "/api/admin/revocations", &json!({ "kind": "all" }));
    let after = priya.log_in(&gate);
    felt(&gate, "everything", "token_revoked", &[&before, &admin], &[&after]);
    let admin = log_in();
    let kid = header(&after)["kid"].as_str().unwrap().to_owned();
    post(&gate, &admin, "/api/admin/revocations", &json!({ "kind": "key", "id": kid }));
    felt(&gate, "a key", "token_revoked", &[&after, &admin], &[]);
}

fn part(session: &Value, index: usize) -> Value {
    use base64::Engine;
    let part = token(session).split('.').nth(index).unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn header(session: &Value) -> Value {
    part(session, 0)
}

fn sid(session: &Value) -> String {
    part(session, 1)["sid"].as_str().unwrap().to_owned()
}
