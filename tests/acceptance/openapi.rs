//! The running issuer against the document that it serves, by somebody else's tool: Schemathesis sends what the document
//! allows and what it does not, and looks at every answer.

use std::fs;
use std::path::Path;
use std::process::Command;

use bearward_tests::client::Request;
use bearward_tests::harness::{Setup, is_longer_run};
use bearward_tests::note::note;
use serde_json::json;
use xtask::workspace;

const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// No answer is a fault, and each has a status, a type and a shape that the document gives.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// How many requests by chance for each operation.
const EXAMPLES: &str = "40";

/// What ends the session of the token that all requests carry; asked by itself, at the end.
const ENDS_THE_SESSION: &str = "^/api/auth/(logout|password)$";
/// What a customer may not.
const ADMINISTRATION: &str = "^/api/admin/";

#[test]
fn every_answer_of_the_running_issuer_is_one_that_its_document_gives() {
    if !is_longer_run() {
        note("Schemathesis is installed and run by `cargo xtask test --all` alone");
        return;
    }
    let folder = workspace::target().unwrap().join("schemathesis");
    install(&folder);
    let mut setup = Setup::shipped();
    // Else nearly every answer would be 429.
    for limit in ["LOGIN", "LOGIN_ACCOUNT", "LOGIN_ADDRESS", "SIGNUP", "REFRESH"] {
        setup = setup.issuer(&format!("BEARWARD_{limit}_LIMIT"), "off");
    }
    let gate = setup.start();
    let document = format!("http://{}/openapi.json", gate.issuer_address());
    let administrator = {
        let (email, password) = gate.create_admin();
        let login = Request::post("/api/auth/login", &json!({ "email": email, "password": password }));
        login.send(gate.url()).json()["token"].as_str().expect("a token").to_owned()
    };
    for (choice, paths, token) in [
        ("--exclude-path-regex", ENDS_THE_SESSION, gate.customer().token),
        ("--include-path-regex", ENDS_THE_SESSION, gate.customer().token),
        ("--include-path-regex", ADMINISTRATION, administrator),
    ] {
        let output = Command::new("python3")
            .args(["-m", "schemathesis.cli", "run", &document])
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .args([choice, paths, "--checks", CHECKS, "--max-examples", EXAMPLES])
            .args(["--seed", "1", "--generation-database", "none", "--no-color"])
            .env("PYTHONPATH", &folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(&folder)
            .output()
            .expect("python3");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let cases = said.lines().find(|line| line.contains(" generated, ")).expect("what was done");
        note(&format!("Schemathesis {choice} {paths}: {}", cases.trim()));
    }
}

/// By the ordinary client, into a folder of our own, once.
fn install(folder: &Path) {
    let done = folder.join("done");
    if done.exists() {
        return;
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(folder).arg(SCHEMATHESIS);
    let output = pip.output().expect("pip");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(done, "").expect("a writable folder");
}
