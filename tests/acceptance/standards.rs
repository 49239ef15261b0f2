//! `docs/standards.md`: what it says is proven is proven by what it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bearward_core::Policy;
use bearward_tests::note::note;
use bearward_tests::vectors::file::File;
use bearward_tests::vectors::refused::RefusedFile;
use serde_json::json;
use xtask::workspace;

/// The first words of the section that is not of a standard.
const CHECKLIST: &str = "The checklist";
/// How many items it has.
const CHECKLIST_ITEMS: usize = 11;
/// The standards that concern whoever verifies tokens or answers for a protected resource.
const STANDARDS: [&str; 15] = [
    "RFC 7515", "RFC 7516", "RFC 7517", "RFC 7518", "RFC 7519", "RFC 7797", "RFC 8037", "RFC 8725",
    "RFC 9068", "RFC 9864", "RFC 6750", "RFC 6749", "RFC 9728", "RFC 9110", "RFC 9457",
];
const GRPC: &str = "gRPC";
/// The section with the fields of a policy.
const LANGUAGE: &str = "The policy language";
const LEVELS: [&str; 5] = ["MUST", "SHOULD", "MAY", "text", "field"];
/// No field is called so, nor nearly so.
const NO_FIELD: &str = "no-field-of-any-policy";
/// Where tests stand.
const ROOMS: [&str; 6] = ["cli", "filter", "fuzz", "issuer", "protocol", "tests"];

/// A row of one of its tables.
#[derive(Debug)]
struct Row {
    /// The heading.
    section: String,
    clause: String,
    level: String,
    asks: String,
    /// What stands in code marks.
    proofs: Vec<String>,
    reason: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(workspace::root().join("docs/standards.md")).unwrap();
    let mut section = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut section);
        }
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else { continue };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        let [clause, level, asks, proofs, reason] = cells[..] else { panic!("five cells: {line}") };
        if level == "level" || level == "---" {
            continue;
        }
        rows.push(Row {
            section: section.clone(),
            clause: clause.to_owned(),
            level: level.to_owned(),
            asks: asks.to_owned(),
            proofs: proofs.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            reason: reason.to_owned(),
        });
    }
    rows
}

/// Every vector as `file: name`.
fn vectors() -> BTreeSet<String> {
    let files = File::all();
    let cases =
        files.iter().flat_map(|file| file.cases.iter().map(|case| format!("{}: {}", file.name, case.name)));
    let refused = RefusedFile::all();
    let mistakes = refused.iter().flat_map(|file| {
        file.mistakes.iter().map(|mistake| format!("refused/{}: {}", file.name, mistake.name))
    });
    cases.chain(mistakes).collect()
}

/// The name of every test of the workspace.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for room in ROOMS {
        collect(&workspace::root().join(room), &mut names);
    }
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, names);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(named_in(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The functions right after an attribute that makes them a test.
fn named_in(source: &str) -> Vec<String> {
    let mut is_test = false;
    let mut names = Vec::new();
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.ends_with("::test]");
        } else {
            let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.filter(|_| is_test).map(str::to_owned));
            is_test = false;
        }
    }
    names
}

