use std::cmp::Reverse;
use std::time::Duration;

use crate::report::seconds;

/// What the test binaries say, summed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Results {
    pub(super) passed: u64,
    pub(super) failed: u64,
    times: Vec<(Duration, String)>,
    notes: Vec<String>,
}

/// How many slow tests are named.
const SLOWEST: usize = 10;

impl Results {
    /// Takes what a line of a test binary's output says.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(summary) = line.strip_prefix("test result: ") {
            self.passed += number_before(summary, " passed");
            self.failed += number_before(summary, " failed");
        } else if let Some(timed) = timed(line) {
            self.times.push(timed);
        } else if let Some(note) = line.strip_prefix("measured: ") {
            self.notes.push(note.to_owned());
        }
    }

    /// Takes the results of a further run, and says of each time and note that it is from there.
    pub(super) fn add(&mut self, run: Results, name: &str) {
        self.passed += run.passed;
        self.failed += run.failed;
        self.times.extend(run.times.into_iter().map(|(time, test)| (time, format!("{test} ({name})"))));
        self.notes.extend(run.notes.into_iter().map(|note| format!("{note} ({name})")));
    }

    /// What tests counted and measured, a line each, in an order that does not depend on which came first.
    pub(super) fn notes(&self) -> String {
        let mut notes = self.notes.clone();
        notes.sort();
        ["what the tests counted and measured:".to_owned()]
            .into_iter()
            .chain(notes.iter().map(|note| format!("  {note}")))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The slowest tests, a line each.
    pub(super) fn slowest(&self) -> String {
        let mut times: Vec<&(Duration, String)> = self.times.iter().collect();
        times.sort_by_key(|(time, _)| Reverse(*time));
        let lines = times.iter().take(SLOWEST).map(|(time, name)| format!("{:>8}  {name}", seconds(*time)));
        ["the slowest tests:".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// `ok. 12 passed; 0 failed; ...`
fn number_before(summary: &str, word: &str) -> u64 {
    let before = summary.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// `test NAME ... ok <0.123s>`
fn timed(line: &str) -> Option<(Duration, String)> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let time = outcome.rsplit_once('<')?.1.strip_suffix("s>")?.parse().ok()?;
    Some((Duration::try_from_secs_f64(time).ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Results {
        let mut results = Results::default();
        for line in lines {
            results.read(line);
        }
        results
    }

    #[test]
    fn the_results_of_all_binaries_are_summed() {
        let results = of(&[
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "some test prints: 7 failed",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ]);
        assert_eq!((results.passed, results.failed), (15, 2));
    }

    #[test]
    fn the_slowest_test_comes_first_and_only_ten_are_named() {
        let mut lines: Vec<String> = (0..12).map(|n| format!("test quick::{n} ... ok <0.00{n}s>")).collect();
        lines.push("test through_envoy::a_trap ... FAILED <4.250s>".to_owned());
        let text = of(&lines.iter().map(String::as_str).collect::<Vec<_>>()).slowest();
        assert_eq!(text.lines().nth(1).unwrap(), "   4.2 s  through_envoy::a_trap");
        assert_eq!(text.lines().count(), 1 + SLOWEST);
    }

    #[test]
    fn a_further_run_counts_as_much_and_is_told_apart() {
        let run = [
            "test a ... ok <0.2s>",
            "measured: faults: 7",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored",
        ];
        let mut results = of(&run);
        results.add(of(&run), "Envoy 1.0");
        assert_eq!((results.passed, results.failed), (6, 2));
        assert_eq!(
            results.slowest().lines().skip(1).collect::<Vec<_>>(),
            ["   0.2 s  a", "   0.2 s  a (Envoy 1.0)"]
        );
        assert_eq!(
            results.notes().lines().skip(1).collect::<Vec<_>>(),
            ["  faults: 7", "  faults: 7 (Envoy 1.0)"]
        );
    }

    #[test]
    fn what_tests_note_is_repeated_in_order() {
        let results = of(&[
            "measured: vectors on Envoy: 3",
            "test a ... ok <0.1s>",
            "measured: faults: 7",
            "note: run with",
            "a measured: no",
        ]);
        let text = results.notes();
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["  faults: 7", "  vectors on Envoy: 3"]);
    }

    #[test]
    fn lines_that_only_look_alike_count_for_nothing() {
        assert_eq!(of(&["test a ... ok", "test b ... ok <soon>", "testing <1.0s>", ""]), Results::default());
    }
}
