//! `docs/fuel.md`: a row for each case.

use std::fs;
use std::path::PathBuf;

use xtask::workspace;

const INTRODUCTION: &str = "\
# What it costs at most

WebAssembly instructions that the module executes on one worker: for a request over all its callbacks, for a
configuration or a JWK Set in the callback that reads it. The same module takes the same number on every machine, so a
regression shows here before any clock can tell. The bounds stand in `protocol/src/bounds.rs` and in `filter/core`.

Counted on the test host, where a test holds this table against the module; `cargo xtask bless fuel` rewrites it.

| case | instructions | what it is |
|---|---:|---|
";

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) instructions: u64,
    pub(super) about: String,
}

/// The cases in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn read() -> Self {
        Self::parse(&fs::read_to_string(path()).unwrap_or_default())
    }

    pub(super) fn write(&self) {
        fs::write(path(), self.text()).expect("a writable folder `docs`");
    }

    /// What is not as this table says, a line each.
    pub(super) fn differences(&self, found: &Self, tolerated_percent: u64) -> Vec<String> {
        let mut differences = Vec::new();
        for row in &found.rows {
            let Some(own) = self.rows.iter().find(|own| own.name == row.name) else {
                differences.push(format!("`{}` is not in docs/fuel.md", row.name));
                continue;
            };
            let (before, now) = (own.instructions, row.instructions);
            if before.abs_diff(now).saturating_mul(100) > before.saturating_mul(tolerated_percent) {
                let word = if now > before { "dearer" } else { "cheaper" };
                #[allow(clippy::cast_precision_loss, reason = "for people")]
                let percent = (now as f64 / before as f64 - 1.0) * 100.0;
                differences.push(format!("`{}` is {word}: {before} -> {now} ({percent:+.1} %)", row.name));
            }
            if own.about != row.about {
                differences.push(format!("`{}` is described otherwise in docs/fuel.md", row.name));
            }
        }
        let gone = self.rows.iter().filter(|own| found.rows.iter().all(|row| row.name != own.name));
        differences.extend(gone.map(|row| format!("`{}` is in docs/fuel.md only", row.name)));
        differences
    }

    fn text(&self) -> String {
        let row = |row: &Row| format!("| {} | {} | {} |\n", row.name, grouped(row.instructions), row.about);
        self.rows.iter().map(row).fold(INTRODUCTION.to_owned(), |text, row| text + &row)
    }

    fn parse(text: &str) -> Self {
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
            let (name, number, about) = (cells.next()?, cells.next()?, cells.next()?);
            let instructions = number.replace(',', "").parse().ok()?;
            Some(Row { name: name.to_owned(), instructions, about: about.to_owned() })
        };
        Self { rows: text.lines().filter_map(row).collect() }
    }
}

fn path() -> PathBuf {
    workspace::root().join("docs/fuel.md")
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn a_table_is_read_as_it_was_written() {
    let row = |name: &str, instructions| Row { name: name.to_owned(), instructions, about: "why".to_owned() };
    let table = Table { rows: vec![row("a: b", 7), row("c", 1_234_567)] };
    assert_eq!(Table::parse(&table.text()), table);
}

#[test]
fn what_is_dearer_or_cheaper_or_missing_or_surplus_is_named() {
    let table = |rows: &[(&str, u64)]| Table {
        rows: rows
            .iter()
            .map(|(name, instructions)| Row {
                name: (*name).to_owned(),
                instructions: *instructions,
                about: String::new(),
            })
            .collect(),
    };
    let known = table(&[("same", 1_000), ("dearer", 1_000), ("cheaper", 1_000), ("gone", 1)]);
    let found = table(&[("same", 1_010), ("dearer", 1_011), ("cheaper", 989), ("new", 1)]);
    let differences = known.differences(&found, 1).join("\n");
    assert_eq!(differences.lines().count(), 4, "{differences}");
    for part in ["`dearer` is dearer", "`cheaper` is cheaper", "`new` is not in", "`gone` is in docs"] {
        assert!(differences.contains(part), "{differences}");
    }
}
