//! All questions in one drawing.

use std::fmt::Write;

use super::{Drawn, Line};
use crate::report::grouped;

/// Everything is in units of about a pixel.
const COLUMNS: usize = 2;
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;
/// Of Bearward's lines, and of the native ones; more of them have dashes.
const OURS: &str = "#1f5fa8";
const THEIRS: &str = "#888888";
const DASHES: [&str; 3] = ["none", "6 3", "2 3"];
/// How close two names may stand.
const LINE_HEIGHT: f64 = 13.0;

/// An SVG with a panel for each.
pub(super) fn svg(panels: &[Drawn]) -> String {
    let (width, height) = (WIDTH * COLUMNS as f64, HEIGHT * panels.len().div_ceil(COLUMNS) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <title>How what a filter adds to a request grows</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let (x, y) = ((place % COLUMNS) as f64 * WIDTH, (place / COLUMNS) as f64 * HEIGHT);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        draw(&mut svg, panel);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Drawn) {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let most = points().map(|(_, spread)| spread.median()).fold(1.0, f64::max) * 1.1;
    let mut places: Vec<f64> = points().map(|(at, _)| *at).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    // At even distances: each is a few times the one before.
    let step = (WIDTH - LEFT - RIGHT) / places.len().saturating_sub(1).max(1) as f64;
    let x = |at: f64| LEFT + step * places.iter().take_while(|place| **place < at).count() as f64;
    let y = |value: f64| HEIGHT - BOTTOM - value.max(0.0) / most * (HEIGHT - TOP - BOTTOM);
    text(svg, (10.0, 18.0), "start", panel.title);
    text(svg, (10.0, 32.0), "start", "µs");
    for share in [0.0, 0.5, 1.0] {
        let value = most / 1.1 * share;
        let (from, to) = ((LEFT, y(value)), (WIDTH - RIGHT, y(value)));
        stroke(svg, &[from, to], "#dddddd", "none");
        text(svg, (LEFT - 6.0, y(value) + 4.0), "end", &format!("{value:.1}"));
    }
    for at in &places {
        text(svg, (x(*at), HEIGHT - BOTTOM + 16.0), "middle", &grouped(*at));
    }
    text(svg, (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 8.0), "middle", panel.unit);
    for (line, dashes) in dashed(&panel.lines) {
        let path: Vec<_> = line.points.iter().map(|(at, spread)| (x(*at), y(spread.median()))).collect();
        stroke(svg, &path, color(line), dashes);
        for (x, y) in &path {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{}\"/>", color(line));
        }
    }
    names(svg, &panel.lines, y);
}

/// The name of each line at its end, none over another.
fn names(svg: &mut String, lines: &[Line], y: impl Fn(f64) -> f64) {
    let end = |line: &Line| y(line.points.last().map_or(0.0, |(_, spread)| spread.median()));
    let mut sorted: Vec<(f64, &Line)> = lines.iter().map(|line| (end(line), line)).collect();
    sorted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    // From below: those that would stand on another one are lifted.
    let mut lowest = f64::INFINITY;
    for (end, line) in sorted {
        lowest = end.min(lowest - LINE_HEIGHT);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" fill=\"{}\">{}</text>",
            WIDTH - RIGHT + 8.0,
            lowest + 4.0,
            color(line),
            line.name
        );
    }
}

/// Each with its dashes: the first of each kind has none.
fn dashed(lines: &[Line]) -> impl Iterator<Item = (&Line, &'static str)> {
    let mut of_kind = [0, 0];
    lines.iter().map(move |line| {
        let [theirs, ours] = &mut of_kind;
        let count = if line.is_ours { ours } else { theirs };
        *count += 1;
        (line, DASHES.into_iter().cycle().nth(*count - 1).unwrap_or("none"))
    })
}

fn color(line: &Line) -> &'static str {
    if line.is_ours { OURS } else { THEIRS }
}

fn stroke(svg: &mut String, points: &[(f64, f64)], color: &str, dashes: &str) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-dasharray=\"{dashes}\"/>",
        points.join(" ")
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, what: &str) {
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{what}</text>", at.0, at.1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Spread;

    #[test]
    fn every_line_is_drawn_with_its_name_and_no_name_over_another() {
        let line = |name: &str, is_ours, value: f64| {
            let points = [1.0, 1_000.0].map(|at| (at, Spread::of(vec![value]).unwrap())).into();
            Line { name: name.to_owned(), is_ours, points }
        };
        let lines = vec![line("one", true, 5.0), line("two", true, 5.0), line("three", false, 9.0)];
        let svg = svg(&[Drawn { title: "Rules", unit: "rules", lines }]);
        let at = |name: &str| -> f64 {
            let text = svg.lines().find(|line| line.ends_with(&format!(">{name}</text>"))).unwrap();
            text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        assert!(at("one") - at("two") >= 12.9 && at("two") > at("three"), "{svg}");
        assert_eq!(svg.matches("stroke-dasharray=\"6 3\"").count(), 1, "{svg}");
        assert!(svg.contains(">1,000</text>"));
    }
}
