use std::time::{Duration, Instant};

use bearward_tests::client::{Request, Response};
use bearward_tests::token::claims;
use serde_json::{Value, json};
use xtask::directory::random_hex;

use super::books::Books;

const PASSWORD: &str = "mypassword123";
/// How often a client asks again.
const TRIES: usize = 40;
/// The pause before that; `Retry-After` says a second, and this client is less patient.
const PAUSE: Duration = Duration::from_millis(100);
/// For how long a refresh token may be presented again, and a margin for the time on the way.
const RETRY: Duration = Duration::from_secs(9);
/// How often a session is refreshed.
const REFRESHES: usize = 3;

/// A user signs up, logs in, refreshes both sessions, and logs out of one. What is answered with success is written
/// down.
pub(super) fn one_life(url: &str, books: &Books) {
    let email = format!("user-{}@example.com", random_hex(8).unwrap());
    let account = json!({ "name": "User", "email": email, "password": PASSWORD });
    let signup = Request::post("/api/auth/signup", &account);
    // One that is answered 503 may have happened: then the address is taken.
    let Some((answer, unclear)) = books.ask(&signup, url, TRIES, PAUSE) else { return };
    let first = match answer.status {
        201 => {
            books.user(&email, answer.json()["user"]["id"].as_str().unwrap());
            Some(answer.json())
        }
        409 if unclear => None,
        _ => return books.wrong(&signup, &answer),
    };
    let credentials = json!({ "email": email, "password": PASSWORD });
    let Some(second) = expect(&Request::post("/api/auth/login", &credentials), 200, url, books) else {
        return;
    };
    for session in [first, Some(second.json())].into_iter().flatten() {
        books.session(&session_id(&session));
        let Some(last) = refreshed(session, url, books) else { continue };
        if books.is_even_life() {
            log_out(&last, url, books);
        } else {
            books.alive(&session_id(&last), text(&last, "refreshToken"));
        }
    }
    books.lived();
}

fn expect(request: &Request, status: u16, url: &str, books: &Books) -> Option<Response> {
    let (answer, _) = books.ask(request, url, TRIES, PAUSE)?;
    if answer.status == status {
        return Some(answer);
    }
    books.wrong(request, &answer);
    None
}

/// What the last refresh has answered. `None`: a refresh that was answered 503 had happened, and its successor was asked
/// for too late.
fn refreshed(mut session: Value, url: &str, books: &Books) -> Option<Value> {
    for _ in 0..REFRESHES {
        let begun = Instant::now();
        let request =
            Request::post("/api/auth/refresh", &json!({ "refreshToken": text(&session, "refreshToken") }));
        let (answer, unclear) = books.ask(&request, url, TRIES, PAUSE)?;
        match answer.status {
            200 => session = answer.json(),
            401 if unclear && begun.elapsed() > RETRY => return None,
            _ => {
                books.wrong(&request, &answer);
                return None;
            }
        }
    }
    Some(session)
}

fn log_out(session: &Value, url: &str, books: &Books) {
    let request = Request::new("POST", "/api/auth/logout").bearer(text(session, "accessToken"));
    let Some((answer, unclear)) = books.ask(&request, url, TRIES, PAUSE) else { return };
    match answer.status {
        204 => books.ended(&session_id(session), text(session, "accessToken")),
        401 if unclear => {}
        _ => books.wrong(&request, &answer),
    }
}

fn session_id(session: &Value) -> String {
    claims(text(session, "accessToken"))["sid"].as_str().unwrap().to_owned()
}

fn text<'a>(session: &'a Value, name: &str) -> &'a str {
    session[name].as_str().unwrap_or_else(|| panic!("no {name} in {session}"))
}
