use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;
use serde_json::{Value, json};

/// A policy that says by its statuses which part of it decided: 200 public, 401 authenticated, 403 no rule.
fn policy() -> Value {
    let part = |name: &str, hosts: &[&str], prefix: &str, rules: Value| json!({ "name": name, "hosts": hosts, "prefix": prefix, "issuers": ["own"], "rules": rules });
    let all = |access: &str| json!([{ "name": "all", "paths": ["/**"], "access": access }]);
    let secret = json!({
        "algorithms": ["HS256"], "token_types": ["JWT"], "keys": { "secrets_env": ["HOSTS_SECRET"] },
        "iss": "own", "audiences": ["here"],
    });
    json!({
        "version": 1,
        "issuers": { "own": secret },
        "policies": [
            part("anybody", &["*"], "/", all("public")),
            part("family", &["*.example.com"], "/", all("authenticated")),
            part("nobody", &["closed.example.com"], "/", json!([{ "name": "none", "paths": ["/never"] }])),
            part("deeper", &["*"], "/inner", json!([{ "name": "all", "paths": ["/inner/**"] }])),
        ],
    })
}

#[test]
fn the_most_specific_host_decides_and_then_the_longest_prefix() {
    let recorder = Recorder::start();
    let envoy = Setup::shipped()
        .without_revocations()
        .policy(&policy())
        .secret("HOSTS_SECRET", "a-secret-of-at-least-32-bytes-for-hosts")
        .start_envoy(recorder.address(), recorder.address())
        .unwrap();
    for (host, path, status) in [
        ("anything.test", "/a", 200),
        ("anything.test", "/inner/a", 401),
        ("anything.test", "/innermost", 200),
        ("api.example.com", "/a", 401),
        ("API.Example.COM:8080", "/a", 401),
        ("api.example.com.", "/a", 401),
        ("a.b.example.com", "/a", 401),
        ("example.com", "/a", 200),
        ("badexample.com", "/a", 200),
        ("closed.example.com", "/a", 403),
        ("CLOSED.example.com.:1", "/a", 403),
        ("closed.example.com", "/inner/a", 403),
    ] {
        let answer = Request::get(path).header("host", host).exactly().send(envoy.url());
        assert_eq!(answer.status, status, "{host}{path}: {}", answer.text());
    }
}
