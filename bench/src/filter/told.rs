//! How a run is told: a table for people, JSON for machines, a chart.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use xtask::error::Error;

use super::chart;
use super::starts::Start;
use super::variants::NONE;
use super::verdict::{Ratio, Row, Verdict};
use crate::machine::Machine;
use crate::report::{number, write_into};
use crate::statistics::Spread;

/// As `cargo xtask bench NAME` has it.
const BENCHMARK: &str = "filter";
const CHART: &str = "filter-cpu.svg";

/// Everything that one run found.
#[derive(Debug)]
pub(super) struct Told {
    /// Where no filter follows a feed of revocations.
    pub(super) own: Pass,
    /// Where some do; `None` where that was not chosen.
    pub(super) following: Option<Pass>,
    pub(super) machine: Machine,
    /// What stands before the first request; empty where that was not looked at.
    pub(super) starts: Vec<Start>,
    /// Whether the figures say nothing.
    pub(super) is_quick: bool,
    /// What was chosen for this run, each with its name.
    pub(super) settings: Vec<(&'static str, Value)>,
}

/// What one Envoy with many filters said.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) verdict: Verdict,
    /// What the worker does of its own, in microseconds of each second.
    pub(super) alone_us: f64,
}

impl Pass {
    fn markdown(&self) -> String {
        let mut text = String::new();
        if let Some(none) = self.verdict.none() {
            let _ = writeln!(
                text,
                "Without a filter a request costs the worker {} µs ({}). The same measured a second time in the same block differs by \
                 {} µs ({}): what single rounds tell apart by less than that they do not tell apart. With nobody asking, the worker \
                 works {} µs of each second.\n",
                number(none.none_us.median()),
                range(&none.none_us),
                number(none.added_us.median()),
                range(&none.added_us),
                number(self.alone_us),
            );
        }
        text.push_str(
            "| path | native adds, µs | Bearward adds, µs | ratio | 95 % | single rounds | goal | | |\n",
        );
        text.push_str("|---|---:|---:|---:|---:|---:|---:|---|---|\n");
        self.verdict.ratios.iter().for_each(|ratio| text.push_str(&ratio_row(ratio)));
        text.push_str("\n| variant | added CPU, µs | least to greatest | of the process, µs | without a filter, µs | requests/s | p50, µs | p99, µs |\n");
        text.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
        self.verdict.rows.iter().for_each(|row| text.push_str(&variant_row(row)));
        text
    }
}

