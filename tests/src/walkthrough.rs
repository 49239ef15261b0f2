//! The promises of the first capability as a table of steps, run against any gate: the demo's, the containers', a
//! test's.

use std::collections::HashMap;

use crate::client::{Request, Response};
use crate::keys;

mod credentials;
mod expected;
mod outcome;
mod steps;

pub use credentials::Credentials;
pub use expected::Expected;
pub use outcome::Outcome;
use steps::steps;

/// Where to walk, and what a walker has to know.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://ADDRESS:PORT` of the gate.
    pub url: String,
    /// Who may remove what is on the menu.
    pub admin_email: String,
    /// And the password to it.
    pub admin_password: String,
    /// The issuer's database: a token that expired long ago is signed with the real key.
    pub database_url: String,
    /// What makes this walk's e-mail addresses unique: letters and digits.
    pub run: String,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Step {
    name: &'static str,
    request: Request,
    credentials: Credentials,
    expected: Vec<Expected>,
    learns: Option<Learns>,
}

/// What later steps take from the answer of one.
#[derive(Clone, Copy, Debug)]
enum Learns {
    Customer,
    Admin,
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
struct Account {
    id: String,
    token: String,
}

/// What has been learned so far.
#[derive(Debug)]
struct Known<'t> {
    target: &'t Target,
    customer: Option<Account>,
    admin: Option<Account>,
    answers: HashMap<&'static str, Response>,
}

/// Walks every step in its order; `tell` hears of each outcome as it comes. All of them come back.
pub fn walk(target: &Target, mut tell: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let mut known = Known { target, customer: None, admin: None, answers: HashMap::new() };
    let mut outcomes = Vec::new();
    for step in steps(target) {
        let outcome = known.take(&step);
        tell(&outcome);
        outcomes.push(outcome);
    }
    outcomes
}

/// The length of the longest name of a step, in characters.
#[must_use]
pub fn longest_name(target: &Target) -> usize {
    steps(target).iter().map(|step| step.name.chars().count()).max().unwrap_or(0)
}

impl Known<'_> {
    fn take(&mut self, step: &Step) -> Outcome {
        let answer = step.credentials.present(step.request.clone(), self);
        match answer.and_then(|request| request.try_send(&self.target.url)) {
            Err(why) => Outcome::without_answer(step, why),
            Ok(answer) => {
                let outcome = Outcome::of(step, &answer, self);
                self.learn(step, answer);
                outcome
            }
        }
    }

    fn learn(&mut self, step: &Step, answer: Response) {
        let body = answer.json();
        let text = |pointer: &str| body.pointer(pointer)?.as_str().map(str::to_owned);
        let account = text("/user/id").zip(text("/token")).map(|(id, token)| Account { id, token });
        match step.learns {
            Some(Learns::Customer) => self.customer = account,
            Some(Learns::Admin) => self.admin = account,
            None => {}
        }
        self.answers.insert(step.name, answer);
    }

    fn signing_key(&self) -> Result<(String, crate::token::Key), String> {
        keys::signing_key(&self.target.database_url)
    }
}

impl Step {
    fn new(name: &'static str, request: Request, expected: impl Into<Vec<Expected>>) -> Self {
        Self { name, request, credentials: Credentials::None, expected: expected.into(), learns: None }
    }

    fn with(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    fn learns(self, learns: Learns) -> Self {
        Self { learns: Some(learns), ..self }
    }
}
