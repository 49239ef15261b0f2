//! `examples/policies`: they are what they say they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bearward_tests::harness::program;
use bearward_tests::note::note;
use serde_json::Value;
use xtask::directory::TemporaryDirectory;
use xtask::workspace;

/// An example, and what is suspicious about it on purpose, by the names of `bearward check --allow`.
struct Example {
    folder: &'static str,
    /// The policy, or the folder that is joined.
    config: &'static str,
    allowed: &'static [&'static str],
}

const EXAMPLES: [Example; 5] = [
    Example { folder: "auth0", config: "policy.yaml", allowed: &[] },
    Example { folder: "keycloak", config: "policy.yaml", allowed: &["jwt_type"] },
    Example {
        folder: "migration",
        config: "policy.yaml",
        allowed: &["accept_missing", "jwt_type", "observe", "shared_secret"],
    },
    Example { folder: "restaurant", config: "policy.yaml", allowed: &[] },
    Example { folder: "two-teams", config: "policies", allowed: &["observe"] },
];

impl Example {
    fn path(&self, name: &str) -> PathBuf {
        workspace::root().join("examples/policies").join(self.folder).join(name)
    }

    /// The policy as a file, which is joined of several where it is a folder.
    fn policy(&self, directory: &Path) -> PathBuf {
        let config = self.path(self.config);
        if config.is_file() {
            return config;
        }
        let joined = directory.join("policy.yaml");
        let arguments = ["bundle", config.to_str().unwrap(), "--output", joined.to_str().unwrap()];
        assert_good(&bearward(&arguments), self.folder);
        joined
    }
}

fn bearward(arguments: &[&str]) -> Output {
    Command::new(program("bearward")).args(arguments).output().unwrap()
}

fn assert_good(output: &Output, name: &str) {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    assert_eq!(output.status.code(), Some(0), "{name}:\n{}", String::from_utf8_lossy(&said));
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(workspace::root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_example_is_in_these_tests_and_in_the_list_of_them() {
    let list = fs::read_to_string(workspace::root().join("examples/policies/README.md")).unwrap();
    let entries = fs::read_dir(workspace::root().join("examples/policies")).unwrap();
    let folders: BTreeSet<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    let known: BTreeSet<_> = EXAMPLES
        .iter()
        .map(|example| workspace::root().join("examples/policies").join(example.folder))
        .collect();
    assert_eq!(folders, known);
    for Example { folder, .. } in EXAMPLES {
        assert!(list.contains(&format!("| [{folder}]({folder}/")), "{folder}");
    }
}

/// The one that is read and tested by itself is the one that runs.
#[test]
fn the_restaurants_policy_is_the_one_in_envoy_yaml() {
    let envoy = read("envoy.yaml");
    let filters = &envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let filter = &filters[0]["typed_config"]["http_filters"][0];
    let carried = &filter["typed_config"]["config"]["configuration"]["value"];
    assert!(carried["issuers"].is_object());
    assert_eq!(*carried, read("examples/policies/restaurant/policy.yaml"));
}

#[test]
fn nothing_is_wrong_or_suspicious_about_an_example_but_what_it_does_on_purpose() {
    for example in EXAMPLES {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let policy = example.policy(directory.path());
        let check = |allowed: &[&str]| {
            let allowed = allowed.iter().flat_map(|kind| ["--allow", kind]);
            let arguments = ["check", "--strict", policy.to_str().unwrap()];
            bearward(&arguments.into_iter().chain(allowed).collect::<Vec<_>>())
        };
        assert_good(&check(example.allowed), example.folder);
        for kind in example.allowed {
            let others: Vec<_> = example.allowed.iter().copied().filter(|other| other != kind).collect();
            assert_eq!(check(&others).status.code(), Some(1), "{}: {kind} is not there", example.folder);
        }
    }
}

/// Runs an example's cases against some policy.
fn cases(example: &Example, policy: &Path, directory: &Path) -> Output {
    let text = fs::read_to_string(example.path("policy-tests.yaml")).unwrap();
    let config = format!("config: {}\n", example.config);
    assert!(text.contains(&config), "{}", example.folder);
    let file = directory.join("policy-tests.yaml");
    fs::write(&file, text.replace(&config, &format!("config: {}\n", policy.display()))).unwrap();
    bearward(&["test", "--strict", file.to_str().unwrap()])
}

#[test]
fn the_cases_of_every_example_hold_and_reach_every_rule() {
    for example in EXAMPLES {
        let file = example.path("policy-tests.yaml");
        assert_good(&bearward(&["test", "--strict", file.to_str().unwrap()]), example.folder);
    }
}

/// What a rule asks for, and the rule itself: without it some case fails, so whoever copies an example and takes something
/// out of it by mistake hears of it.
#[test]
fn no_rule_and_nothing_that_a_rule_asks_for_can_be_taken_out_of_an_example_without_a_case_that_fails() {
    let (mut count, mut unnoticed) = (0, Vec::new());
    for example in EXAMPLES {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let text = fs::read_to_string(example.policy(directory.path())).unwrap();
        let policy: Value = serde_saphyr::from_str(&text).unwrap();
        let file = directory.path().join("changed.json");
        let run = |policy: &Value| {
            fs::write(&file, policy.to_string()).unwrap();
            cases(&example, &file, directory.path())
        };
        assert_good(&run(&policy), example.folder);
        for (what, changed) in weakened(&policy) {
            if run(&changed).status.success() {
                unnoticed.push(format!("{}: {what}", example.folder));
            }
            count += 1;
        }
    }
    assert_eq!(unnoticed, Vec::<String>::new());
    note(&format!("examples: {count} rules and demands, each of which some case misses"));
}

/// The policy without one of its rules, or without one thing that a rule or an issuer asks for, each with its place.
fn weakened(policy: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    for (index, scope) in policy["policies"].as_array().unwrap().iter().enumerate() {
        for (rule, value) in scope["rules"].as_array().unwrap().iter().enumerate() {
            let place = format!("/policies/{index}/rules/{rule}");
            let conditions = value["require"]["claims"].as_array().map_or(0, Vec::len);
            places.extend((0..conditions).map(|condition| format!("{place}/require/claims/{condition}")));
            places.extend(["any_role", "all_roles"].map(|name| format!("{place}/require/{name}")));
            places.extend(["access", "issuers", "mode", "methods"].map(|name| format!("{place}/{name}")));
            places.push(place);
        }
    }
    let taken = places.iter().filter_map(|place| Some((place.clone(), without(policy, place)?)));
    taken.collect()
}

/// Without what stands in a place, and without what would be empty then; `None` where nothing stands there.
fn without(policy: &Value, place: &str) -> Option<Value> {
    let mut policy = policy.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let is_empty = match policy.pointer_mut(parent)? {
        Value::Array(items) => {
            items.remove(name.parse().unwrap());
            items.is_empty()
        }
        Value::Object(members) => {
            members.remove(name)?;
            members.is_empty()
        }
        _ => return None,
    };
    // A policy without rules goes whole: without them it would not load.
    let outer = parent.strip_suffix("/rules").unwrap_or(parent);
    if is_empty { without(&policy, outer) } else { Some(policy) }
}