impl Told {
    /// For people, as Markdown.
    pub(super) fn markdown(&self) -> String {
        let settings: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
        let mut text = format!("{} In this run: {}.\n\n", self.machine.sentence(), settings.join(", "));
        if self.is_quick {
            text.push_str(
                "A short run, only to see that everything is measured: its figures say nothing.\n\n",
            );
        }
        text.push_str(&self.own.markdown());
        if let Some(following) = &self.following {
            text.push_str("\nWith a feed of revocations that is followed, and beside it (*off*) without, in another Envoy:\n\n");
            text.push_str(&following.markdown());
        }
        if !self.starts.is_empty() {
            text.push_str("\n| an Envoy with one worker | module, bytes | start to first answer, ms | least to greatest | resident, MB | the same, cache full | each further worker, MB |\n");
            text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
            self.starts.iter().for_each(|start| text.push_str(&start_row(start)));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let own = &self.own.verdict;
        let following = || self.following.iter().map(|pass| &pass.verdict);
        let ratios = own.ratios.iter().chain(following().flat_map(|verdict| &verdict.ratios));
        let ratios = ratios.map(|ratio| (ratio.pair.name.clone(), ratio_json(ratio)));
        // No filter at all is measured in each.
        let others = following().flat_map(|verdict| &verdict.rows).filter(|row| row.name != NONE);
        let rows = own.rows.iter().chain(others);
        let settings = self.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        json!({
            "benchmark": BENCHMARK,
            "machine": self.machine.json(),
            "settings": Map::from_iter(settings),
            "none_us": own.none().map(|none| spread_json(&none.none_us)),
            "none_against_itself_us": own.none().map(|none| spread_json(&none.added_us)),
            "starts": self.starts.iter().map(start_json).collect::<Vec<_>>(),
            "worker_alone_us_per_s": self.own.alone_us,
            "following": self.following.as_ref().map(|of| json!({
                "none_us": of.verdict.none().map(|none| spread_json(&none.none_us)),
                "none_against_itself_us": of.verdict.none().map(|none| spread_json(&none.added_us)),
                "worker_alone_us_per_s": of.alone_us,
            })),
            "variants": rows.map(variant_json).collect::<Vec<_>>(),
            "ratios": Map::from_iter(ratios),
        })
    }

    /// # Errors
    /// The file cannot be written.
    pub(super) fn write_json(&self, path: &Path) -> Result<(), Error> {
        fs::write(path, format!("{:#}\n", self.json())).map_err(Error::file("write", path))
    }

    /// Puts the table into its place in a document, and the chart beside that.
    ///
    /// # Errors
    /// The document has no such place, or cannot be written.
    pub(super) fn write_into(&self, path: &Path) -> Result<(), Error> {
        let chart = path.with_file_name(CHART);
        fs::write(&chart, chart::bars(&self.own.verdict.ratios)).map_err(Error::file("write", &chart))?;
        let text = format!("{}\n![CPU time that each filter adds to a request]({CHART})\n", self.markdown());
        write_into(path, BENCHMARK, &text)
    }
}

fn ratio_row(ratio: &Ratio) -> String {
    let met = match ratio.is_met() {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    };
    let verdict = match ratio {
        _ if ratio.is_less() => "less",
        _ if ratio.is_more() => "more",
        _ => "not told apart",
    };
    let [low, high] = ratio.bounds.map(number);
    format!(
        "| {} | {} | {} | {} | {low} to {high} | {} | {} | {met} | {verdict} |\n",
        words(&ratio.pair.name),
        number(ratio.theirs_us),
        number(ratio.ours_us),
        number(ratio.ratio),
        range(&ratio.spread),
        ratio.pair.goal.map(number).unwrap_or_default(),
    )
}

fn variant_row(row: &Row) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
        words(&row.name),
        number(row.added_us.median()),
        range(&row.added_us),
        number(row.added_process_us.median()),
        number(row.none_us.median()),
        number(row.rps.median()),
        number(row.p50_us.median()),
        number(row.p99_us.median()),
    )
}

/// As people read a name.
fn words(name: &str) -> String {
    name.replace("warm_1000", "warm (1,000 tokens)").replace('_', " ")
}

fn start_row(start: &Start) -> String {
    let megabytes = |spread: &Spread| number(spread.median() / 1e6);
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        start.name,
        start.module_bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        number(start.ready_ms.median()),
        range(&start.ready_ms),
        megabytes(&start.resident),
        megabytes(&start.full),
        megabytes(&start.each_worker),
    )
}

fn start_json(start: &Start) -> Value {
    json!({
        "name": start.name,
        "module_bytes": start.module_bytes,
        "ready_ms": spread_json(&start.ready_ms),
        "resident_bytes": spread_json(&start.resident),
        "resident_full_bytes": spread_json(&start.full),
        "each_further_worker_bytes": spread_json(&start.each_worker),
    })
}

fn range(spread: &Spread) -> String {
    format!("{} to {}", number(spread.least()), number(spread.greatest()))
}

fn variant_json(row: &Row) -> Value {
    json!({
        "name": row.name,
        "added_cpu_us": spread_json(&row.added_us),
        "cpu_us": spread_json(&row.cpu_us),
        "without_filter_cpu_us": spread_json(&row.none_us),
        "added_process_cpu_us": spread_json(&row.added_process_us),
        "rps": row.rps.median(),
        "p50_us": row.p50_us.median(),
        "p99_us": row.p99_us.median(),
        "worker_busy": row.busy.median(),
    })
}

/// The median is that of what ours adds over that of what theirs adds; `min`, `max` and `rounds` are of single rounds.
fn ratio_json(ratio: &Ratio) -> Value {
    json!({
        "median": ratio.ratio,
        "min": ratio.spread.least(),
        "max": ratio.spread.greatest(),
        "rounds": ratio.spread.rounds(),
        "median_of_rounds": ratio.spread.median(),
        "bounds_95": ratio.bounds,
        "less": ratio.is_less(),
        "more": ratio.is_more(),
        "goal": ratio.pair.goal,
        "met": ratio.is_met(),
    })
}

fn spread_json(spread: &Spread) -> Value {
    json!({ "median": spread.median(), "min": spread.least(), "max": spread.greatest(), "rounds": spread.rounds() })
}
