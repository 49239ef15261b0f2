//! How cost grows: each question a panel of one drawing, measured as everything else is, in shorter runs.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::json;
use xtask::error::Error;
use xtask::report::{Report, print};

use self::panels::{Panel, Point};
use super::rounds::{Amounts, Cold, Slices};
use super::run::Run;
use super::tokens::{self, Signer, Signers};
use super::variants::{Block, Filter};
use super::{COLD_TOKENS, Options, QUICK, only};
use crate::machine::{self, Machine};
use crate::report;
use crate::statistics::Spread;

mod drawing;
mod panels;
mod text;

/// How often everything is measured where nothing else is said.
const ROUNDS: u32 = 10;
const LONG: Amounts = Amounts {
    rounds: 0,
    warm_up: Duration::from_millis(300),
    slice: Duration::from_millis(150),
    least: 300,
    before: 200,
    cold: Cold { warm_up: COLD_TOKENS, slice: 2_500 },
};
/// As `cargo xtask bench NAME` has it.
const BENCHMARK: &str = "filter --growth";
const DRAWING: &str = "filter-growth.svg";

/// Everything that was found.
#[derive(Debug)]
struct Growth {
    machine: Machine,
    rounds: u32,
    is_quick: bool,
    panels: Vec<Drawn>,
}

/// A question, with what was found.
#[derive(Debug)]
struct Drawn {
    title: &'static str,
    /// What the numbers below are of.
    unit: &'static str,
    lines: Vec<Line>,
}

/// What one filter adds to a request, in microseconds, over what grows.
#[derive(Debug)]
struct Line {
    name: String,
    is_ours: bool,
    points: Vec<(f64, Spread)>,
}

/// Measures, prints the tables, and writes what was asked for.
///
/// # Errors
/// Envoy does not start, or a variant answers something else than it should.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    let growth = measure(options, report)?;
    let text = growth.markdown();
    print(&text);
    if let Some(path) = &options.json {
        fs::write(path, format!("{:#}\n", growth.json())).map_err(Error::file("write", path))?;
    }
    if let Some(path) = &options.write {
        let drawing = path.with_file_name(DRAWING);
        fs::write(&drawing, drawing::svg(&growth.panels)).map_err(Error::file("write", &drawing))?;
        let text = format!("![How cost grows]({DRAWING})\n\n{text}");
        report::write_into(path, BENCHMARK, &text)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<Growth, Error> {
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let amounts = if options.quick { QUICK } else { Amounts { rounds, ..LONG } };
    let count = amounts.tokens();
    let secret = tokens::secret()?;
    let machine = Machine::of(&[("Envoy", machine::envoy_version(&options.envoy).unwrap_or_default())]);
    let panels = panels::all(options.quick);
    only::check(&options.only, panels.iter().map(|panel| panel.name))?;
    let panels: Vec<Panel> =
        panels.into_iter().filter(|panel| only::wants(&options.only, panel.name)).collect();
    let points = || panels.iter().flat_map(|panel| &panel.points);
    let signers: Signers = report.step("sign tokens", |_| {
        let wanted: BTreeMap<_, _> =
            points().map(|point| (&point.block.asks.signer, &point.wanted)).collect();
        let signer = |(name, wanted): (&String, &tokens::Wanted)| {
            let wanted = tokens::Wanted { count, ..wanted.clone() };
            Ok((name.clone(), Signer::new(&wanted, &secret)?))
        };
        wanted.into_iter().map(signer).collect::<Result<_, Error>>()
    })?;
    let mut slices = Slices::new();
    for workers in [1, 2] {
        let of = |point: &&Point| point.workers == workers;
        let blocks: Vec<Block> = points().filter(of).map(|point| point.block.clone()).collect();
        if !blocks.is_empty() {
            let run = Run {
                options,
                blocks: &blocks,
                signers: &signers,
                secret: &secret,
                amounts: &amounts,
                workers,
            };
            slices.extend(run.measure(report)?.slices);
        }
    }
    let panels = panels.iter().map(|panel| drawn(panel, &slices)).collect::<Option<Vec<_>>>();
    let panels = panels.ok_or_else(|| Error::unusable("something was not measured", "more rounds"))?;
    Ok(Growth { machine, rounds: amounts.rounds, is_quick: options.quick, panels })
}

/// The lines of one question: one for each filter and series. `None` where something was not measured.
fn drawn(panel: &Panel, slices: &Slices) -> Option<Drawn> {
    let mut lines: Vec<Line> = Vec::new();
    for point in &panel.points {
        for variant in &point.block.variants {
            let is_ours = matches!(variant.filter, Filter::Bearward { .. });
            let whose = if is_ours { "Bearward" } else { "native" };
            let name = [whose, point.series].join(" ").trim().to_owned();
            let rounds = slices.get(&variant.name)?.iter();
            let added = Spread::of(rounds.map(|round| round.own.worker_us - round.none.worker_us).collect())?;
            let place = lines.iter().position(|line| line.name == name).unwrap_or(lines.len());
            if place == lines.len() {
                lines.push(Line { name, is_ours, points: Vec::new() });
            }
            lines.get_mut(place)?.points.push((point.at, added));
        }
    }
    Some(Drawn { title: panel.title, unit: panel.unit, lines })
}

impl Growth {
    fn json(&self) -> serde_json::Value {
        let point = |(at, spread): &(f64, Spread)| json!({ "at": at, "median": spread.median(), "min": spread.least(), "max": spread.greatest() });
        let line = |line: &Line| {
            let points: Vec<_> = line.points.iter().map(point).collect();
            json!({ "name": line.name, "added_cpu_us": points })
        };
        let panel = |panel: &Drawn| {
            let lines: Vec<_> = panel.lines.iter().map(line).collect();
            json!({ "title": panel.title, "unit": panel.unit, "lines": lines })
        };
        json!({
            "benchmark": BENCHMARK,
            "machine": self.machine.json(),
            "settings": { "rounds": self.rounds },
            "growth": self.panels.iter().map(panel).collect::<Vec<_>>(),
        })
    }

    fn markdown(&self) -> String {
        let mut text = format!("{} In this run: rounds {}.\n\n", self.machine.sentence(), self.rounds);
        if self.is_quick {
            text.push_str(
                "A short run, only to see that everything is measured: its figures say nothing.\n\n",
            );
        }
        self.panels.iter().for_each(|panel| text.push_str(&text::table(panel)));
        text
    }
}
