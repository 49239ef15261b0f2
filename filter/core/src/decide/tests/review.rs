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
