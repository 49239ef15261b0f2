//! What holds for every command of `bearward`.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use bearward_tests::harness::program;
use bearward_tests::terminal;
use xtask::workspace;

/// Every command, in words; those that have commands of their own not by themselves.
const COMMANDS: [&[&str]; 8] = [
    &["check"],
    &["explain"],
    &["test"],
    &["token", "inspect"],
    &["token", "forge"],
    &["schema"],
    &["bundle"],
    &["deny-list"],
];

fn bearward(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("bearward"));
    command.current_dir(workspace::root()).args(arguments).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_help_names_every_command_and_each_of_them_teaches_by_example() {
    let help = text(&bearward(&["--help"]).output().unwrap().stdout);
    for words in COMMANDS {
        assert!(help.contains(&format!("\n  {}", words[0])), "{help}");
        let output = bearward(&[words, &["--help"]].concat()).output().unwrap();
        let shown = text(&output.stdout);
        assert!(output.status.success() && shown.contains("Exits with 0"), "{words:?}: {shown}");
        let (_, examples) =
            shown.split_once("Examples:").unwrap_or_else(|| panic!("{words:?} has no examples"));
        assert!(examples.contains(&format!("bearward {}", words.join(" "))), "{words:?}: {examples}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_how_on_the_standard_error_alone() {
    let mut wrong: Vec<Vec<&str>> = vec![vec![], vec!["chekc"], vec!["token"], vec!["token", "inspekt"]];
    wrong.extend(COMMANDS.iter().map(|words| [words, &["--no-such-option"][..]].concat()));
    // But for these, none does anything without being told of what.
    let complete = [&["schema"][..], &["token", "forge"]];
    wrong.extend(COMMANDS.iter().filter(|words| !complete.contains(words)).map(|words| words.to_vec()));
    for arguments in wrong {
        let output = bearward(&arguments).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains("Usage:") || said.contains("say --token-file FILE"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_terminal_gets_colour_and_its_own_width() {
    for (arguments, says) in [
        (&["explain", "envoy.yaml", "DELETE /api/menu/1"][..], "token_missing"),
        (&["test", "examples/mistakes/policy-tests.yaml"], "1 failed"),
    ] {
        for columns in [60, 100] {
            let screen = terminal::run(bearward(arguments), columns);
            assert!(screen.is_styled(), "{screen:?}");
            let lines = screen.lines();
            assert!(lines.iter().any(|line| line.contains(says)), "{lines:#?}");
            let is_too_long = |line: &&String| line.chars().count() > usize::from(columns);
            assert_eq!(lines.iter().find(is_too_long), None, "{columns}: {lines:#?}");
        }
        let piped = text(&bearward(arguments).output().unwrap().stdout);
        assert!(!piped.contains('\u{1b}') && piped.contains(says), "{piped}");
    }
}

#[test]
fn who_reads_no_further_ends_no_command_in_a_panic() {
    for arguments in [
        &["check", "examples/mistakes/policy.yaml"][..],
        &["explain", "envoy.yaml", "DELETE /api/menu/1"],
        &["test", "examples/mistakes/policy-tests.yaml"],
        &["schema"],
        &["bundle", "examples/policies/two-teams/policies"],
        &["token", "inspect", "-"],
        &["deny-list", "-"],
    ] {
        let mut command = bearward(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        // The command may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(b"eyJhbGciOiJub25lIn0.e30.A");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert!(
            matches!(status.code(), Some(0 | 1)) && !said.contains("panicked"),
            "{arguments:?}: {status} {said}"
        );
    }
}
