//! What is told of a benchmark: JSON for machines, a table for people, and the table's place in a document.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xtask::error::Error;

use crate::machine::Machine;
use crate::statistics::{Latencies, Spread};

mod document;
mod table;

pub(crate) use self::table::{grouped, number};

/// Everything that one benchmark found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// As `cargo xtask bench NAME` has it.
    pub(crate) benchmark: &'static str,
    pub(crate) machine: Machine,
    /// What was chosen for this run, each with its name.
    pub(crate) settings: Vec<(&'static str, Value)>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) distributions: Vec<Distribution>,
    /// What is drawn of them, as Markdown.
    pub(crate) drawings: Vec<String>,
    /// What disturbs or is missing, in sentences.
    pub(crate) notes: Vec<String>,
}

/// One number, as the rounds had it.
#[derive(Debug)]
pub(crate) struct Figure {
    /// For machines: it ends in its unit.
    pub(crate) key: &'static str,
    /// For people.
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    pub(crate) spread: Spread,
    pub(crate) goal: Option<Goal>,
}

/// What is aimed at. It is told beside what was measured and fails no run: machines differ.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// How long something took, over all rounds.
#[derive(Debug)]
pub(crate) struct Distribution {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) latencies: Latencies,
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn json(self) -> Value {
        match self {
            Self::AtLeast(bound) => json!({ "at_least": bound }),
            Self::AtMost(bound) => json!({ "at_most": bound }),
        }
    }
}

impl Findings {
    /// The table for people, as Markdown.
    pub(crate) fn markdown(&self) -> String {
        table::markdown(self)
    }

    pub(crate) fn json(&self) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        let distributions: Vec<Value> = self.distributions.iter().map(Distribution::json).collect();
        let settings = self.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        json!({
            "benchmark": self.benchmark,
            "machine": self.machine.json(),
            "settings": serde_json::Map::from_iter(settings),
            "figures": figures,
            "distributions": distributions,
            "notes": self.notes,
        })
    }

    /// Writes the JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Error> {
        let text = format!("{:#}\n", self.json());
        fs::write(path, text).map_err(Error::file("write", path))
    }

    /// Puts the table into its place in a document.
    ///
    /// # Errors
    /// The document has no such place, or cannot be written.
    pub(crate) fn write_into(&self, path: &Path) -> Result<(), Error> {
        write_into(path, self.benchmark, &self.markdown())
    }
}

/// Puts a benchmark's text into its place in a document.
///
/// # Errors
/// The document has no such place, or cannot be written.
pub(crate) fn write_into(path: &Path, benchmark: &str, text: &str) -> Result<(), Error> {
    document::replace(path, benchmark, text)
}

impl Figure {
    fn json(&self) -> Value {
        let (spread, median) = (&self.spread, self.spread.median());
        json!({
            "key": self.key,
            "unit": self.unit,
            "median": median,
            "least": spread.least(),
            "greatest": spread.greatest(),
            "rounds": spread.rounds(),
            "goal": self.goal.map(Goal::json),
            "met": self.goal.map(|goal| goal.is_met(median)),
        })
    }
}

impl Distribution {
    fn json(&self) -> Value {
        let mut object = self.latencies.json();
        if let Some(object) = object.as_object_mut() {
            object.insert("key".to_owned(), json!(self.key));
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn findings() -> Findings {
        let figure = |key, title: &str, unit, rounds: &[f64], goal| Figure {
            key,
            title: title.to_owned(),
            unit,
            spread: Spread::of(rounds.to_vec()).unwrap(),
            goal,
        };
        let mut latencies = Latencies::new().unwrap();
        latencies.record(std::time::Duration::from_millis(12));
        Findings {
            benchmark: "issuer",
            machine: Machine::of(&[("PostgreSQL", "18.1".to_owned())]),
            settings: vec![("rounds", json!(3))],
            figures: vec![
                figure("a_per_s", "A", "/s", &[1_204.0, 1_000.0, 1_100.0], Some(Goal::AtLeast(1_000.0))),
                figure("b_ms", "B", "ms", &[61.5, 62.25, 60.0], Some(Goal::AtMost(50.0))),
                figure("c", "C", "", &[0.954], None),
            ],
            distributions: vec![Distribution { key: "logins", title: "Logins", latencies }],
            drawings: vec!["```text\nshown\n```".to_owned()],
            notes: vec!["It was noisy.".to_owned()],
        }
    }

    #[test]
    fn machines_find_every_figure_with_its_rounds_and_whether_its_goal_is_met() {
        let json = findings().json();
        assert_eq!(json["figures"][0]["median"], 1_100.0);
        assert_eq!(json["figures"][0]["rounds"], json!([1_204.0, 1_000.0, 1_100.0]));
        let met = |place: usize| json["figures"][place]["met"].clone();
        assert_eq!([met(0), met(1), met(2)], [json!(true), json!(false), Value::Null]);
        assert_eq!(json["figures"][1]["goal"], json!({ "at_most": 50.0 }));
        assert_eq!(json["distributions"][0]["key"], "logins");
        assert_eq!(json["settings"]["rounds"], 3);
        assert_eq!(json["machine"]["versions"]["PostgreSQL"], "18.1");
    }
}
