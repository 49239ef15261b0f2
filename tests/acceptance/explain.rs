//! `bearward explain`: the verdict, and the way to it.

mod log_line;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bearward_core::Rejection;
use bearward_tests::harness::program;
use bearward_tests::token::{Key, sign};
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;

/// The time of every request here.
const NOW: u64 = 1_800_000_000;

/// A folder with a policy, the keys of its issuer that are remote, and a token.
struct Desk(TemporaryDirectory);

impl Desk {
    fn new() -> Self {
        let desk = Self(TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap());
        desk.write("policy.json", &policy().to_string());
        let mut jwk = Key::Ed25519([1; 32]).jwk();
        jwk["kid"] = json!("k1");
        desk.write("keys.json", &json!({ "keys": [jwk] }).to_string());
        desk.write("token", &token(&json!({})));
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("bearward"));
        command.current_dir(self.0.path()).arg("explain").env_remove("EXPLAIN_SECRET");
        command
    }

    fn explain(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.explain(&[arguments, &["--json"]].concat());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn policy() -> Value {
    json!({
        "version": 1,
        "issuers": {
            "own": {
                "iss": "https://own.test/", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
                "keys": { "remote": { "cluster": "own", "uri": "https://own.test/jwks" } },
                "claims": { "granted_roles": ["admin", "customer"] },
            },
            "legacy": {
                "accept_missing": ["iss", "aud"], "algorithms": ["HS256"], "token_types": ["JWT"],
                "keys": { "secrets_env": ["EXPLAIN_SECRET"] },
                "claims": { "subject": ["userId"], "roles": ["role"], "role_prefix": "legacy:" },
            },
        },
        "policies": [
            { "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                { "name": "edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
                { "name": "trial", "paths": ["/api/trial"], "require": { "any_role": ["admin"] }, "mode": "observe" },
                { "name": "orders", "paths": ["/api/orders/**"] },
            ] },
            { "name": "old", "hosts": ["old.test"], "prefix": "/", "issuers": ["legacy"],
              "credentials": [{ "cookie": "session", "allowed_origins": ["https://old.test"] }],
              "rules": [{ "name": "all", "paths": ["/**"] }] },
        ],
    })
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "iss": "https://own.test/", "sub": "u1", "aud": "api", "exp": NOW + 60, "roles": ["customer"] });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn token(changes: &Value) -> String {
    sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" }), &claims(changes), &Key::Ed25519([1; 32]))
}

/// The options that every request with a token has.
const WITH_TOKEN: [&str; 6] = ["--token-file", "token", "--jwks", "own=keys.json", "--at", "1800000000"];

