//! `bearward token forge`: what it makes is taken where its keys are given, and nowhere else.

use std::io::Write as _;
use std::process::Stdio;

use bearward_core::algorithm::AlgorithmName;
use bearward_tests::token::{claims, header, now};
use serde_json::{Value, json};

use super::{Desk, Ran};

/// A policy with an issuer of each kind of keys.
fn policy() -> Value {
    let issuer = |name: &str, algorithms: &[&str], keys: Value| {
        json!({
            "iss": format!("https://{name}.test/"), "audiences": ["api", "other"], "algorithms": algorithms, "token_types": ["at+jwt"], "keys": keys,
            "claims": { "subject": ["user", "id"], "role_prefix": format!("{name}:") },
        })
    };
    let remote = json!({ "remote": { "cluster": "own", "uri": "https://own.test/jwks" } });
    json!({
        "version": 1,
        "issuers": {
            "own": issuer("own", &["ES384", "RS256"], remote),
            "shared": issuer("shared", &["HS384"], json!({ "secrets_env": ["TOKEN_SECRET"] })),
        },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own", "shared"],
            "rules": [{ "name": "all", "paths": ["/**"] }] }],
    })
}

/// Forges a token; its keys go into `keys.json` where nothing else is said.
fn forge(desk: &Desk, arguments: &[&str]) -> Ran {
    forge_of(desk, arguments, "")
}

/// The same, with this on the standard input.
fn forge_of(desk: &Desk, arguments: &[&str], input: &str) -> Ran {
    let keys = if arguments.contains(&"--keys") { &[][..] } else { &["--keys", "keys.json"] };
    desk.run(&[&["token", "forge"], keys, arguments].concat(), input)
}

/// The one line on the standard output.
fn token(ran: &Ran) -> &str {
    assert_eq!(ran.status, 0, "{ran:?}");
    let token = ran.output.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "{ran:?}");
    token
}

#[test]
fn a_token_of_every_algorithm_is_verified_by_its_keys_and_by_those_of_no_other() {
    let desk = Desk::new();
    for algorithm in AlgorithmName::ALL {
        let name = algorithm.as_str();
        let keys = format!("{name}.json");
        let ran = forge(&desk, &["--algorithm", name, "--keys", &keys]);
        assert!(ran.errors.contains("with a key that is thrown away: no proxy accepts it unless"), "{ran:?}");
        let token = token(&ran);
        assert_eq!(header(token)["alg"], name);
        let inspect = ["token", "inspect", "-", "--json", "--jwks", &keys];
        assert_eq!(desk.run(&inspect, token).json()["signature"], "valid", "{name}");
        let other = forge(&desk, &["--algorithm", name, "--keys", &format!("other-{name}.json")]);
        assert_eq!(desk.run(&inspect, &other.output).json()["reason"], "signature_invalid", "{name}");
        let jwk: Value = serde_json::from_str(&desk.read(&keys)).unwrap();
        assert_eq!(jwk["keys"][0]["alg"], name);
        assert_eq!(jwk["keys"][0].get("k").is_some(), algorithm.is_symmetric());
        assert!(["d", "p", "q"].iter().all(|member| jwk["keys"][0].get(member).is_none()));
    }
}

#[test]
fn one_pipeline_may_forge_and_inspect() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["token", "inspect", "-", "--json", "--jwks", "keys.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let forged = forge(&desk, &[]);
    child.stdin.take().unwrap().write_all(forged.output.as_bytes()).unwrap();
    assert_eq!(Ran::of(&child.wait_with_output().unwrap()).json()["signature"], "valid");
}

#[test]
fn a_token_looks_like_those_of_an_issuer_and_is_taken_for_one_where_its_keys_are_given() {
    let desk = Desk::new();
    desk.write("policy.json", policy().to_string());
    for (issuer, iss, algorithm) in
        [("own", "https://own.test/", "ES384"), ("shared", "https://shared.test/", "HS384")]
    {
        let keys = format!("{issuer}.json");
        let ran = forge(&desk, &["--config", "policy.json", "--issuer", issuer, "--keys", &keys]);
        let token = token(&ran);
        let (header, claims) = (header(token), claims(token));
        assert_eq!((&header["alg"], &header["typ"]), (&json!(algorithm), &json!("at+jwt")));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(iss), &json!("api")));
        assert!(claims["user"]["id"].is_string() && claims.get("sub").is_none());
        let left = claims["exp"].as_u64().unwrap() - now();
        assert!((880..=900).contains(&left), "{left}");
        desk.write("token", token);
        let explain = ["explain", "policy.json", "GET /", "--token-file", "token", "--json", "--jwks"];
        let told = desk.run(&[&explain[..], &[&format!("{issuer}={keys}")]].concat(), "");
        assert_eq!((told.status, &told.json()["decision"]), (0, &json!("forward")), "{told:?}");
        let told = desk.run(&explain[..6], "");
        assert_eq!(told.json()["reason"], "keys_unavailable", "{told:?}");
    }
}

