//! `examples/policies`: they are what they say they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bearward_tests::harness::program;
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
