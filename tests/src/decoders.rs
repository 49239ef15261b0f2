//! What real servers took request targets for, as `tests/decoders` has written it down.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use xtask::workspace;

/// Facts about servers that all have the same route table.
#[derive(Debug)]
pub struct Facts {
    /// The version of each server.
    pub servers: BTreeMap<String, String>,
    /// What each took a target for.
    by_target: BTreeMap<Vec<u8>, Vec<Seen>>,
}

/// What some servers took a target for.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The servers.
    pub by: Vec<String>,
    /// The route that they chose; `None` where they refused or redirected the request.
    pub route: Option<String>,
    /// What stood in the place of `{id}`, decoded.
    pub id: Option<Vec<u8>>,
}

/// As it is written.
#[derive(Deserialize)]
struct File {
    servers: BTreeMap<String, String>,
    facts: Vec<Fact>,
}

#[derive(Deserialize)]
struct Fact {
    target: String,
    seen: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    by: Vec<String>,
    route: Option<String>,
    id: Option<String>,
}

impl Facts {
    /// Those of `tests/vectors/decoders/facts.json`.
    ///
    /// # Panics
    /// If they are not what the recorder writes.
    #[must_use]
    pub fn read() -> Self {
        let file = workspace::root().join("tests/vectors/decoders/facts.json");
        let text = fs::read_to_string(file).expect("the facts");
        let File { servers, facts } = serde_json::from_str(&text).expect("facts as the recorder writes them");
        let seen =
            |answer: Answer| Seen { by: answer.by, route: answer.route, id: answer.id.map(|id| bytes(&id)) };
        let by_target = facts
            .into_iter()
            .map(|fact| (bytes(&fact.target), fact.seen.into_iter().map(seen).collect()))
            .collect();
        Self { servers, by_target }
    }

    /// Every target that the servers were asked for.
    pub fn targets(&self) -> impl Iterator<Item = &[u8]> {
        self.by_target.keys().map(Vec::as_slice)
    }

    /// What the servers took a target for.
    ///
    /// # Panics
    /// If they were not asked for it.
    #[must_use]
    pub fn seen(&self, target: &[u8]) -> &[Seen] {
        let seen = self.by_target.get(target);
        seen.unwrap_or_else(|| panic!("the servers were not asked for {}", target.escape_ascii()))
    }
}

/// The recorder writes one character for each byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).expect("a byte")).collect()
}
