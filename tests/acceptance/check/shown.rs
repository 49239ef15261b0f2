//! How findings look: on a terminal, and where nobody sees colours.

use bearward_tests::{harness::Setup, terminal};

use super::{Checked, plain};

fn with_findings() -> Checked {
    let setup = plain()
        .edit("algorithms: [EdDSA]", "algorithms: [none]")
        .edit("paths: [/api/menu], access: public", "paths: [/api/menu], acess: public")
        .edit("headers_with_underscores_action: REJECT_REQUEST", "headers_with_underscores_action: ALLOW")
        .edit("{ address: 127.0.0.1, port_value: 9901 }", "{ address: 0.0.0.0, port_value: 9901 }");
    Checked::setup(&setup)
}

#[test]
fn a_problem_is_shown_in_its_line_and_underlined() {
    let (status, said) = with_findings().said(&[]);
    assert_eq!(status, Some(1));
    let expected = "\
error: policies[0].rules[1].acess: unknown field; did you mean `access`?
   --> edited.yaml:138:87
    |
138 | ...                   - { name: menu, methods: [GET], paths: [/api/menu], acess: public }
    |                                                                           ^^^^^^^^^^^^^
";
    assert!(said.contains(expected), "{said}");
    assert!(said.ends_with("\nedited.yaml: 2 problems, 2 suspicions\n"), "{said}");
}

#[test]
fn a_pipe_gets_no_styles() {
    let checked = with_findings();
    for (name, value) in [("TERM", "xterm-256color"), ("NO_COLOR", "1")] {
        let output = checked.command(&[]).env(name, value).output().unwrap();
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
    }
}

#[test]
fn a_terminal_gets_colours_and_no_line_that_is_wider() {
    for columns in [40, 60, 80, 200] {
        let screen = terminal::run(with_findings().command(&[]), columns);
        assert_eq!(screen.status.code(), Some(1));
        assert!(screen.is_styled());
        let lines = screen.lines();
        assert!(lines.iter().any(|line| line.contains("unknown field")), "{lines:#?}");
        for line in &lines {
            assert!(line.chars().count() <= usize::from(columns), "{columns} columns: {line}");
        }
        let names = |kind: &str| lines.iter().any(|line| line.contains(kind));
        assert!(names("underscore_headers") && names("open_admin"), "{lines:#?}");
    }
}

#[test]
fn a_terminal_that_wants_no_colours_gets_none() {
    let checked = with_findings();
    let mut command = checked.command(&[]);
    command.arg("--strict");
    let styled = terminal::run_with(command, 80, &[("NO_COLOR", "1")]);
    assert!(!styled.is_styled(), "{styled:?}");
}

#[test]
fn programs_get_one_object_and_nothing_else() {
    let screen = terminal::run(Checked::setup(&Setup::shipped()).command(&["--json"]), 60);
    assert!(!screen.is_styled());
    assert_eq!(screen.lines().len(), 1, "{screen:?}");
    assert!(
        serde_json::from_str::<serde_json::Value>(screen.written.trim_end()).unwrap()["problems"].is_array()
    );
}
