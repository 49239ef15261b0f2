//! Administrators, by the command line of an operator and through the gate.

use std::process::{Command, Output, Stdio};

use bearward_tests::client::{Request, Response};
use bearward_tests::harness::{Gate, Setup};
use serde_json::{Value, json};
use xtask::workspace;

fn issuer(gate: &Gate, arguments: &[&str]) -> Output {
    let mut command = Command::new(workspace::binary("bearward-issuer").unwrap());
    command.args(arguments).env("DATABASE_URL", gate.database_url()).stdin(Stdio::null());
    command.env("BEARWARD_PASSWORD_LINK_URL", "https://app.example.com/password");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn login(gate: &Gate, email: &str, password: &str) -> Response {
    Request::post("/api/auth/login", &json!({ "email": email, "password": password })).send(gate.url())
}

fn token(answer: &Response) -> String {
    answer.json()["token"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

fn redeem(gate: &Gate, token: &str, password: &str) -> u16 {
    let body = json!({ "token": token, "newPassword": password });
    Request::post("/api/auth/password/link", &body).send(gate.url()).status
}

fn admin(gate: &Gate, method: &str, path: &str, token: &str) -> Response {
    Request::new(method, format!("/api/admin{path}")).bearer(token).send(gate.url())
}

#[test]
fn who_signed_up_with_an_administrators_address_gains_nothing_by_the_promotion() {
    let gate = Setup::shipped().start();
    let squatter = json!({ "name": "Squatter", "email": "boss@example.com", "password": "mypassword123" });
    let squatter = Request::post("/api/auth/signup", &squatter).send(gate.url()).json();
    let create = ["admin", "create", "--email", "Boss@example.com", "--name", "Boss", "--link"];
    let refused = issuer(&gate, &create);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--promote"));
    assert_eq!(login(&gate, "boss@example.com", "mypassword123").status, 200, "nothing happened");

    let promoted = issuer(&gate, &[&create[..], &["--promote"]].concat());
    assert_eq!(promoted.status.code(), Some(0));
    let said = said(&promoted);
    let link = said.lines().last().unwrap().strip_prefix("https://app.example.com/password#token=").unwrap();
    assert_eq!(login(&gate, "boss@example.com", "mypassword123").status, 401);
    let refresh = json!({ "refreshToken": squatter["refreshToken"] });
    assert_eq!(Request::post("/api/auth/refresh", &refresh).send(gate.url()).status, 401);
    let of_before = squatter["token"].as_str().unwrap();
    assert_eq!(Request::get("/api/auth/me").bearer(of_before).send(gate.url()).status, 401);

    assert_eq!(redeem(&gate, link, "the password of the boss"), 204);
    assert_eq!(redeem(&gate, link, "another password"), 400);
    let boss = token(&login(&gate, "boss@example.com", "the password of the boss"));
    assert_eq!(admin(&gate, "GET", "/users", &boss).status, 200);
    let tried = admin(&gate, "GET", "/audit?event=user_create", &boss).json();
    let tried = &tried["events"][0];
    assert_eq!(
        [&tried["outcome"], &tried["cause"], &tried["actor"]],
        ["refused", "email_taken", "operator"],
        "the command line's refusals are in the trail, too"
    );
    assert_eq!(Request::new("DELETE", "/api/menu/1").bearer(&boss).send(gate.url()).status, 200);
}

#[test]
fn the_gate_and_the_issuer_both_ask_for_the_role() {
    let gate = Setup::shipped().start();
    let (email, password) = gate.create_admin();
    let chef = token(&login(&gate, &email, &password));
    let customer = gate.customer().token;
    for (token, status) in [(&chef, 200), (&customer, 403)] {
        assert_eq!(admin(&gate, "GET", "/users", token).status, status);
        let past = format!("http://{}", gate.issuer_address());
        assert_eq!(
            Request::get("/api/admin/users").bearer(token).send(&past).status,
            status,
            "past the gate"
        );
    }
    assert_eq!(Request::get("/api/admin/users").send(gate.url()).status, 401);
    // The filter has only the token, which is good for some minutes more; the issuer knows better.
    let second = issuer(&gate, &["admin", "create", "--email", "two@example.com", "--name", "Two", "--link"]);
    let link = said(&second);
    let link = link.lines().last().unwrap().rsplit('=').next().unwrap();
    assert_eq!(
        issuer(&gate, &["user", "roles", &email, "customer"]).status.code(),
        Some(1),
        "she is the last"
    );
    assert_eq!(redeem(&gate, link, "the second password"), 204);
    assert_eq!(issuer(&gate, &["user", "roles", &email, "customer"]).status.code(), Some(0));
    assert_eq!(admin(&gate, "GET", "/users", &chef).status, 401);
}

#[test]
fn operators_see_and_change_users_and_scripts_can_read_what_they_see() {
    let gate = Setup::shipped().start();
    let (admin_email, _) = gate.create_admin();
    let customer = gate.customer();
    let users = || -> Vec<Value> {
        let listed = issuer(&gate, &["user", "list", "--json"]);
        assert_eq!(listed.status.code(), Some(0));
        said(&listed).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let before = users();
    assert_eq!(before.len(), 2);
    assert_eq!((&before[0]["email"], &before[0]["roles"]), (&json!(admin_email), &json!(["admin"])));
    let id = before[1]["id"].as_str().unwrap();
    assert_eq!(said(&issuer(&gate, &["user", "sessions", id, "--json"])).lines().count(), 1);
    for (arguments, code) in [
        (&["user", "disable", id][..], 0),
        (&["user", "disable", &admin_email], 1),
        (&["user", "show", "nobody@example.com"], 1),
        (&["user", "delete", id], 2),
        (&["user", "roles", id, "a,b"], 2),
    ] {
        assert_eq!(issuer(&gate, arguments).status.code(), Some(code), "{arguments:?}");
    }
    assert!(users()[1]["disabled_at"].is_string());
    assert_eq!(Request::get("/api/auth/me").bearer(&customer.token).send(gate.url()).status, 401);
    assert_eq!(issuer(&gate, &["user", "delete", id, "--yes"]).status.code(), Some(0));
    assert_eq!(users().len(), 1);
    let checked = issuer(&gate, &["config", "check", "--json"]);
    let report: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((checked.status.code(), &report["usable"]), (Some(0), &json!(true)));
}