#[test]
fn every_step_is_named_in_order_and_the_last_one_says_why() {
    let told = Desk::new().json(&[&["policy.json", "DELETE /api/menu/1"], &WITH_TOKEN[..]].concat());
    let steps = told["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let all =
        ["path", "rule", "credentials", "header", "key", "signature", "claims", "revocation", "requirement"];
    assert_eq!(names, all);
    assert!(steps[..8].iter().all(|step| step["ok"] == true));
    let expected = json!({ "step": "requirement", "ok": false, "detail": "one of the roles `admin`: the token's roles are `customer`" });
    assert_eq!(steps[8], expected);
    let verdict = json!({ "decision": "reject", "reason": "role_missing", "status": 403, "rule": "api/edit", "headers": {}, "steps": told["steps"] });
    assert_eq!(told, verdict);
}

#[test]
fn what_is_forwarded_comes_with_what_the_upstream_is_told() {
    let desk = Desk::new();
    let told = desk.json(&[&["policy.json", "GET /api/orders/7?card=4111"], &WITH_TOKEN[..]].concat());
    let headers = json!({ "x-user-id": "u1", "x-user-issuer": "own", "x-user-roles": "customer" });
    assert_eq!(
        (&told["decision"], &told["reason"], &told["status"], &told["headers"]),
        (&json!("forward"), &Value::Null, &Value::Null, &headers)
    );
    assert_eq!(told["rule"], "api/orders");
}

#[test]
fn a_refusal_that_is_only_observed_is_forwarded_and_keeps_its_reason() {
    let desk = Desk::new();
    let told = desk.json(&[&["policy.json", "GET /api/trial"], &WITH_TOKEN[..]].concat());
    assert_eq!((&told["decision"], &told["reason"]), (&json!("forward"), &json!("role_missing")));
    assert_eq!(told["steps"].as_array().unwrap().last().unwrap()["ok"], false);
    let shown = desk.explain(&[&["policy.json", "GET /api/trial"], &WITH_TOKEN[..]].concat());
    assert!(
        text(&shown.stdout).contains("forward by api/trial, only observed: it would be 403 role_missing")
    );
}

#[test]
fn the_time_is_that_of_the_request() {
    let desk = Desk::new();
    for (at, reason) in [
        ("1800000089", Value::Null),
        ("1800000090", json!("token_expired")),
        ("2027-01-15T08:01:30Z", json!("token_expired")),
    ] {
        let told = desk.json(&[
            "policy.json",
            "GET /api/orders",
            "--token-file",
            "token",
            "--jwks",
            "own=keys.json",
            "--at",
            at,
        ]);
        assert_eq!(told["reason"], reason, "{at}");
    }
}

#[test]
fn keys_that_are_not_at_hand_are_said_to_be_missing_and_where_they_are() {
    let desk = Desk::new();
    let shown = text(&desk.explain(&["policy.json", "GET /api/orders", "--token-file", "token"]).stdout);
    assert!(shown.contains("reject 503 keys_unavailable"), "{shown}");
    assert!(
        shown.contains(
            "fetches the keys of `own` from https://own.test/jwks: save that and say --jwks own=FILE"
        ),
        "{shown}"
    );
}

#[test]
fn a_secret_comes_from_the_environment_and_a_cookie_is_filled_where_the_policy_looks_for_one() {
    let desk = Desk::new();
    let secret = b"Zx81-explain-9fK2mQ7-longer-than-32-bytes";
    let claims = json!({ "userId": 7, "role": "cook", "exp": NOW + 60 });
    desk.write("token", &sign(&json!({ "alg": "HS256" }), &claims, &Key::Hmac(secret.to_vec())));
    let arguments =
        ["policy.json", "GET /dishes", "--host", "old.test", "--token-file", "token", "--at", "1800000000"];
    let run = |secret: &str| {
        let output =
            desk.command().args(arguments).arg("--json").env("EXPLAIN_SECRET", secret).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let told = run(std::str::from_utf8(secret).unwrap());
    assert_eq!(
        (&told["decision"], &told["headers"]["x-user-roles"]),
        (&json!("forward"), &json!("legacy:cook"))
    );
    assert!(told["steps"][2]["detail"].as_str().unwrap().contains("the cookie `session`"));
    assert_eq!(run("another-secret-that-is-longer-than-32-bytes-Qq7")["reason"], "signature_invalid");
    let shown = text(&desk.explain(&arguments).stdout);
    assert!(
        shown.contains("503 keys_unavailable")
            && shown.contains("the variable EXPLAIN_SECRET, which is not set here"),
        "{shown}"
    );
}

#[test]
fn a_token_comes_from_the_standard_input_and_is_never_printed() {
    let desk = Desk::new();
    let token = token(&json!({ "sub": "\u{1b}[2Ju1" }));
    for json in [false, true] {
        let mut command = desk.command();
        command.args([
            "policy.json",
            "GET /api/orders",
            "--token-file",
            "-",
            "--jwks",
            "own=keys.json",
            "--at",
            "1800000000",
        ]);
        command
            .args(json.then_some("--json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("  {token}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(shown.contains("claims_malformed") && !shown.contains('\u{1b}'), "{shown}");
        assert!(token.split('.').all(|segment| !shown.contains(segment)), "{shown}");
    }
}

#[test]
fn a_token_on_the_command_line_is_refused_and_not_repeated() {
    let desk = Desk::new();
    let token = token(&json!({}));
    for arguments in [
        vec![
            "policy.json".to_owned(),
            "GET /api/orders".to_owned(),
            "-H".to_owned(),
            format!("authorization: Bearer {token}"),
        ],
        vec!["policy.json".to_owned(), format!("GET /api/orders?access_token={token}")],
    ] {
        let output = desk.explain(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(error.contains("--token-file FILE") && !error.contains(&token), "{error}");
    }
}

#[test]
fn wrong_usage_names_what_is_wrong_and_the_way_out() {
    let desk = Desk::new();
    let good = ["policy.json", "GET /api/orders"];
    for (arguments, says) in [
        (vec!["policy.json"], "METHOD TARGET"),
        (vec!["policy.json", "GET"], "`GET` is no request: write method and request target"),
        (vec!["nowhere.yaml", "GET /"], "nowhere.yaml"),
        (vec!["keys.json", "GET /"], "neither a policy nor an Envoy configuration"),
        ([&good[..], &["-H", "no colon"]].concat(), "write 'name: value'"),
        ([&good[..], &["-H", ":path: /x"]].concat(), "write 'name: value'"),
        ([&good[..], &["--at", "noon"]].concat(), "2026-11-26T09:00:00Z"),
        ([&good[..], &["--jwks", "keys.json"]].concat(), "write ISSUER=FILE"),
        ([&good[..], &["--jwks", "nobody=keys.json"]].concat(), "no issuer `nobody`, but `legacy`, `own`"),
        (
            [&good[..], &["--jwks", "own=policy.json"]].concat(),
            "policy.json: cannot be used as the keys of `own`",
        ),
        ([&good[..], &["--jwks", "own=keys.json", "--jwks", "own=keys.json"]].concat(), "given twice"),
        ([&good[..], &["--jwks", "own=-", "--token-file", "-"]].concat(), "can be read once"),
        ([&good[..], &["--token-file", "nowhere"]].concat(), "nowhere"),
        ([&good[..], &["--plugin", "2"]].concat(), "--plugin counts from 1 to 1"),
        ([&good[..], &["--log-line", "-"]].concat(), "cannot be used with"),
    ] {
        let output = desk.explain(&arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_policy_that_does_not_load_is_not_explained() {
    let desk = Desk::new();
    let mut broken = policy();
    broken["policies"][0]["rules"][0]["acess"] = json!("public");
    desk.write("policy.json", &broken.to_string());
    let output = desk.explain(&["policy.json", "GET /api/menu"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(text(&output.stderr).contains("did you mean `access`?"), "{}", text(&output.stderr));
}

#[test]
fn every_refusal_has_its_advice() {
    // That there is one for each is the compiler's to prove; that none is empty, or says `bearward`'s own words back, ours.
    let desk = Desk::new();
    for rejection in Rejection::ALL {
        let reason = rejection.row().reason;
        let line = format!(
            "[t] GET /api/orders HTTP/1.1 {} bearward.{reason} 0ms id reject {reason} - -",
            rejection.row().status
        );
        desk.write("line", &line);
        let told = desk.json(&["policy.json", "--log-line", "line"]);
        for part in [&told["happened"], &told["change"]["client"], &told["change"]["operator"]] {
            assert!(part.as_str().is_some_and(|part| part.len() > 6), "{reason}: {part}");
        }
        assert_ne!(told["happened"], rejection.row().detail, "{reason}");
    }
}

#[test]
fn a_pipe_gets_no_colour_and_long_lines_whole() {
    let output = Desk::new().explain(&["policy.json", "DELETE /api/menu/1"]);
    let shown = text(&output.stdout);
    assert!(!shown.contains('\u{1b}') && shown.lines().any(|line| line.len() > 100), "{shown}");
}

#[test]
fn the_configuration_that_ships_is_explained() {
    let file = xtask::workspace::root().join("envoy.yaml");
    let output = Command::new(program("bearward"))
        .arg("explain")
        .arg(Path::new(&file))
        .args(["GET /api/menu", "--json"])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["decision"], &told["rule"]), (&json!("forward"), &json!("restaurant/menu")));
}

/// The policy, with a feed of the issuer `own`.
fn policy_with_feed() -> String {
    let mut policy = policy();
    policy["issuers"]["own"]["revocations"] = json!({
        "cluster": "own", "uri": "https://own.test/revocations/v1", "credential_env": "FEED_CREDENTIAL",
        "when_stale": "reject",
    });
    policy.to_string()
}

fn desk_with_feed() -> Desk {
    let desk = Desk::new();
    desk.write("policy.json", &policy_with_feed());
    desk.write("token", &token(&json!({ "sid": "s1", "user_version": 3, "epoch": 1 })));
    desk
}

fn of_step<'t>(told: &'t Value, step: &str) -> &'t Value {
    told["steps"].as_array().unwrap().iter().find(|told| told["step"] == step).unwrap()
}

#[test]
fn what_has_been_revoked_comes_from_a_file() {
    let desk = desk_with_feed();
    for (records, reason, detail) in [
        (
            json!([]),
            Value::Null,
            "0 records at hand, 0 s old; none is about the session `s1`, version 3 of the user `u1`, epoch 1, the key `k1`",
        ),
        (
            json!([{ "sequence": 1, "kind": "session", "name": "s1", "ends_at": NOW + 60 }]),
            json!("token_revoked"),
            "1 record at hand, 0 s old; the session `s1` has ended",
        ),
        (
            json!([{ "sequence": 1, "kind": "subject", "name": "u1", "minimum": 4, "epoch": 1, "reason": "gone", "ends_at": NOW + 60 }]),
            json!("subject_gone"),
            "1 record at hand, 0 s old; the user `u1` is gone, disabled or deleted: tokens below version 4 have ended, and this is of 3",
        ),
    ] {
        desk.write("revoked.json", &records.to_string());
        let told = desk.json(
            &[&["policy.json", "GET /api/orders/1", "--revocations", "own=revoked.json"], &WITH_TOKEN[..]]
                .concat(),
        );
        assert_eq!(told["reason"], reason);
        assert_eq!(of_step(&told, "revocation")["detail"], detail);
    }
}

#[test]
fn a_saved_answer_of_the_feed_says_what_has_been_revoked() {
    let desk = desk_with_feed();
    let place = json!({ "sequence": 1, "digest": "00".repeat(32) });
    let answer = json!({
        "version": 1, "iss": "https://own.test/", "generation": "01".repeat(16), "head": place, "as_of": NOW * 1_000,
        "after": 0, "through": 1, "records": [{ "sequence": 1, "kind": "key", "name": "k1" }],
    });
    let header = json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": "f1" });
    desk.write("answer.jwt", &sign(&header, &answer, &Key::Ed25519([9; 32])));
    let told = desk.json(
        &[&["policy.json", "GET /api/orders/1", "--revocations", "own=answer.jwt"], &WITH_TOKEN[..]].concat(),
    );
    assert_eq!(of_step(&told, "revocation")["detail"], "1 record at hand, 0 s old; the key `k1` is revoked");
}

#[test]
fn without_a_file_nothing_is_known_and_it_says_how_to_give_one() {
    let shown = desk_with_feed().explain(&[&["policy.json", "GET /api/orders/1"], &WITH_TOKEN[..]].concat());
    let shown = text(&shown.stdout);
    assert!(shown.contains("reject 503 revocations_unavailable by api/orders"), "{shown}");
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("the proxy follows what `own` has revoked at https://own.test/revocations/v1"),
        "{flat}"
    );
    assert!(flat.contains("say --revocations own=FILE"), "{flat}");
}

#[test]
fn what_is_wrong_with_a_file_of_revocations_is_said_in_a_sentence() {
    let desk = desk_with_feed();
    desk.write("wrong.json", r#"[{ "sequence": 1, "kind": "session", "name": "s1" }]"#);
    for (given, expected) in [
        ("own", "write ISSUER=FILE"),
        ("other=wrong.json", "the policy has no issuer `other` with `revocations`"),
        ("legacy=wrong.json", "the policy has no issuer `legacy` with `revocations`"),
        ("own=absent.json", "absent.json: "),
        (
            "own=wrong.json",
            "wrong.json: neither a list of records nor an answer of the feed of `own`: it holds a record that cannot be",
        ),
        ("own=token", "it is of another type"),
    ] {
        let output = desk.explain(
            &[&["policy.json", "GET /api/orders/1", "--revocations", given], &WITH_TOKEN[..]].concat(),
        );
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{given}: {said}");
        assert!(said.contains(expected), "{given}: {said}");
    }
}

#[test]
fn a_deny_list_comes_from_a_file_plain_or_signed_and_is_as_old_as_it_says() {
    let desk = Desk::new();
    let mut policy = policy();
    policy["issuers"]["own"]["deny_list"] = json!({
        "cluster": "own", "uri": "https://own.test/deny.json", "when_stale": "reject",
    });
    desk.write("policy.json", &policy.to_string());
    desk.write("token", &token(&json!({ "jti": "t1" })));
    let list = |iat: u64, deny: Value| json!({ "iss": "https://own.test/", "iat": iat, "deny": deny });
    let told = |given: &str| {
        desk.json(&[&["policy.json", "GET /api/orders/1", "--revocations", given], &WITH_TOKEN[..]].concat())
    };
    for (document, reason, detail) in [
        (list(NOW - 7, json!([])), Value::Null, "0 entries at hand, 7 s old; no entry is about it"),
        (
            list(NOW - 7, json!([{ "jti": "t1" }])),
            json!("token_revoked"),
            "an entry denies the token: `jti` `t1`",
        ),
        (
            list(NOW - 301, json!([])),
            json!("revocations_stale"),
            "the deny list is 301 s old, and may be 300 s",
        ),
    ] {
        desk.write("plain.json", &document.to_string());
        let header = json!({ "alg": "EdDSA", "typ": "deny-list+jwt" });
        desk.write("signed.jwt", &sign(&header, &document, &Key::Ed25519([9; 32])));
        for given in ["own=plain.json", "own=signed.jwt"] {
            let told = told(given);
            assert_eq!(told["reason"], reason, "{given}");
            let shown = of_step(&told, "revocation")["detail"].as_str().unwrap();
            assert!(shown.contains(detail), "{given}: {shown}");
        }
    }
    let without = desk.explain(&[&["policy.json", "GET /api/orders/1"], &WITH_TOKEN[..]].concat());
    let flat = text(&without.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("reject 503 revocations_unavailable by api/orders"), "{flat}");
    assert!(flat.contains("fetches the deny list of `own` at https://own.test/deny.json"), "{flat}");
    for (document, expected) in [
        (
            list(NOW + 61, json!([])),
            "wrong.json: no deny list of `own`: it has an `iat` that is still to come",
        ),
        (list(NOW, json!([7])), "of another type (line 1, column"),
        (json!([]), "wrong.json: no deny list of `own`: it is no JSON"),
    ] {
        desk.write("wrong.json", &document.to_string());
        let output = desk.explain(
            &[&["policy.json", "GET /api/orders/1", "--revocations", "own=wrong.json"], &WITH_TOKEN[..]]
                .concat(),
        );
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
