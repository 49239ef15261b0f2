//! `cargo xtask bench` measures everything that it should. How large the figures are is not asked here: this machine is
//! busy with other tests.

use std::fs;

use bearward_tests::harness::is_longer_run;
use serde_json::Value;
use xtask::directory::TemporaryDirectory;
use xtask::report::Report;
use xtask::verb::bench::{self, Options};
use xtask::workspace;

/// What there is a goal for.
const GOALS: [&str; 7] = [
    "logins_to_argon2id",
    "refreshes_per_cpu_s",
    "keys_per_cpu_s",
    "busy_p99_ms",
    "refresh_at_ten_times_to_alone",
    "peak_mb",
    "cold_start_ms",
];

#[test]
fn the_benchmark_of_the_issuer_measures_every_goal_and_tells_people_and_machines_the_same() {
    let folder = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let path = folder.path().join("bench.json");
    // The tutorial's packages are fetched where a run may take longer.
    let options = Options {
        quick: true,
        without_tutorial: !is_longer_run(),
        json: Some(path.clone()),
        ..Options::default()
    };
    let [program, generator] =
        ["bearward-issuer", "bearward-bench"].map(|name| workspace::binary(name).unwrap());
    let mut table = String::new();
    let line = |line: &str| table.push_str(&format!("{line}\n"));
    bench::issuer(&program, &generator, &options, &mut Report::silent(), line).unwrap();

    let findings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let figures = findings["figures"].as_array().unwrap();
    for figure in figures {
        let rounds = figure["rounds"].as_array().unwrap();
        assert!(!rounds.is_empty() && rounds.iter().all(|value| value.as_f64().is_some()), "{figure}");
        assert!(figure["median"].as_f64().unwrap() > 0.0, "{figure}");
    }
    let figure = |key: &str| figures.iter().find(|figure| figure["key"] == key);
    for key in GOALS {
        let figure = figure(key).unwrap_or_else(|| panic!("{key} is missing: {table}"));
        assert!(figure["goal"].is_object() && figure["met"].is_boolean(), "{figure}");
    }
    assert_eq!(figure("logins_to_tutorial").is_some(), is_longer_run(), "{table}");
    let title = "| the same, of what argon2id alone allows | ";
    assert!(table.lines().any(|line| line.starts_with(title)), "{table}");
    answer_times_are_told_by_whose_they_are(&findings);
}

fn answer_times_are_told_by_whose_they_are(findings: &Value) {
    let notes = findings["notes"].to_string();
    let count = |key: &str| {
        let of_key = |distribution: &&Value| distribution["key"] == key;
        findings["distributions"].as_array().unwrap().iter().find(of_key).map(|found| found["count"].clone())
    };
    for key in ["login_unknown", "login_wrong_password", "login_bcrypt", "login_argon2id"] {
        assert_eq!(count(key), Some(2.into()), "{key}: {findings:#}");
    }
    assert!(count("login_throttled").is_some() || notes.contains("No login was throttled"), "{notes}");
}

#[test]
fn the_benchmark_of_the_filter_measures_every_variant_and_every_answer_is_as_it_should_be() {
    let folder = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let path = folder.path().join("bench.json");
    let options = Options { quick: true, json: Some(path.clone()), ..Options::default() };
    let generator = workspace::binary("bearward-bench").unwrap();
    let mut table = String::new();
    let line = |line: &str| table.push_str(&format!("{line}\n"));
    bench::filter(&generator, &options, &mut Report::silent(), line).unwrap();

    let findings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let variants = findings["variants"].as_array().unwrap();
    for variant in variants {
        assert!(
            variant["added_cpu_us"]["median"].is_f64() && variant["rps"].as_f64().unwrap() > 0.0,
            "{variant}"
        );
    }
    let has = |name: &str| variants.iter().any(|variant| variant["name"] == name);
    for algorithm in ["HS256", "RS256", "ES256", "EdDSA", "PS256"] {
        for kind in ["warm", "warm_1000", "cold"] {
            let name = format!("{kind}_{algorithm}");
            assert!(has(&format!("bearward_{name}")) && has(&format!("native_{name}")), "{name}: {table}");
            let ratio = &findings["ratios"][&name];
            assert!(ratio["median"].is_f64() && ratio["bounds_95"].is_array(), "{name}: {ratio}");
            assert_eq!(ratio["less"], false, "nothing is said by one round: {ratio}");
        }
    }
    for name in ["none", "noop", "noop_refuses", "bearward_no_token", "bearward_cold_EdDSA_revocations"] {
        assert!(has(name), "{name}: {table}");
    }
    let starts = findings["starts"].as_array().unwrap();
    let names: Vec<&str> = starts.iter().map(|start| start["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["no filter", "native", "Bearward", "Bearward with revocations"]);
    assert!(starts.iter().all(|start| start["ready_ms"]["median"].as_f64().unwrap() > 0.0), "{starts:?}");
    assert!(starts[2]["module_bytes"].as_u64().unwrap() > 100_000, "{starts:?}");
    assert!(table.lines().any(|line| line.starts_with("| cold EdDSA | ")), "{table}");
}

#[test]
fn the_benchmark_of_the_filter_measures_how_cost_grows_and_every_filter_does_the_same_however_much_there_is()
{
    let folder = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let path = folder.path().join("bench.json");
    let options = Options { quick: true, growth: true, json: Some(path.clone()), ..Options::default() };
    let generator = workspace::binary("bearward-bench").unwrap();
    bench::filter(&generator, &options, &mut Report::silent(), |_| {}).unwrap();

    let findings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let panels = findings["growth"].as_array().unwrap();
    let units: Vec<&str> = panels.iter().map(|panel| panel["unit"].as_str().unwrap()).collect();
    assert_eq!(units, ["rules", "roles", "bytes more", "tokens", "records", "keys", "workers"]);
    for line in panels.iter().flat_map(|panel| panel["lines"].as_array().unwrap()) {
        let points = line["added_cpu_us"].as_array().unwrap();
        assert!(points.len() >= 2 && points.iter().all(|point| point["median"].is_f64()), "{line}");
    }
}

#[test]
fn the_benchmark_of_the_feed_measures_what_proxies_cost_that_wait_and_that_come_back() {
    let folder = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let path = folder.path().join("bench.json");
    let options = Options { quick: true, json: Some(path.clone()), ..Options::default() };
    let [program, generator] =
        ["bearward-issuer", "bearward-bench"].map(|name| workspace::binary(name).unwrap());
    bench::feed(&program, &generator, &options, &mut Report::silent(), |_| {}).unwrap();

    let findings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let figures = findings["figures"].as_array().unwrap();
    assert!(figures.len() > 5, "{findings}");
    for figure in figures {
        assert!(figure["median"].is_f64() && !figure["rounds"].as_array().unwrap().is_empty(), "{figure}");
    }
    assert!(figures.iter().filter(|figure| figure["goal"].is_object()).count() >= 2, "{findings}");
}
