//! `bearward test`: cases, and what a policy must decide about them.

use std::process::{Command, Output};

use bearward_tests::harness::program;
use bearward_tests::token::{Key, sign};
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;

/// The time of every case here.
const NOW: u64 = 1_767_225_600;

/// A folder with a policy and a test file.
struct Desk(TemporaryDirectory);

impl Desk {
    fn with(cases: &Value) -> Self {
        Self::with_file(&json!({ "config": "policy.json", "at": "2026-01-01T00:00:00Z", "cases": cases }))
    }

    fn with_file(file: &Value) -> Self {
        let desk = Self(TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap());
        desk.write("policy.json", &policy().to_string());
        desk.write("tests.yaml", &file.to_string());
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn test(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("bearward"));
        command.current_dir(self.0.path()).args(["test", "tests.yaml"]).args(arguments).output().unwrap()
    }

    fn json(&self) -> Value {
        let output = self.test(&["--json"]);
        assert_eq!(text(&output.stderr), "");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Exit code and what is said on both outputs.
    fn said(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.test(arguments);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn policy() -> Value {
    let issuer = |iss: &str, algorithm: &str, prefix: &str| {
        json!({
            "iss": iss, "audiences": ["api"], "algorithms": [algorithm], "token_types": ["at+jwt"],
            "keys": { "remote": { "cluster": "login", "uri": "https://login.test/jwks" } }, "claims": { "role_prefix": prefix },
        })
    };
    json!({
        "version": 1,
        "issuers": {
            "ed": issuer("https://ed.test/", "EdDSA", "ed:"),
            "es": issuer("https://es.test/", "ES256", "es:"),
            "shared": {
                "accept_missing": ["iss", "aud"], "algorithms": ["HS256"], "token_types": ["JWT"],
                "keys": { "secrets_env": ["POLICY_TEST_SECRET"] },
                "claims": { "subject": ["user", "id"], "roles": ["role"], "role_prefix": "shared:" },
            },
        },
        "policies": [{
            "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["ed", "es", "shared"], "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                { "name": "edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["ed:admin", "es:admin", "shared:admin"] } },
                { "name": "trial", "paths": ["/api/trial"], "require": { "any_role": ["ed:admin"] }, "mode": "observe" },
                { "name": "orders", "paths": ["/api/orders/**"] },
            ],
        }],
    })
}

fn case(name: &str, request: &str, token: &Value, expect: &Value) -> Value {
    let mut case = json!({ "name": name, "request": request, "expect": expect });
    if !token.is_null() {
        case["token"] = token.clone();
    }
    case
}

/// One case that must hold.
fn holds(request: &str, token: &Value, expect: &Value) {
    let (code, said) = Desk::with(&json!([case("it", request, token, expect)])).said(&[]);
    assert!(code == Some(0) && said.ends_with("\n1 passed, 0 failed\n"), "{said}");
}

#[test]
fn a_token_of_every_issuer_is_made_as_that_issuer_makes_them() {
    let orders = "GET /api/orders/7";
    let forwarded = |issuer: &str, user: &str| {
        json!({
            "decision": "forward", "rule": "api/orders", "headers": { "x-user-id": user, "x-user-issuer": issuer },
        })
    };
    holds(orders, &json!({}), &forwarded("ed", "user-1"));
    holds(orders, &json!({ "issuer": "es", "claims": { "sub": "priya" } }), &forwarded("es", "priya"));
    holds(
        orders,
        &json!({ "issuer": "shared", "claims": { "user": { "id": 7 } } }),
        &forwarded("shared", "7"),
    );
    holds(
        "DELETE /api/menu/1",
        &json!({ "issuer": "es", "claims": { "roles": ["admin"] } }),
        &json!({ "decision": "forward", "headers": { "x-user-roles": "es:admin" } }),
    );
}

#[test]
fn what_a_case_says_of_a_token_is_in_it_and_null_takes_away() {
    let orders = "GET /api/orders";
    for (token, reason) in [
        (json!({ "claims": { "exp": "now-60" } }), "token_expired"),
        (json!({ "claims": { "nbf": "now+60" } }), "token_not_yet_valid"),
        (json!({ "claims": { "aud": "other" } }), "audience_mismatch"),
        (json!({ "claims": { "exp": null } }), "claims_malformed"),
        (json!({ "claims": { "iss": "https://else.test/" } }), "issuer_mismatch"),
        (json!({ "header": { "typ": "JWT" } }), "type_not_allowed"),
        (json!({ "header": { "kid": "none" } }), "key_unknown"),
        (json!({ "header": { "alg": "none" } }), "algorithm_not_allowed"),
        (json!({ "signed_by": "stranger" }), "signature_invalid"),
        (json!({ "issuer": "shared", "signed_by": "stranger" }), "signature_invalid"),
        (json!({ "raw": "this.is.fake" }), "token_malformed"),
        (Value::Null, "token_missing"),
    ] {
        holds(
            orders,
            &token,
            &json!({ "decision": "reject", "reason": reason, "status": 401, "rule": "api/orders" }),
        );
    }
}

#[test]
fn a_refusal_that_is_only_observed_is_expected_with_its_reason() {
    let expect = json!({ "decision": "forward", "reason": "role_missing", "rule": "api/trial" });
    holds("GET /api/trial", &json!({}), &expect);
    let desk =
        Desk::with(&json!([case("it", "GET /api/trial", &json!({}), &json!({ "decision": "forward" }))]));
    let (code, said) = desk.said(&[]);
    assert!(
        code == Some(1) && said.contains("- reason: -") && said.contains("+ reason: role_missing"),
        "{said}"
    );
}

#[test]
fn what_the_client_says_of_itself_does_not_come_to_the_upstream() {
    let desk = Desk::with(&json!([{
        "name": "it", "request": "GET /api/menu", "headers": [["x-user-id", "admin"], ["X_User_Roles", "admin"], ["accept", "a"], ["accept", "b"]],
        "expect": { "decision": "forward", "headers": { "x-user-id": null, "x_user_roles": null, "accept": "a | b" } },
    }]));
    assert_eq!(desk.said(&[]).0, Some(0));
}

#[test]
fn a_case_that_fails_shows_both_sides_the_line_and_the_way() {
    let desk = Desk::with(&json!([]));
    desk.write(
        "tests.yaml",
        "config: policy.json\ncases:\n  - name: a customer deletes\n    request: DELETE /api/menu/1\n    token: { claims: { roles: [customer] } }\n    expect: { decision: forward, rule: api/edit, headers: { x-user-id: u1 } }\n  - { name: menu, request: GET /api/menu, expect: { decision: forward } }\n",
    );
    let (code, said) = desk.said(&[]);
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "failed: a customer deletes\n  tests.yaml:3\n  DELETE /api/menu/1\n",
        "  - decision: forward\n  + decision: reject\n",
        "  - reason: -\n  + reason: role_missing\n",
        "    rule: api/edit\n",
        "  - x-user-id: u1\n  + x-user-id: -\n",
        " no requirement  one of the roles `ed:admin`, `es:admin`, `shared:admin`: the token's roles are `ed:customer`\n",
        "\n1 passed, 1 failed\n",
    ] {
        assert!(said.contains(part), "`{part}` is missing:\n{said}");
    }
    assert!(!said.contains('\u{1b}'));
}

#[test]
fn rules_that_no_case_reaches_are_named_and_fail_where_that_is_asked_for() {
    let desk =
        Desk::with(&json!([case("menu", "GET /api/menu", &Value::Null, &json!({ "decision": "forward" }))]));
    let (code, said) = desk.said(&[]);
    assert_eq!(code, Some(0), "{said}");
    for rule in ["api/edit", "api/trial", "api/orders"] {
        assert!(said.contains(&format!("unreached: no case reaches the rule {rule}\n")), "{said}");
    }
    assert!(!said.contains("api/menu\n"), "{said}");
    assert_eq!(desk.said(&["--strict"]).0, Some(1));
}

#[test]
fn json_has_every_case_with_both_sides() {
    let orders = json!({ "decision": "forward", "rule": "api/orders" });
    let desk = Desk::with(&json!([
        case("good", "GET /api/orders", &json!({}), &orders),
        case("bad", "GET /api/orders", &Value::Null, &orders),
    ]));
    let expected = json!({ "decision": "forward", "reason": "-", "rule": "api/orders" });
    let cases = json!([
        { "name": "good", "ok": true, "expected": expected, "found": expected },
        { "name": "bad", "ok": false, "expected": expected, "found": { "decision": "reject", "reason": "token_missing", "rule": "api/orders" } },
    ]);
    let whole = json!({ "passed": 1, "failed": 1, "cases": cases, "unreached": ["api/menu", "api/edit", "api/trial"] });
    assert_eq!(desk.json(), whole);
    assert_eq!(desk.test(&["--json"]).status.code(), Some(1));
}

#[test]
fn a_token_that_is_given_whole_is_verified_with_the_keys_that_are_given() {
    let mut jwk = Key::Ed25519([1; 32]).jwk();
    jwk["kid"] = json!("k1");
    let claims = json!({ "iss": "https://ed.test/", "sub": "u1", "aud": "api", "exp": NOW + 60 });
    let token =
        sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" }), &claims, &Key::Ed25519([1; 32]));
    let expect = json!({ "decision": "forward", "headers": { "x-user-id": "u1" } });
    let late = json!({ "name": "late", "request": "GET /api/orders", "at": NOW + 3600, "token": { "raw": token }, "expect": { "decision": "reject", "reason": "token_expired" } });
    let cases = json!([case("by file", "GET /api/orders", &json!({ "file": "token.txt" }), &expect), late]);
    let desk = Desk::with_file(
        &json!({ "config": "policy.json", "at": NOW, "jwks": { "ed": "keys.json" }, "cases": cases }),
    );
    desk.write("keys.json", &json!({ "keys": [jwk] }).to_string());
    desk.write("token.txt", &token);
    let (code, said) = desk.said(&[]);
    assert_eq!(code, Some(0), "{said}");
    let forged = json!([case("made", "GET /api/orders", &json!({}), &expect)]);
    let desk =
        Desk::with_file(&json!({ "config": "policy.json", "jwks": { "ed": "keys.json" }, "cases": forged }));
    desk.write("keys.json", &json!({ "keys": [jwk] }).to_string());
    let (code, said) = desk.said(&[]);
    assert!(code == Some(2) && said.contains("no token can be made for them"), "{said}");
}

#[test]
fn all_mistakes_of_a_test_file_are_told_at_once_with_their_lines() {
    let desk = Desk::with(&json!([]));
    desk.write(
        "tests.yaml",
        "config: policy.json\nplugins: 1\nat: noon\ncases:\n  - name: one\n    request: DELETE\n    expect: { decision: maybe, reason: tired }\n  - name: two\n    request: GET /\n    token: { raw: a.b.c, claims: {} }\n    headers: { a: 1 }\n    expect: { decision: reject, headers: { x: z } }\n  - request: GET /\n",
    );
    let (code, said) = desk.said(&[]);
    assert_eq!(code, Some(2), "{said}");
    for (line, problem) in [
        (2, "plugins: unknown field; known here: config, plugin, at, jwks, cases"),
        (3, "at: write it as 2026-11-26T09:00:00Z"),
        (6, "cases[0].request: must be method and request target"),
        (7, "cases[0].expect.decision: must be `forward`, `reject`"),
        (7, "cases[0].expect.reason: must be `token_missing`"),
        (10, "cases[1].token: is either given whole"),
        (11, "cases[1].headers.a: must be an object of texts"),
        (12, "cases[1].expect: `headers` are what the upstream sees"),
        (13, "cases[2]: `name` is missing"),
        (13, "cases[2]: `expect` is missing"),
    ] {
        let at = said.find(problem).unwrap_or_else(|| panic!("`{problem}` is missing:\n{said}"));
        let place = said.split_at(at).1.lines().find(|shown| shown.contains("tests.yaml:")).unwrap();
        assert!(place.contains(&format!("tests.yaml:{line}:")), "{problem}: {place}");
    }
}

#[test]
fn what_the_policy_does_not_have_is_no_expectation() {
    let expect = json!({ "decision": "forward", "rule": "api/order" });
    let desk = Desk::with(&json!([case("it", "GET /api/orders", &json!({ "issuer": "nobody" }), &expect)]));
    let (code, said) = desk.said(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("token.issuer: the policy has no such issuer, but ed, es, shared"), "{said}");
    assert!(
        said.contains(
            "expect.rule: the policy has no such rule, but api/menu, api/edit, api/trial, api/orders"
        ),
        "{said}"
    );
}

#[test]
fn a_policy_that_does_not_load_is_not_tested() {
    let desk =
        Desk::with(&json!([case("it", "GET /api/menu", &Value::Null, &json!({ "decision": "forward" }))]));
    let mut broken = policy();
    broken["policies"][0]["rules"][0]["acess"] = json!("public");
    desk.write("policy.json", &broken.to_string());
    let (code, said) = desk.said(&[]);
    assert!(code == Some(1) && said.contains("did you mean `access`?"), "{said}");
    for (name, text) in [("policy.json", "a: ["), ("tests.yaml", "a: [")] {
        desk.write(name, text);
        assert_ne!(desk.said(&[]).0, Some(0), "{name}");
    }
}

#[test]
fn the_configuration_that_ships_is_tested_as_it_is() {
    let root = xtask::workspace::root();
    let config = root.join("envoy.yaml");
    let cases = json!([case(
        "it",
        "DELETE /api/menu/1",
        &json!({ "claims": { "roles": ["customer"] } }),
        &json!({ "decision": "reject", "reason": "role_missing" })
    )]);
    let desk = Desk::with_file(&json!({ "config": config.to_str().unwrap(), "cases": cases }));
    assert_eq!(desk.said(&[]), (Some(0), desk.said(&[]).1));
}

/// `docs/policy-tests.md`
fn documentation() -> String {
    std::fs::read_to_string(xtask::workspace::root().join("docs/policy-tests.md")).unwrap()
}

#[test]
fn the_example_of_the_documentation_holds() {
    let text = documentation();
    let example = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let desk = Desk::with(&json!([]));
    desk.write("tests.yaml", example);
    let policy = xtask::workspace::root().join("examples/policies/restaurant/policy.yaml");
    desk.write("policy.yaml", &std::fs::read_to_string(policy).unwrap());
    let (code, said) = desk.said(&[]);
    assert!(code == Some(0) && said.ends_with("2 passed, 0 failed\n"), "{said}");
}

#[test]
fn every_field_that_is_read_stands_in_the_documentation() {
    let desk = Desk::with(&json!([{ "zz": 1, "token": { "zz": 1 }, "expect": { "zz": 1 } }]));
    let mut said = desk.said(&[]).1;
    desk.write("tests.yaml", "{ zz: 1 }");
    said += &desk.said(&[]).1;
    let lists: Vec<_> = said.lines().filter_map(|line| line.split_once("known here: ")).collect();
    assert_eq!(lists.len(), 4, "{said}");
    let text = documentation();
    for name in lists.iter().flat_map(|(_, list)| list.split(", ")) {
        let is_named = |line: &str| {
            line.starts_with("| `") && line.split(" | ").next().unwrap().contains(&format!("`{name}`"))
        };
        assert!(text.lines().any(is_named), "`{name}` is not described");
    }
}
