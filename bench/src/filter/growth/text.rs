//! The figures of a question as a table.

use super::{Drawn, Line};
use crate::report::{grouped, number};

/// A row for each line, a column for each place.
pub(super) fn table(panel: &Drawn) -> String {
    let mut places: Vec<f64> = panel.lines.iter().flat_map(|line| &line.points).map(|(at, _)| *at).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let head: Vec<String> = places.iter().map(|at| grouped(*at)).collect();
    let mut text = format!("| {}: added CPU, µs | {} {} |\n", panel.title, head.join(" | "), panel.unit);
    text.push_str(&format!("|---|{}\n", "---:|".repeat(places.len())));
    for line in &panel.lines {
        let cells: Vec<String> = places.iter().map(|at| cell(line, *at)).collect();
        text.push_str(&format!("| {} | {} |\n", line.name, cells.join(" | ")));
    }
    text.push('\n');
    text
}

fn cell(line: &Line, place: f64) -> String {
    let found = line.points.iter().find(|(at, _)| *at == place);
    found.map_or_else(String::new, |(_, spread)| number(spread.median()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Spread;

    #[test]
    fn every_line_has_a_row_and_what_was_not_measured_an_empty_cell() {
        let of = |at, median| (at, Spread::of(vec![median]).unwrap());
        let line = |name: &str, points| Line { name: name.to_owned(), is_ours: true, points };
        let lines =
            vec![line("one", vec![of(10.0, 5.0), of(10_000.0, 7.25)]), line("other", vec![of(10.0, 6.0)])];
        let text = table(&Drawn { title: "Rules", unit: "rules", lines });
        assert!(
            text.starts_with("| Rules: added CPU, µs | 10 | 10,000 rules |\n|---|---:|---:|\n"),
            "{text}"
        );
        assert!(text.contains("| one | 5.00 | 7.25 |\n| other | 6.00 |  |\n"), "{text}");
    }
}
