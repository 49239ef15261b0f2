use std::io::Write;
use std::process::{Command, Output, Stdio};

use bearward_tests::client::{Request, Response};
use bearward_tests::harness::{Gate, Setup};
use serde_json::{Value, json};
use xtask::workspace;

/// As the tutorial's application has them: hashes by bcryptjs, of `mypassword123`.
const USERS: &str = r#"{"name":"Priya","email":"Priya@Example.com","password":"$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK","role":"customer"}
{"name":"Chef","email":"chef@example.com","password":"$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK","role":"admin"}
"#;

fn import(gate: &Gate, arguments: &[&str], lines: &str) -> Output {
    let mut command = Command::new(workspace::binary("bearward-issuer").unwrap());
    command.args(["user", "import"]).args(arguments).arg("-").env("DATABASE_URL", gate.database_url());
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn results(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["result"].clone()).collect()
}

fn login(gate: &Gate, email: &str, password: &str) -> Response {
    Request::post("/api/auth/login", &json!({ "email": email, "password": password })).send(gate.url())
}

#[test]
fn the_tutorials_users_are_imported_once_and_log_in_through_the_gate_with_their_old_passwords() {
    let gate = Setup::shipped().start();
    let dry = import(&gate, &["--json", "--dry-run"], USERS);
    assert_eq!(
        (dry.status.code(), results(&dry)),
        (Some(0), vec!["would_create".into(), "would_create".into(), Value::Null])
    );
    assert_eq!(login(&gate, "chef@example.com", "mypassword123").status, 401);
    for result in ["created", "already_there"] {
        let done = import(&gate, &["--json"], USERS);
        assert_eq!(
            (done.status.code(), results(&done)),
            (Some(0), vec![result.into(), result.into(), Value::Null])
        );
    }
    for email in ["priya@example.com", "chef@example.com"] {
        assert_eq!(login(&gate, email, "mypassword124").status, 401);
        for _ in 0..2 {
            assert_eq!(login(&gate, email, "mypassword123").status, 200, "{email}");
        }
    }
    let answer = login(&gate, "chef@example.com", "mypassword123");
    let token: Value = serde_json::from_str(&answer.text()).unwrap();
    let removal =
        Request::new("DELETE", "/api/menu/1").bearer(token["token"].as_str().unwrap()).send(gate.url());
    assert_eq!(removal.status, 200, "the imported administrator is one: {}", removal.text());
}

#[test]
fn a_wrong_line_is_refused_with_exit_code_1_and_the_others_are_imported() {
    let gate = Setup::shipped().start();
    let plain = r#"{"name":"A","email":"a@example.com","password":"mypassword123","role":"customer"}"#;
    let done = import(&gate, &[], &format!("{plain}\n{USERS}"));
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert!(text.starts_with("line 1: refused; password: Password must be a hash of bcrypt"), "{text}");
    assert!(
        text.ends_with("2 created, 0 already there, 1 refused\n") && !text.contains("mypassword123"),
        "{text}"
    );
    assert_eq!(login(&gate, "chef@example.com", "mypassword123").status, 200);
}
