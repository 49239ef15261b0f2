use std::fmt;

use super::{Known, Step};
use crate::client::Response;

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The step's name.
    pub name: &'static str,
    /// What was expected, as a list.
    pub expected: String,
    /// What came, in short.
    pub came: String,
    /// What is wrong with it; empty if nothing is.
    pub misses: Vec<String>,
}

/// The column after which "came" stands, where the list before it is no longer.
const EXPECTED_WIDTH: usize = 52;
/// The longest part of a body that is shown, in characters.
const SHOWN: usize = 60;

impl Outcome {
    pub(super) fn of(step: &Step, answer: &Response, known: &Known<'_>) -> Self {
        let misses = step.expected.iter().filter_map(|expected| expected.miss(answer, known)).collect();
        Self { name: step.name, expected: list(step), came: summary(answer), misses }
    }

    pub(super) fn without_answer(step: &Step, why: String) -> Self {
        Self { name: step.name, expected: list(step), came: "no answer".to_owned(), misses: vec![why] }
    }

    /// Whether all came as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.misses.is_empty()
    }

    /// One line, with the name in a column of its own; a failed one has a second that says why.
    #[must_use]
    pub fn line(&self, name_width: usize) -> String {
        let verdict = if self.passed() { "ok  " } else { "FAIL" };
        let (name, expected, came) = (self.name, &self.expected, &self.came);
        let mut line =
            format!("{verdict}  {name:name_width$}  expected {expected:EXPECTED_WIDTH$}  came {came}");
        if !self.passed() {
            line.push_str(&format!("\n      missing: {}", self.misses.join(", ")));
        }
        line
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.line(0))
    }
}

fn list(step: &Step) -> String {
    step.expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The status, and what the body says to people. Never a token.
fn summary(answer: &Response) -> String {
    let body = answer.json();
    let said = match answer.error() {
        Some(error) => error,
        None if body.get("token").is_some() => format!("a token for {}", body["user"]["email"]),
        None if body.is_null() => answer.text(),
        None => body.to_string(),
    };
    let shown: String = said.chars().take(SHOWN).collect();
    let more = if said.chars().count() > SHOWN { "..." } else { "" };
    format!("{} {}{more}", answer.status, printable(&shown)).trim_end().to_owned()
}

/// Nothing that a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