#[test]
fn claims_and_header_are_what_is_asked_for() {
    let desk = Desk::new();
    desk.write("claims.json", r#"{"sub":"u1","roles":["a"],"n":1}"#);
    let ran = forge(
        &desk,
        &[
            "--claims",
            "claims.json",
            "--claim",
            "roles=[\"b\"]",
            "--claim",
            "name=a=b",
            "--claim",
            "iat=null",
            "--claim",
            "nbf=now-60",
            "--header",
            "typ=null",
            "--header",
            "x=7",
            "--kid",
            "k7",
            "--expires-in",
            "-60",
        ],
    );
    let token = token(&ran);
    assert_eq!(header(token), json!({ "alg": "EdDSA", "kid": "k7", "x": 7 }));
    let mut rest = claims(token);
    let before = |name: &str| now() - rest[name].as_u64().unwrap();
    assert!((60..80).contains(&before("exp")) && (60..80).contains(&before("nbf")), "{rest}");
    rest.as_object_mut().unwrap().retain(|name, _| name != "exp" && name != "nbf");
    assert_eq!(rest, json!({ "sub": "u1", "roles": ["b"], "n": 1, "name": "a=b" }));
    let ran = forge_of(&desk, &["--claims", "-", "--typ", "JWT", "--keys", "k2.json"], r#"{"sub":"u2"}"#);
    assert_eq!(claims(ran.output.trim())["sub"], "u2");
    assert_eq!(header(ran.output.trim())["typ"], "JWT");
}

#[test]
fn keys_that_are_there_are_never_overwritten_and_no_token_is_printed_then() {
    let desk = Desk::new();
    desk.write("keys.json", "mine");
    let ran = forge(&desk, &["--keys", "keys.json"]);
    assert_eq!((ran.status, ran.output.as_str()), (2, ""));
    assert!(ran.errors.contains("keys.json: is there already, and is not overwritten"), "{ran:?}");
    assert_eq!(desk.read("keys.json"), "mine");
}

#[test]
fn keys_are_for_their_owners_eyes_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    token(&forge(&desk, &["--algorithm", "HS256", "--keys", "keys.json"]));
    let mode = std::fs::metadata(desk.path().join("keys.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn wrong_usage_is_said_with_status_2_and_a_policy_that_does_not_load_with_1() {
    let desk = Desk::new();
    desk.write("policy.json", policy().to_string());
    desk.write("list.json", "[]");
    let mut broken = policy();
    broken["version"] = json!(7);
    desk.write("broken.json", broken.to_string());
    for (arguments, status, why) in [
        (vec!["--algorithm", "none"], 2, "EdDSA"),
        (vec!["--claim", "sub"], 2, "write NAME=VALUE"),
        (vec!["--claim", "=x"], 2, "write NAME=VALUE"),
        (vec!["--claim", "a=1", "--claim", "a=2"], 2, "`a` is given twice"),
        (vec!["--claims", "list.json"], 2, "must be a JSON object"),
        (vec!["--claims", "missing"], 2, "No such file"),
        (vec!["--expires-in", "soon"], 2, "invalid"),
        (vec!["--issuer", "own"], 2, "--config"),
        (vec!["--config", "policy.json"], 2, "say which by --issuer: `own`, `shared`"),
        (vec!["--config", "policy.json", "--issuer", "x"], 2, "no such issuer, but `own`, `shared`"),
        (vec!["--config", "missing", "--issuer", "x"], 2, "No such file"),
        (vec!["--config", "broken.json", "--issuer", "own"], 1, "version"),
        (vec!["--keys", "no/such/folder"], 2, "No such file"),
    ] {
        let ran = forge(&desk, &arguments);
        assert_eq!((ran.status, ran.output.as_str()), (status, ""), "{arguments:?}: {ran:?}");
        assert!(ran.errors.contains(why), "{arguments:?}: {}", ran.errors);
    }
}
