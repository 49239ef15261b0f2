//! `bearward check`: what is wrong with a policy and with what carries it, and what is suspicious, each with its line.

mod kinds;
mod places;
mod shown;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use bearward_tests::harness::{Setup, program};
use serde_json::Value;
use xtask::directory::TemporaryDirectory;

/// A file to check, in a directory of its own.
struct Checked {
    directory: TemporaryDirectory,
    file: PathBuf,
    text: String,
}

impl Checked {
    fn file(name: &str, text: impl Into<String>) -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let (file, text) = (directory.path().join(name), text.into());
        fs::write(&file, &text).unwrap();
        Self { directory, file, text }
    }

    fn setup(setup: &Setup) -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let file = setup.write_into(directory.path());
        let text = fs::read_to_string(&file).unwrap();
        Self { directory, file, text }
    }

    /// The command, in the directory of the file.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("bearward"));
        command
            .current_dir(self.directory.path())
            .arg("check")
            .arg(self.file.file_name().unwrap())
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The exit status, and what is said to people.
    fn said(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert_eq!(output.stderr, b"");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    fn report(&self, arguments: &[&str]) -> Report {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(output.stderr, b"");
        let report = serde_json::from_slice(&output.stdout).expect("one JSON object");
        Report { status: output.status.code(), report }
    }

    /// The only line that holds this, from 1.
    fn line_of(&self, text: &str) -> u64 {
        assert_eq!(self.text.matches(text).count(), 1, "`{text}` in:\n{}", self.text);
        let (before, _) = self.text.split_once(text).unwrap();
        before.matches('\n').count() as u64 + 1
    }
}

/// What is said to programs.
struct Report {
    status: Option<i32>,
    report: Value,
}

impl Report {
    fn problems(&self) -> &[Value] {
        self.report["problems"].as_array().unwrap()
    }

    fn suspicions(&self) -> &[Value] {
        self.report["suspicions"].as_array().unwrap()
    }

    /// Kind and line of each suspicion.
    fn kinds(&self) -> Vec<(&str, u64)> {
        let suspicions = self.suspicions().iter();
        suspicions.map(|found| (found["kind"].as_str().unwrap(), found["line"].as_u64().unwrap())).collect()
    }

    /// The line and the column of the problem with this field.
    fn place_of(&self, path: &str) -> (u64, u64) {
        let found = self.problems().iter().find(|problem| problem["path"] == path);
        let found = found.unwrap_or_else(|| panic!("no problem with `{path}`: {:#}", self.report));
        (found["line"].as_u64().unwrap(), found["column"].as_u64().unwrap())
    }
}

/// The configuration that ships, with its issuer on this machine: nothing about it is suspicious.
fn plain() -> Setup {
    Setup::shipped()
        .edit("{ address: issuer, port_value: 8081 }", "{ address: 127.0.0.1, port_value: 8081 }")
        .edit("{ address: issuer, port_value: 8091 }", "{ address: 127.0.0.1, port_value: 8091 }")
}

#[test]
fn of_the_configuration_that_ships_only_what_is_fetched_without_tls_is_suspicious() {
    let shipped = Checked::setup(&Setup::shipped()).report(&[]);
    assert_eq!((shipped.status, shipped.problems().len()), (Some(0), 0));
    assert_eq!(shipped.report["plugins"], 1);
    let kinds: Vec<_> = shipped.kinds().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["keys_without_tls", "keys_without_tls"], "keys and revocations");

    let (status, said) = Checked::setup(&plain()).said(&["--strict"]);
    assert_eq!((status, said.as_str()), (Some(0), "edited.yaml: nothing wrong\n"));
}

#[test]
fn suspicions_count_for_the_exit_status_only_where_that_is_asked_for_and_not_where_they_are_allowed() {
    let observing = Checked::setup(
        &plain()
            .edit("  version: 1\n", "  version: 1\n                            mode: observe\n")
            .edit("token_types: [at+jwt]", "token_types: [JWT]"),
    );
    let status = |arguments: &[&str]| observing.run(arguments).status.code();
    assert_eq!(status(&[]), Some(0));
    assert_eq!(status(&["--strict"]), Some(1));
    assert_eq!(status(&["--strict", "--json"]), Some(1));
    assert_eq!(status(&["--strict", "--allow", "observe"]), Some(1));
    assert_eq!(status(&["--strict", "--allow", "observe", "--allow", "jwt_type"]), Some(0));
    let left = observing.report(&["--allow", "observe"]);
    assert_eq!(left.kinds().len(), 1, "{:#}", left.report);
    let (_, said) = observing.said(&["--allow", "jwt_type"]);
    assert!(said.ends_with("\nedited.yaml: no problem, 1 suspicion\n"), "{said}");
}

#[test]
fn wrong_usage_is_told_from_what_is_wrong_in_a_file() {
    let plain = Checked::setup(&plain());
    let unknown = plain.run(&["--allow", "everything"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!((unknown.status.code(), unknown.stdout), (Some(2), Vec::new()));
    for kind in kinds::of_the_help().keys() {
        assert!(said.contains(kind), "`{kind}` is not listed: {said}");
    }
    for (name, text) in [("other.yaml", "static_resources: {}\n"), ("empty.yaml", "")] {
        let output = Checked::file(name, text).run(&["--json"]);
        assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said,
            format!("{name}: neither a policy nor an Envoy configuration with Bearward in it\n")
        );
    }
    let missing = Command::new(program("bearward")).args(["check", "no/such/file.yaml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().starts_with("no/such/file.yaml: "));
    assert_eq!(Command::new(program("bearward")).arg("check").output().unwrap().status.code(), Some(2));
}

/// A text in a file may be a policy of JSON, and is read as one. These, read again, are what they were.
#[test]
fn a_text_that_only_names_where_secrets_stand_is_read_once() {
    for text in [
        "names: [secrets_env]",
        "why: the kty of the password",
        "a: '\"private_key\"'",
        "a: '''secrets_env'''",
    ] {
        let checked = Checked::file("file.yaml", text);
        assert_eq!(checked.run(&[]).status.code(), Some(2), "{text}");
    }
}

#[test]
fn each_of_several_plugins_is_named_by_its_place() {
    let second = "                  - name: envoy.filters.http.router\n";
    let other = format!(
        "                  - {}\n{second}",
        serde_json::json!({ "name": "second", "typed_config": { "config": {
            "name": "bearward", "failure_policy": "FAIL_OPEN", "vm_config": { "vm_id": "second" },
        } } })
    );
    let both = Checked::setup(
        &plain().edit(second, &other).edit("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_CLOSED"),
    );
    let report = both.report(&[]);
    assert_eq!(report.report["plugins"], 2);
    let plugins: Vec<_> =
        report.problems().iter().map(|problem| problem["plugin"].as_str().unwrap()).collect();
    let place = |index: usize| {
        format!(
            "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[{index}].typed_config.config"
        )
    };
    assert_eq!(plugins, [place(0), place(1), place(1)]);
    let (status, said) = both.said(&[]);
    assert_eq!(status, Some(1));
    for (index, line) in [0, 1].into_iter().zip(["plugin 1 of 2: ", "plugin 2 of 2: "]) {
        assert!(said.contains(&format!("{line}{}\n", place(index))), "{said}");
    }
}
