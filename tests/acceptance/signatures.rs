use bearward_tests::client::Request;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::recorder::Recorder;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

/// A policy for an issuer with two keys that Envoy can verify, and one that it cannot.
fn policy() -> Value {
    let jwk = |algorithm: &str, key: &Key| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(algorithm);
        jwk["alg"] = json!(algorithm);
        jwk
    };
    let keys = [jwk("RS256", &Key::Rsa), jwk("ES256", &es256()), jwk("PS256", &Key::Rsa)];
    json!({
        "version": 1,
        "issuers": { "own": {
            "iss": "own", "audiences": ["here"], "algorithms": ["RS256", "ES256", "PS256"], "token_types": ["JWT"],
            "keys": { "jwks": { "keys": keys } },
        } },
        "policies": [{ "name": "all", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
            { "name": "all", "paths": ["/**"] },
        ] }],
    })
}

fn es256() -> Key {
    Key::P256([1; 32])
}

/// Good tokens pass and changed ones do not.
fn judges_rightly(envoy: &Proxy) {
    for (algorithm, key) in [("RS256", Key::Rsa), ("ES256", es256())] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": algorithm });
        let claims = json!({ "iss": "own", "sub": "u1", "aud": "here", "exp": token::now() + 60 });
        let good = token::sign(&header, &claims, &key);
        let forged = token::tampered(&good, |claims| claims["sub"] = json!("u2"));
        assert_eq!(Request::get("/").bearer(&good).send(envoy.url()).status, 200, "{algorithm}");
        assert_eq!(Request::get("/").bearer(&forged).send(envoy.url()).status, 401, "{algorithm}");
    }
}

#[test]
fn envoy_verifies_what_it_can() {
    let recorder = Recorder::start();
    let setup = Setup::shipped().policy(&policy());
    let envoy = setup.start_envoy(recorder.address(), recorder.address()).unwrap();
    judges_rightly(&envoy);
    let log = envoy.log();
    assert!(log.contains("signatures: ES256, RS256 by the host; PS256 by the filter"), "{log}");
}

#[test]
fn where_it_may_not_be_asked_the_filter_verifies() {
    let recorder = Recorder::start();
    // All that `bearward check` demands, and nothing else.
    let needed = [
        "proxy_on_context_create",
        "proxy_on_configure",
        "proxy_on_tick",
        "proxy_on_request_headers",
        "proxy_on_request_trailers",
        "proxy_on_http_call_response",
        "proxy_on_delete",
        "proxy_log",
        "proxy_get_current_time_nanoseconds",
        "proxy_set_tick_period_milliseconds",
        "proxy_get_header_map_pairs",
        "proxy_remove_header_map_value",
        "proxy_replace_header_map_value",
        "proxy_get_buffer_bytes",
        "proxy_send_local_response",
        "proxy_http_call",
        "proxy_get_shared_data",
        "proxy_set_shared_data",
        "environ_get",
        "environ_sizes_get",
    ];
    let allowed = needed.map(|name| format!("{name}: {{}}")).join(", ");
    let restriction = format!(
        "root_id: bearward\n{:24}capability_restriction_config: {{ allowed_capabilities: {{ {allowed} }} }}\n",
        ""
    );
    let setup = Setup::shipped().policy(&policy()).edit("root_id: bearward\n", &restriction);
    let envoy = setup.start_envoy(recorder.address(), recorder.address()).unwrap();
    judges_rightly(&envoy);
    let log = envoy.log();
    assert!(log.contains("signatures: ES256, RS256, PS256 by the filter"), "{log}");
}
