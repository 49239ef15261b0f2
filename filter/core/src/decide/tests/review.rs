//! What the second review found.

use super::made::{bearer, policy_with, verdict};
use super::*;

fn is_forwarded(policy: &Policy, request: &str, headers: &[(&str, &str)]) -> bool {
    matches!(verdict(policy, request, headers).decision, Decision::Forward(_))
}

#[test]
fn no_client_has_an_identity_header_dropped_on_the_way() {
    let policy = policy_with(json!({}), json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    let header = bearer(json!({}));
    // Envoy keeps Connection on an upgrade; a proxy behind drops what it names (RFC 9110 section 7.6.1).
    let sent =
        [("authorization", header.as_str()), ("upgrade", "websocket"), ("connection", "Upgrade, X-User-Id")];
    let found = verdict(&policy, "GET /x", &sent);
    let is_mended = match &found.decision {
        Decision::Reject(_) => true,
        Decision::Forward(edits) => {
            edits.iter().any(|edit| edit.as_set().is_some_and(|(name, _)| name == "connection"))
        }
    };
    assert!(is_mended, "{found:?}");
}

#[test]
fn a_parameter_of_the_path_that_some_server_cuts_short_is_nobodys_also_at_what_ends_a_path() {
    let rules = json!([{ "name": "own", "paths": ["/u/{id}"], "require": { "claims": [{ "path": ["sub"], "equals_param": "id" }] } }]);
    let policy = policy_with(json!({}), json!({}), rules);
    // A server that decodes before it parts the query (nginx's `proxy_pass http://up$uri`) sees /u/7; one that trims, too.
    for (subject, path) in [("7?x", "/u/7%3Fx"), ("7#x", "/u/7%23x"), (" 7", "/u/%207")] {
        let found = verdict(
            &policy,
            &format!("GET {path}"),
            &[("authorization", &bearer(json!({ "sub": subject })))],
        );
        assert!(matches!(found.decision, Decision::Reject(_)), "{subject} {path}");
    }
}

#[test]
fn an_encoded_end_of_the_path_hides_no_rule() {
    let rules = json!([
        { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    // The third: Spring before 4.3 trims tokens on both sides (CVE-2016-5007).
    for path in ["/admin%3Fx", "/admin%23x", "/%20admin"] {
        assert!(!is_forwarded(&policy, &format!("GET {path}"), &[]), "{path}");
    }
}

#[test]
fn a_format_at_the_end_of_a_path_hides_no_rule() {
    let rules = json!([
        { "name": "status", "methods": ["PATCH"], "paths": ["/orders/{id}/status"], "require": { "any_role": ["rider"] } },
        { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    // Rails routes end in `(.:format)`; Spring MVC before 5.3 matches suffixes.
    for request in ["GET /admin.json", "PATCH /orders/1/status.json", "GET /admin.html"] {
        assert!(!is_forwarded(&policy, request, &[]), "{request}");
    }
}

#[test]
fn a_rule_that_can_never_match_is_an_error_also_for_these_reasons() {
    let compile = |policies: Value| {
        let document = json!({
            "version": 1,
            "issuers": { "own": {
                "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
                "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
            } },
            "policies": policies,
        });
        Policy::compile(&document, &|_| None).map(|_| ())
    };
    let scope = |name: &str, prefix: &str, rule: Value| json!({ "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "rules": [rule] });
    // No path with such a segment is let through.
    for path in ["/...", "/%20", "/a/. ./b"] {
        assert!(
            compile(json!([scope("site", "/", json!({ "name": "r", "paths": [path] }))])).is_err(),
            "{path}"
        );
    }
    // The longer prefix takes all of it: what looks strict is public.
    let strict = scope(
        "site",
        "/",
        json!({ "name": "admin", "paths": ["/api/admin/**"], "require": { "any_role": ["admin"] } }),
    );
    let open = scope("api", "/api", json!({ "name": "all", "paths": ["/api/**"], "access": "public" }));
    assert!(compile(json!([strict, open])).is_err());
}
