//! The tables in ARCHITECTURE.md that name what the module exports and imports.

use std::fs;

use crate::error::Error;
use crate::workspace;

/// The heading over the table of exports: `| export | from | why |`.
pub const EXPORTS: &str = "## Exports of bearward.wasm";
/// The heading over the table of imports: `| import | used for |`. A row may name several, with commas between.
pub const IMPORTS: &str = "## Hostcalls of bearward.wasm";

/// Both tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// What Envoy may call.
    pub exports: Vec<ExportRow>,
    /// What the module may call: `NAME` of the module `env`, `MODULE.NAME` of any other.
    pub imports: Vec<String>,
}

/// One row: the linked module's `from` ships as `export`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// The name that Envoy looks for.
    pub export: String,
    /// The symbol that the linker left.
    pub from: String,
}

impl Tables {
    /// Those of this repository.
    pub fn of_the_repository() -> Result<Tables, Error> {
        let path = workspace::root().join("ARCHITECTURE.md");
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        Tables::parse(&text)
    }

    /// Both tables out of a Markdown text.
    pub fn parse(text: &str) -> Result<Tables, Error> {
        let mut exports: Vec<ExportRow> = Vec::new();
        for cells in rows(text, EXPORTS, &["export", "from", "why"])? {
            let [export, from, _why] = cells.as_slice() else { continue };
            if exports.iter().any(|row| row.export == *export) {
                return Err(wrong(EXPORTS, &format!("{export} stands there twice")));
            }
            exports.push(ExportRow { export: export.clone(), from: from.clone() });
        }
        let mut imports = Vec::new();
        for cells in rows(text, IMPORTS, &["import", "used for"])? {
            let names = cells.first().map(String::as_str).unwrap_or_default();
            imports.extend(names.split(',').map(|name| name.trim().trim_matches('`').to_owned()));
        }
        Ok(Tables { exports, imports })
    }
}

/// The cells of the first table under a heading, code marks removed.
fn rows(text: &str, heading: &str, columns: &[&str]) -> Result<Vec<Vec<String>>, Error> {
    let mut lines = text.lines().skip_while(|line| line.trim() != heading);
    if lines.next().is_none() {
        return Err(wrong(heading, "there is no such heading"));
    }
    let mut table = lines
        .take_while(|line| !line.starts_with('#'))
        .map(str::trim)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(cells);
    if table.next().is_none_or(|found| found != columns) {
        return Err(wrong(heading, &format!("the first row is not `| {} |`", columns.join(" | "))));
    }
    let rows: Vec<Vec<String>> = table.filter(|cells| !is_rule(cells)).collect();
    if let Some(row) = rows.iter().find(|row| row.len() != columns.len()) {
        return Err(wrong(heading, &format!("the row `{}` has {} cells", row.join(" | "), row.len())));
    }
    if rows.is_empty() {
        return Err(wrong(heading, "the table is empty"));
    }
    Ok(rows)
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim_matches('|');
    line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
}

fn is_rule(cells: &[String]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|letter| matches!(letter, '-' | ':')))
}

fn wrong(heading: &str, what: &str) -> Error {
    Error::unusable(
        format!("ARCHITECTURE.md, `{heading}`: {what}"),
        "the build holds the module against this table; give it its row",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Architecture

## Exports of bearward.wasm

Envoy calls these.

| export | from | why |
|---|---|---|
| `memory` | `memory` | the host writes there |
| `proxy_on_http_call_response` | `bearward_on_http_call_response` | ours |

## Hostcalls of bearward.wasm

| import | used for |
|---|:--|
| proxy_log | the log |
| `proxy_done`, `wasi_snapshot_preview1.random_get` | hash maps |

| import | used for |
| another | table |
";

    #[test]
    fn both_tables_are_read_with_and_without_code_marks() {
        let tables = Tables::parse(TEXT).unwrap();
        let exports: Vec<(&str, &str)> =
            tables.exports.iter().map(|row| (row.export.as_str(), row.from.as_str())).collect();
        assert_eq!(
            exports,
            [("memory", "memory"), ("proxy_on_http_call_response", "bearward_on_http_call_response")]
        );
        assert_eq!(tables.imports, ["proxy_log", "proxy_done", "wasi_snapshot_preview1.random_get"]);
    }

    #[test]
    fn a_missing_heading_is_named() {
        let error = Tables::parse(&TEXT.replace("## Hostcalls", "## Calls")).unwrap_err().to_string();
        assert!(error.contains("`## Hostcalls of bearward.wasm`: there is no such heading"), "{error}");
    }

    #[test]
    fn a_table_of_other_columns_is_refused() {
        let error = Tables::parse(&TEXT.replace("| from |", "| symbol |")).unwrap_err().to_string();
        assert!(error.contains("the first row is not `| export | from | why |`"), "{error}");
    }

    #[test]
    fn an_export_that_stands_there_twice_is_refused() {
        let error =
            Tables::parse(&TEXT.replace("| `memory` | `memory`", "| `proxy_on_http_call_response` | `x`"))
                .unwrap_err()
                .to_string();
        assert!(error.contains("proxy_on_http_call_response stands there twice"), "{error}");
    }

    #[test]
    fn a_row_with_a_cell_too_few_is_refused() {
        let error = Tables::parse(&TEXT.replace(" | the log |", " |")).unwrap_err().to_string();
        assert!(error.contains("has 1 cells"), "{error}");
    }

    #[test]
    fn an_empty_table_is_refused() {
        let text = TEXT
            .replace("| proxy_log | the log |\n", "")
            .replace("| `proxy_done`, `wasi_snapshot_preview1.random_get` | hash maps |\n", "");
        let error = Tables::parse(&text).unwrap_err().to_string();
        assert!(error.contains("the table is empty"), "{error}");
    }
}
