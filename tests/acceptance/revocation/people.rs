//! Somebody with sessions, and what a gate says of them.

use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::token::claims;
use serde_json::{Value, json};
use xtask::directory::random_hex;

use super::PROMISED;

pub(super) const PASSWORD: &str = "mypassword123";
/// After so many refusals in a row, each on a connection of its own, no worker is left that does not know.
const IN_A_ROW: usize = 16;

/// Somebody with the answers to his logins.
pub(super) struct Person {
    pub(super) id: String,
    email: String,
    pub(super) password: &'static str,
}

impl Person {
    /// At a gate, or at an issuer.
    pub(super) fn sign_up(url: &str) -> (Self, Value) {
        let email = format!("{}@example.com", random_hex(8).unwrap());
        let body = json!({ "name": "Priya", "email": email, "password": PASSWORD });
        let session = Request::post("/api/auth/signup", &body).send(url);
        assert_eq!(session.status, 201, "{}", session.text());
        let id = session.json()["user"]["id"].as_str().unwrap().to_owned();
        (Self { id, email, password: PASSWORD }, session.json())
    }

    pub(super) fn email(&self) -> &str {
        &self.email
    }

    pub(super) fn log_in(&self, url: &str) -> Value {
        let body = json!({ "email": self.email, "password": self.password });
        let session = Request::post("/api/auth/login", &body).send(url);
        assert_eq!(session.status, 200, "{}", session.text());
        session.json()
    }
}

pub(super) fn token(session: &Value) -> &str {
    session["token"].as_str().unwrap()
}

pub(super) fn sid(session: &Value) -> String {
    claims(token(session))["sid"].as_str().unwrap().to_owned()
}

/// What the gate says of a token, on a connection of its own: any worker may answer.
pub(super) fn verdict(gate: &str, session: &Value) -> (u16, String) {
    let answer = Request::get("/api/orders").bearer(token(session)).send(gate);
    let code = if answer.status == 200 { String::new() } else { answer.code().unwrap_or_default() };
    (answer.status, code)
}

pub(super) fn passes(gate: &str, session: &Value) -> bool {
    verdict(gate, session).0 == 200
}

/// Until the tokens are refused as they should be by whichever worker is asked: when they were first, and then always. Everybody
/// else must pass from then on.
pub(super) fn felt(gate: &str, what: &str, code: &str, ended: &[&Value], others: &[&Value]) -> Duration {
    felt_within(gate, what, code, ended, others, PROMISED * 5)
}

/// As [`felt`], where it may take longer.
pub(super) fn felt_within(
    gate: &str,
    what: &str,
    code: &str,
    ended: &[&Value],
    others: &[&Value],
    longest: Duration,
) -> Duration {
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
        assert!(begin.elapsed() < longest, "{what}: {verdicts:?}");
    }
    for session in others {
        assert_eq!(verdict(gate, session).0, 200, "{what} hurts somebody else");
    }
    for session in ended {
        assert_eq!(verdict(gate, session), (401, code.to_owned()), "{what}");
    }
    whole(first - begin)
}

/// Until these sessions pass by whichever worker is asked: when they did first, and then always.
pub(super) fn passing(gate: &str, what: &str, sessions: &[&Value], longest: Duration) -> Duration {
    let begin = Instant::now();
    let (mut first, mut in_a_row) = (begin, 0);
    while in_a_row < IN_A_ROW {
        let asked = Instant::now();
        let verdicts: Vec<_> = sessions.iter().map(|session| verdict(gate, session)).collect();
        if verdicts.iter().all(|(status, _)| *status == 200) {
            if in_a_row == 0 {
                first = asked;
            }
            in_a_row += 1;
        } else {
            in_a_row = 0;
        }
        assert!(begin.elapsed() < longest, "{what}: {verdicts:?}");
    }
    whole(first - begin)
}

/// How long ago that was, for whoever reads it.
pub(super) fn since(begun: Instant) -> Duration {
    whole(begun.elapsed())
}

/// In whole milliseconds.
pub(super) fn whole(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
