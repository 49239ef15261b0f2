//! What the second review found.

use super::made::{bearer, policy_with, verdict};
use super::*;

fn is_forwarded(policy: &Policy, request: &str, headers: &[(&str, &str)]) -> bool {
    matches!(verdict(policy, request, headers).decision, Decision::Forward(_))
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
