use serde_json::{Value, json};
use xtask::directory::random_hex;

use super::{Moment, Site};
use crate::client::{Request, Response};

const PASSWORD: &str = "mypassword123";

/// Somebody with the token of the login at which this value was made.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    email: String,
    pub(super) password: String,
    session: Session,
}

/// The answer to a login.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: String,
    refresh: String,
}

impl Session {
    pub(super) fn of(answer: &Response) -> Self {
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.text());
        let answer = answer.json();
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        Self { token: text("token"), refresh: text("refreshToken") }
    }

    /// The newer one of the same session.
    pub(super) fn refreshed(&self, site: &Site) -> Self {
        let body = json!({ "refreshToken": self.refresh });
        Self::of(&Request::post("/api/auth/refresh", &body).send(site.url()))
    }

    pub(super) fn sid(&self) -> String {
        crate::token::claims(&self.token)["sid"].as_str().expect("a session").to_owned()
    }

    pub(super) fn kid(&self) -> String {
        crate::token::header(&self.token)["kid"].as_str().expect("a key").to_owned()
    }

    pub(super) fn issued_at(&self) -> u64 {
        crate::token::claims(&self.token)["iat"].as_u64().expect("a time")
    }

    /// Asks for something as this session, and returns the answer and when it came.
    pub(super) fn does(&self, site: &Site, method: &str, path: &str, body: &Value) -> (Response, Moment) {
        let request = Request::new(method, path).bearer(&self.token);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send(site.url());
        let moment = Moment::now();
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        (answer, moment)
    }
}

impl Person {
    pub(super) fn sign_up(site: &Site) -> Self {
        Self::sign_up_as(site, &format!("user-{}@example.com", random_hex(8).expect("random numbers")))
    }

    pub(super) fn sign_up_as(site: &Site, email: &str) -> Self {
        let body = json!({ "name": "Priya", "email": email, "password": PASSWORD });
        let answer = Request::post("/api/auth/signup", &body).send(site.url());
        let session = Session::of(&answer);
        let id = answer.json()["user"]["id"].as_str().expect("an id").to_owned();
        Self { id, email: email.to_owned(), password: PASSWORD.to_owned(), session }
    }

    /// The token of the signup.
    pub(super) fn first(&self) -> &str {
        &self.session.token
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn log_in(&self, site: &Site) -> Session {
        Session::of(&self.try_to_log_in(site))
    }

    pub(super) fn try_to_log_in(&self, site: &Site) -> Response {
        let body = json!({ "email": self.email, "password": self.password });
        Request::post("/api/auth/login", &body).send(site.url())
    }

    pub(super) fn logged_in_anew(mut self, site: &Site) -> Self {
        self.session = self.log_in(site);
        self
    }

    pub(super) fn refreshed(&mut self, site: &Site) {
        self.session = self.session.refreshed(site);
    }
}