#[test]
fn every_requirement_names_a_proof_that_exists_or_a_reason() {
    let (tests, vectors) = (tests(), vectors());
    let mut wrong = Vec::new();
    for row in rows() {
        let place = format!("{} {}: {}", row.section, row.clause, row.asks);
        if row.proofs.is_empty() && row.reason.is_empty() {
            wrong.push(format!("{place}: neither a proof nor a reason"));
        }
        if !LEVELS.contains(&row.level.as_str()) || row.clause.is_empty() || row.asks.is_empty() {
            wrong.push(format!("{place}: {:?}", row.level));
        }
        for proof in &row.proofs {
            if !tests.contains(proof) && !vectors.contains(proof) {
                wrong.push(format!("{place}: there is no `{proof}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_standard_has_its_requirements_and_none_stands_there_twice() {
    let rows = rows();
    for name in STANDARDS.iter().chain([&CHECKLIST, &GRPC]) {
        assert!(rows.iter().any(|row| row.section.starts_with(name)), "{name}");
    }
    let mut seen = BTreeSet::new();
    for row in &rows {
        assert!(seen.insert((&row.section, &row.clause, &row.asks)), "{row:?}");
    }
    let without: Vec<_> = rows.iter().filter(|row| row.proofs.is_empty()).collect();
    for row in &without {
        note(&format!("standards, for a reason only: {} {}: {}", row.section, row.clause, row.asks));
    }
    note(&format!(
        "standards: {} requirements, {} of them with a proof",
        rows.len(),
        rows.len() - without.len()
    ));
}

#[test]
fn every_item_of_the_checklist_is_proven_by_a_vector_or_says_why_not() {
    let vectors = vectors();
    let rows = rows();
    let items: Vec<_> = rows.iter().filter(|row| row.section.starts_with(CHECKLIST)).collect();
    for item in 1..=CHECKLIST_ITEMS {
        assert!(items.iter().any(|row| row.clause == item.to_string()), "item {item}");
    }
    for row in items {
        assert_proven_by_vector(row, &vectors);
    }
}

#[test]
fn every_field_of_a_policy_is_proven_by_a_vector_or_says_why_not() {
    let vectors = vectors();
    let rows = rows();
    let rows: Vec<_> = rows.iter().filter(|row| row.section == LANGUAGE).collect();
    let named: BTreeSet<_> = rows.iter().map(|row| row.clause.trim_matches('`').to_owned()).collect();
    assert_eq!(named, fields(), "the fields that have a row, and those that the compiler knows");
    for row in rows {
        assert_proven_by_vector(row, &vectors);
    }
}

fn assert_proven_by_vector(row: &Row, vectors: &BTreeSet<String>) {
    let has_vector = row.proofs.iter().any(|proof| vectors.contains(proof));
    assert!(has_vector || !row.reason.is_empty(), "{}: {}", row.clause, row.asks);
    assert!(!row.proofs.is_empty(), "{}: {}", row.clause, row.asks);
}

/// Every field of a policy by its path, as the compiler names them where it meets one that it does not know.
fn fields() -> BTreeSet<String> {
    let odd = || json!({ NO_FIELD: 1 });
    let mut document = json!({
        "issuers": { "x": { "keys": { "remote": odd() }, "claims": odd(), "revocations": { "keys": odd() }, "deny_list": { "keys": odd() } } },
        "policies": [{ "rules": [{ "require": { "claims": [odd()] } }] }],
        "credentials": [odd()],
        "paths": odd(),
        "challenge": odd(),
        "forward": { "headers": { "x": odd() } },
    });
    for place in [
        "",
        "/issuers/x",
        "/issuers/x/keys",
        "/issuers/x/revocations",
        "/issuers/x/deny_list",
        "/policies/0",
        "/policies/0/rules/0",
        "/policies/0/rules/0/require",
        "/forward",
    ] {
        document.pointer_mut(place).unwrap()[NO_FIELD] = json!(1);
    }
    let problems = Policy::compile(&document, &|_| None).unwrap_err();
    let mut fields = BTreeSet::new();
    for problem in problems.iter() {
        let Some((_, known)) = problem.text.split_once("; known here: ") else { continue };
        let place = problem.path.strip_suffix(NO_FIELD).expect("the path of the field");
        let place = place
            .replace("[0]", "[]")
            .replace("issuers.x.", "issuers.*.")
            .replace("headers.x.", "headers.*.");
        fields.extend(known.split(", ").map(|field| format!("{place}{field}")));
    }
    fields
}

/// A vector says by which clause it is so; that clause is one of those that the document goes through.
#[test]
fn every_clause_that_a_vector_cites_is_one_that_is_gone_through() {
    let rows = rows();
    let files = File::all();
    let refused = RefusedFile::all();
    let cited = files.iter().flat_map(|file| file.cases.iter().map(|case| (&case.name, &case.clause)));
    let cited = cited.chain(
        refused.iter().flat_map(|file| file.mistakes.iter().map(|mistake| (&mistake.name, &mistake.clause))),
    );
    let mut missing = BTreeSet::new();
    for (name, clause) in cited {
        for part in clause.split("; ") {
            let Some(standard) = STANDARDS.iter().find(|standard| part.starts_with(**standard)) else {
                continue;
            };
            let section = part.rsplit(' ').next().unwrap();
            let is_known = |row: &Row| row.section.starts_with(standard) && row.clause == section;
            if !rows.iter().any(is_known) {
                missing.insert(format!("{part} of `{name}`"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_test_is_found_by_its_attribute_and_by_nothing_else() {
    let source = "#[test]\nfn one() {}\nfn two() {}\n#[test]\n#[cfg(unix)]\nfn three(a: u8) {}\n#[tokio::test]\nasync fn four() {}\n#[cfg(test)]\nmod tests {}\nfn five() {}\n";
    assert_eq!(named_in(source), ["one", "three", "four"]);
}
