//! What the second review found.

use super::made::{bearer, policy_with, user, verdict};
use super::*;

fn is_forwarded(policy: &Policy, request: &str, headers: &[(&str, &str)]) -> bool {
    matches!(verdict(policy, request, headers).decision, Decision::Forward(_))
}

#[test]
fn another_reading_that_no_rule_names_is_refused() {
    let scope = |name: &str, prefix: &str, mode: &str, rules: Value| json!({ "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "mode": mode, "rules": rules });
    let site = |mode| scope("site", "/", mode, json!([{ "name": "all", "paths": ["/**"], "access": "public" }]));
    let admin = scope("admin", "/admin", "enforce", json!([
        { "name": "look", "methods": ["GET"], "paths": ["/admin/users/*"], "require": { "any_role": ["admin"] } },
    ]));
    for mode in ["enforce", "observe"] {
        let policy = policy_with(json!({ "policies": [site(mode), admin] }), json!({}), json!([]));
        assert!(is_forwarded(&policy, "DELETE /other", &[]));
        for request in ["DELETE /admin/users/1", "GET /admin/users/1"] {
            assert!(!is_forwarded(&policy, request, &[]), "{mode} {request}");
        }
        // Express and IIS fold letters, IIS drops dots and spaces.
        for request in ["GET /Admin/users/1", "DELETE /Admin/users/1", "POST /ADMIN/other", "DELETE /admin./users/1", "DELETE /admin%20/users/1"] {
            assert!(!is_forwarded(&policy, request, &[]), "{mode} {request}");
        }
    }
}
