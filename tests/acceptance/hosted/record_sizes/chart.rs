//! The memory of a worker over the number of records, as a table and as a drawing: both axes logarithmic.

use std::fmt::Write;
use std::fs;

use xtask::workspace;

use super::Row;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// From a thousand to a million records, from 10 KiB to 100 MiB, by their powers of ten.
const RECORDS: (f64, f64) = (3.0, 6.0);
const KIB: (f64, f64) = (1.0, 5.0);

/// Where the table stands in `docs/performance.md`.
const MARKS: [&str; 2] = [
    "<!-- written by `cargo xtask bless records` -->",
    "<!-- end of what `cargo xtask bless records` writes -->",
];

/// Writes `docs/revocation-memory.svg`, and the table in `docs/performance.md`.
pub(super) fn write(rows: &[Row], empty: &Row) {
    let docs = workspace::root().join("docs");
    fs::write(docs.join("revocation-memory.svg"), drawn(rows, empty)).expect("a writable drawing");
    let path = docs.join("performance.md");
    let document = fs::read_to_string(&path).expect("docs/performance.md");
    let (before, rest) = document.split_once(MARKS[0]).expect("a place for the table");
    let (_, after) = rest.split_once(MARKS[1]).expect("the end of that place");
    let document = [before, MARKS[0], "\n\n", &table(rows, empty), "\n", MARKS[1], after].concat();
    fs::write(path, document).expect("a writable document");
}

fn table(rows: &[Row], empty: &Row) -> String {
    let mut text =
        "| live records | memory of a worker | more than without | longest callback | its instructions | \
                    a request's instructions |\n|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for row in [empty].into_iter().chain(rows) {
        let mib = |bytes: usize| bytes as f64 / 1_048_576.0;
        let _ = writeln!(
            text,
            "| {} | {:.1} MiB | {:.1} MiB | {:.1} ms | {:.1} million | {:.0} thousand |",
            row.records,
            mib(row.memory),
            mib(row.memory - empty.memory),
            row.dearest.took.as_secs_f64() * 1_000.0,
            row.dearest.fuel as f64 / 1e6,
            row.request_fuel as f64 / 1e3,
        );
    }
    text
}

fn drawn(rows: &[Row], empty: &Row) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Memory that records of revocations take in each worker</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">Memory that live records take in each worker</text>\n"
    );
    for (power, label) in [(3, "1,000"), (4, "10,000"), (5, "100,000"), (6, "1,000,000 records")] {
        let at = x(f64::from(power));
        line(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
        text(&mut svg, (at, HEIGHT - BOTTOM + 20.0), if power == 6 { "end" } else { "middle" }, label);
    }
    for (kib, label) in [
        (10.0, "10 KiB"),
        (100.0, "100 KiB"),
        (1_024.0, "1 MiB"),
        (10_240.0, "10 MiB"),
        (102_400.0, "100 MiB"),
    ] {
        let at = y(kib);
        line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
        text(&mut svg, (LEFT - 8.0, at + 4.0), "end", label);
    }
    let places: Vec<(f64, f64, f64)> = rows
        .iter()
        .map(|row| {
            let kib = (row.memory - empty.memory) as f64 / 1_024.0;
            (x((row.records as f64).log10()), y(kib.max(10.0)), kib)
        })
        .collect();
    let points: Vec<String> = places.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\"/>",
        points.join(" ")
    );
    for (x, y, kib) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#1f5fa8\"/>");
        let label = if kib < 1_024.0 { format!("{kib:.0} KiB") } else { format!("{:.1} MiB", kib / 1_024.0) };
        text(&mut svg, (x - 8.0, y - 8.0), "end", &label);
    }
    // What is promised of a hundred thousand.
    let (at, bound) = (x(5.0), y(8.0 * 1_024.0));
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{bound:.1}\" x2=\"{:.1}\" y2=\"{bound:.1}\" stroke=\"#b03030\" stroke-width=\"2\"/>",
        at - 14.0,
        at + 14.0
    );
    text(&mut svg, (at + 18.0, bound + 14.0), "start", "goal: at most 8 MiB");
    svg.push_str("</svg>\n");
    svg
}

fn x(power: f64) -> f64 {
    LEFT + (power - RECORDS.0) / (RECORDS.1 - RECORDS.0) * (WIDTH - LEFT - RIGHT)
}

fn y(kib: f64) -> f64 {
    let share = (kib.log10() - KIB.0) / (KIB.1 + 0.05 - KIB.0);
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, what: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#333333\">{what}</text>",
        at.0, at.1
    );
}
