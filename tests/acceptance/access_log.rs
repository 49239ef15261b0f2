use std::io::Write as _;
use std::process::{Command, Stdio};

use bearward_tests::client::Request;
use bearward_tests::harness::{Setup, program};
use xtask::workspace;

use crate::hosted::secrecy;

#[test]
fn the_access_log_names_the_reason_of_every_refusal_and_nothing_that_is_secret() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let orders = || Request::get("/api/orders?card=4111111111111111");
    for (request, reason) in [
        (orders(), "401 bearward.token_missing"),
        (orders().bearer("this.is.fake"), "401 bearward.token_malformed"),
        (Request::new("DELETE", "/api/menu/1").bearer(&customer.token), "403 bearward.role_missing"),
        (Request::get("/api/payments"), "403 bearward.no_rule"),
        (Request::get("/api//orders").exactly(), "400 bearward.path_ambiguous"),
        (orders().bearer(&customer.token), "200 via_upstream"),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status.to_string(), reason.split(' ').next().unwrap());
    }
    let log = gate.stop();
    for reason in [
        "401 bearward.token_missing",
        "401 bearward.token_malformed",
        "403 bearward.role_missing",
        "403 bearward.no_rule",
        "400 bearward.path_ambiguous",
        "200 via_upstream",
    ] {
        assert!(log.contains(reason), "`{reason}` is missing:\n{log}");
    }
    for verdict in [
        "reject token_missing restaurant/orders -",
        "reject token_malformed restaurant/orders -",
        "reject role_missing restaurant/menu-edit bearward",
        "reject no_rule - -",
        "reject path_ambiguous - -",
        "forward - restaurant/orders bearward",
    ] {
        assert!(log.contains(verdict), "`{verdict}` is missing:\n{log}");
    }
    for line in log.lines().filter(|line| line.contains(" HTTP/1.1 ")) {
        must_be_explained(line);
    }
    for secret in ["4111111111111111", "this.is.fake", "mypassword123"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    assert_eq!(secrecy::part_of(&customer.token, log.as_bytes()), None, "a part of the token is in the log");
}

/// `bearward explain --log-line` reads what `envoy.yaml` writes.
fn must_be_explained(line: &str) {
    let mut command = Command::new(program("bearward"));
    command.arg("explain").arg(workspace::root().join("envoy.yaml")).args(["--json", "--log-line", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{line}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rule = told["rule"].as_str().unwrap_or("-");
    assert!(line.contains(&format!(" {rule} ")), "{line}: {told}");
    assert_eq!(told["rule"], told["rule_now"], "{line}");
    assert!(told["change"].get("note").is_none(), "{line}: {told}");
}
