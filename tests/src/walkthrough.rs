//! The promises of the first capability as a table of steps, run against any gate: the demo's, the containers', a
//! test's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Request, Response};
use crate::keys;

mod credentials;
mod expected;
mod outcome;
mod revoking;
mod steps;

pub use credentials::Credentials;
pub use expected::Expected;
pub use outcome::Outcome;
use steps::steps;

/// How soon a token that has ended is refused, at the latest.
const PROMISED: Duration = Duration::from_secs(1);
/// After so many refusals in a row, each on a connection of its own, no worker is left that does not know.
const IN_A_ROW: u32 = 16;

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
    /// Whether every worker of the gate has to answer so, and within a second from now on.
    is_felt: bool,
}

/// What later steps take from the answer of one.
#[derive(Clone, Copy, Debug)]
enum Learns {
    Customer,
    Admin,
    /// On this device.
    Device(&'static str),
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
    /// What was answered to the last login, or the last refresh, on a device.
    devices: HashMap<&'static str, Value>,
    answers: HashMap<&'static str, Response>,
}

/// Walks every step in its order; `tell` hears of each outcome as it comes. All of them come back.
pub fn walk(target: &Target, mut tell: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let mut known =
        Known { target, customer: None, admin: None, devices: HashMap::new(), answers: HashMap::new() };
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
        let filled = step.request.filled(|name| self.value_of(name));
        let request = filled.and_then(|request| step.credentials.present(request, self));
        let begin = Instant::now();
        let mut in_a_row = 0;
        loop {
            let asked = Instant::now();
            let answer = match request.clone().and_then(|request| request.try_send(&self.target.url)) {
                Err(why) => return Outcome::without_answer(step, why),
                Ok(answer) => answer,
            };
            let outcome = Outcome::of(step, &answer, self);
            in_a_row = if outcome.passed() { in_a_row + 1 } else { 0 };
            let is_late = in_a_row == 0 && asked - begin > PROMISED;
            if !step.is_felt || is_late || in_a_row == IN_A_ROW {
                self.learn(step, answer);
                return outcome;
            }
        }
    }

    /// What stands for `{DEVICE/POINTER}` in a request: a member of what that device was answered.
    fn value_of(&self, name: &str) -> Option<String> {
        let (device, pointer) = name.split_at(name.find('/')?);
        Some(self.devices.get(device)?.pointer(pointer)?.as_str()?.to_owned())
    }

    fn learn(&mut self, step: &Step, answer: Response) {
        let body = answer.json();
        let text = |pointer: &str| body.pointer(pointer)?.as_str().map(str::to_owned);
        let account = text("/user/id").zip(text("/token")).map(|(id, token)| Account { id, token });
        match step.learns {
            Some(Learns::Customer) => self.customer = account,
            Some(Learns::Admin) => self.admin = account,
            Some(Learns::Device(name)) => {
                self.devices.insert(name, body);
            }
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
        Self {
            name,
            request,
            credentials: Credentials::None,
            expected: expected.into(),
            learns: None,
            is_felt: false,
        }
    }

    fn with(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    fn felt(self) -> Self {
        Self { is_felt: true, ..self }
    }

    fn learns(self, learns: Learns) -> Self {
        Self { learns: Some(learns), ..self }
    }
}
