//! The parts of the policy language beyond path, role and issuer.

use super::made::{bearer, policy_with, user, verdict};
use super::*;

#[test]
fn a_rule_may_require_any_claim() {
    let rule = |condition: Value| json!([{ "name": "r", "paths": ["/u/{id}", "/u/{id}/**"], "require": { "claims": [condition] } }]);
    let forward = Decision::Forward(vec![user()].into());
    let mismatch = Decision::Reject(Rejection::ClaimMismatch);
    let malformed = Decision::Reject(Rejection::ClaimsMalformed);
    for (condition, claims, expected) in [
        (json!({ "path": ["tenant"], "equals": "a" }), json!({ "tenant": "a" }), &forward),
        (json!({ "path": ["tenant"], "equals": "a" }), json!({ "tenant": "b" }), &mismatch),
        (json!({ "path": ["tenant"], "equals": "a" }), json!({}), &mismatch),
        (json!({ "path": ["tenant"], "equals": "a" }), json!({ "tenant": ["a"] }), &malformed),
        (json!({ "path": ["org", "id"], "equals": 7.0 }), json!({ "org": { "id": 7 } }), &forward),
        (json!({ "path": ["org", "id"], "equals": 7 }), json!({ "org": "7" }), &malformed),
        (json!({ "path": ["https://a.b/c"], "equals": true }), json!({ "https://a.b/c": true }), &forward),
        (json!({ "path": ["acr"], "one_of": ["gold", "silver"] }), json!({ "acr": "silver" }), &forward),
        (json!({ "path": ["acr"], "one_of": ["gold", "silver"] }), json!({ "acr": "bronze" }), &mismatch),
        (json!({ "path": ["scope"], "contains": "read" }), json!({ "scope": "write read" }), &forward),
        (json!({ "path": ["groups"], "contains": 3 }), json!({ "groups": [1, 3] }), &forward),
        (json!({ "path": ["sub"], "equals_param": "id" }), json!({ "sub": "me" }), &mismatch),
        (json!({ "path": ["no"], "equals_param": "id" }), json!({ "no": 42 }), &forward),
    ] {
        let policy = policy_with(json!({}), json!({}), rule(condition.clone()));
        let token = bearer(claims.clone());
        for path in ["GET /u/42", "GET /u/42/orders"] {
            let found = verdict(&policy, path, &[("authorization", &token)]);
            let decision = match &found.decision {
                // The subject of some of these tokens is another.
                Decision::Forward(_) => &forward,
                other => other,
            };
            assert_eq!(decision, expected, "{condition} {claims} {path}");
        }
    }
}

#[test]
fn roles_and_claims_of_one_rule_must_all_hold() {
    let rules = json!([{ "name": "r", "paths": ["/**"], "require": {
        "any_role": ["admin", "chef"], "all_roles": ["staff"], "claims": [{ "path": ["tenant"], "equals": "a" }]
    } }]);
    let policy = policy_with(json!({}), json!({}), rules);
    let of = |claims: Value| verdict(&policy, "GET /x", &[("authorization", &bearer(claims))]).decision;
    assert_eq!(
        of(json!({ "roles": ["chef", "staff"], "tenant": "a" })),
        Decision::Forward(vec![user()].into())
    );
    assert_eq!(of(json!({ "roles": ["chef"], "tenant": "a" })), Decision::Reject(Rejection::RoleMissing));
    assert_eq!(of(json!({ "roles": ["staff"], "tenant": "a" })), Decision::Reject(Rejection::RoleMissing));
    assert_eq!(
        of(json!({ "roles": ["chef", "staff"], "tenant": "b" })),
        Decision::Reject(Rejection::ClaimMismatch)
    );
}

#[test]
fn the_mode_of_the_closest_place_says_whether_a_refusal_is_carried_out() {
    let rules = json!([
        { "name": "own", "paths": ["/own"], "mode": "observe" },
        { "name": "strict", "paths": ["/strict"], "mode": "enforce" },
        { "name": "plain", "paths": ["/plain"] },
    ]);
    let missing = Some(Rejection::TokenMissing);
    for (document, scope, observed) in [
        (json!({}), json!({}), ["/own"].as_slice()),
        (json!({ "mode": "observe" }), json!({}), &["/own", "/plain", "/none"]),
        (json!({}), json!({ "mode": "observe" }), &["/own", "/plain", "/none"]),
        (json!({ "mode": "observe" }), json!({ "mode": "enforce" }), &["/own"]),
    ] {
        let policy = policy_with(document, scope, rules.clone());
        for path in ["/own", "/strict", "/plain", "/none"] {
            let rejection = if path == "/none" { Some(Rejection::NoRule) } else { missing };
            let found = verdict(&policy, &format!("GET {path}"), &[]);
            if observed.contains(&path) {
                assert_eq!(
                    (found.decision, found.observed),
                    (Decision::Forward(vec![].into()), rejection),
                    "{path}"
                );
            } else {
                let decision = Decision::Reject(rejection.unwrap());
                assert_eq!((found.decision, found.observed), (decision, None), "{path}");
            }
        }
    }
}

#[test]
fn a_request_that_is_only_observed_has_an_identity_only_from_a_token_that_verified() {
    let rules = json!([{ "name": "r", "paths": ["/**"], "require": { "any_role": ["admin"] } }]);
    let policy = policy_with(json!({ "mode": "observe" }), json!({}), rules);
    let of = |token: &str| {
        let found = verdict(&policy, "GET /x", &[("authorization", token)]);
        (found.decision, found.observed)
    };
    let anonymous = Decision::Forward(vec![].into());
    assert_eq!(of(&bearer(json!({ "roles": ["admin"] }))), (Decision::Forward(vec![user()].into()), None));
    assert_eq!(
        of(&bearer(json!({}))),
        (Decision::Forward(vec![user()].into()), Some(Rejection::RoleMissing))
    );
    assert_eq!(of(&bearer(json!({ "exp": 1 }))), (anonymous.clone(), Some(Rejection::TokenExpired)));
    let forged = format!("{}x", bearer(json!({ "roles": ["admin"] })));
    assert_eq!(of(&forged), (anonymous, Some(Rejection::TokenMalformed)));
}

#[test]
fn a_preflight_and_nothing_else_passes_without_a_token_where_the_policy_says_so() {
    let rules = json!([{ "name": "r", "methods": ["DELETE"], "paths": ["/orders"] }]);
    let preflight = [("origin", "https://app.test"), ("access-control-request-method", "DELETE")];
    let policy = policy_with(json!({}), json!({ "cors_preflight": "allow" }), rules.clone());
    let found = verdict(&policy, "OPTIONS /orders", &preflight);
    assert_eq!(
        (found.decision, found.rule),
        (Decision::Forward(vec![].into()), Some(("api", "cors_preflight")))
    );

    let no_rule = Decision::Reject(Rejection::NoRule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &preflight[..1]).decision, no_rule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &preflight[1..]).decision, no_rule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &[]).decision, no_rule);
    assert_eq!(
        verdict(&policy, "DELETE /orders", &preflight).decision,
        Decision::Reject(Rejection::TokenMissing)
    );
    for more in
        [("content-length", "5"), ("transfer-encoding", "chunked"), ("x-http-method-override", "DELETE")]
    {
        let sent = [preflight[0], preflight[1], more];
        assert_eq!(verdict(&policy, "OPTIONS /orders", &sent).decision, no_rule, "{more:?}");
    }
    let pseudo = [(":method", "OPTIONS"), (":path", "/orders"), (":authority", "api.test")];
    let all = pseudo.iter().chain(&preflight).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = Request::new(all.collect()).followed(true);
    let followed = policy.decide(&request, &KeyRing::of(&policy), NOW, &NoSignatureHost);
    assert_eq!(followed.decision, no_rule, "a body that no header tells of");
    let named = json!([{ "name": "own", "methods": ["OPTIONS"], "paths": ["/orders"] }]);
    let naming = policy_with(json!({}), json!({ "cors_preflight": "allow" }), named);
    assert_eq!(
        verdict(&naming, "OPTIONS /orders", &preflight).decision,
        Decision::Reject(Rejection::TokenMissing),
        "a rule that names OPTIONS means it"
    );
    assert_eq!(
        verdict(&policy, "OPTIONS /orders/../x", &preflight).decision,
        Decision::Reject(Rejection::PathAmbiguous)
    );
    let silent = policy_with(json!({}), json!({}), rules);
    assert_eq!(verdict(&silent, "OPTIONS /orders", &preflight).decision, no_rule);
}

#[test]
fn claims_travel_as_headers_and_one_that_cannot_is_malformed() {
    let forward = json!({ "forward": { "headers": {
        "x-user-id": { "from": "subject" },
        "x-tenant": { "claim": ["org", "id"] },
        "x-groups": { "claim": ["groups"] },
    } } });
    let policy = policy_with(forward, json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    let of = |claims: Value| verdict(&policy, "GET /x", &[("authorization", &bearer(claims))]).decision;
    let sent = |tenant: Option<&str>, groups: Option<&str>| {
        let header = |name, value: Option<&str>| value.map(|value| Edit::tell(name, value));
        // In the order of names: a policy has no other.
        Decision::Forward(
            [header("x-groups", groups), header("x-tenant", tenant), Some(user())]
                .into_iter()
                .flatten()
                .collect(),
        )
    };
    assert_eq!(of(json!({})), sent(None, None));
    assert_eq!(
        of(json!({ "org": { "id": "a b" }, "groups": ["x,y", 7, true] })),
        sent(Some("a%20b"), Some("x%2Cy,7,true"))
    );
    assert_eq!(of(json!({ "org": { "id": 7 }, "groups": [] })), sent(Some("7"), Some("")));
    assert_eq!(of(json!({ "org": { "id": 1.5 } })), sent(Some("1.5"), None));
    for malformed in [
        json!({ "org": { "id": { "a": 1 } } }),
        json!({ "org": "id" }),
        json!({ "groups": ["a", ["b"]] }),
        json!({ "groups": [""] }),
    ] {
        assert_eq!(of(malformed.clone()), Decision::Reject(Rejection::ClaimsMalformed), "{malformed}");
    }
}

#[test]
fn the_challenge_names_realm_scope_and_metadata_of_the_policy() {
    let challenge =
        json!({ "challenge": { "realm": "restaurant", "resource_metadata": "https://api.test/meta" } });
    let rules = json!([{ "name": "r", "paths": ["/**"], "require": { "claims": [
        { "path": ["scope"], "contains": "orders:write" }, { "path": ["scope"], "contains": "orders:read" }
    ] } }]);
    let policy = policy_with(challenge, json!({ "challenge": { "realm": "orders" } }), rules);
    let challenge = |headers: &[(&str, &str)]| {
        let found = verdict(&policy, "GET /x", headers);
        let Decision::Reject(rejection) = found.decision else { panic!("{found:?}") };
        let response = found.response(rejection, false);
        response.headers.into_iter().find(|(name, _)| *name == "www-authenticate").unwrap().1
    };
    assert_eq!(challenge(&[]), r#"Bearer realm="orders", resource_metadata="https://api.test/meta""#);
    let token = bearer(json!({ "scope": "orders:read" }));
    assert_eq!(
        challenge(&[("authorization", &token)]),
        r#"Bearer realm="orders", error="insufficient_scope", error_description="A claim of the token is not what this request requires.", scope="orders:write orders:read", resource_metadata="https://api.test/meta""#
    );
}

#[test]
fn a_parameter_that_names_another_method_hides_no_rule() {
    let rules = json!([
        { "name": "delete", "methods": ["DELETE"], "paths": ["/orders/{id}"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules.clone());
    let is_forwarded = |policy: &Policy, request: &str| {
        matches!(verdict(policy, request, &[]).decision, Decision::Forward(_))
    };
    assert!(!is_forwarded(&policy, "DELETE /orders/1"));
    // Symfony and Laravel take `_method` of the query, too, where the request is a POST.
    for query in ["_method=DELETE", "a=1&_method=delete", "%5Fmethod=DELETE"] {
        assert!(!is_forwarded(&policy, &format!("POST /orders/1?{query}")), "{query}");
    }
    for request in
        ["GET /orders/1?_method=DELETE", "POST /orders/1?method=DELETE", "POST /orders/1?a=_method"]
    {
        assert!(is_forwarded(&policy, request), "{request}");
    }
    let long = format!("POST /orders/1?{}", "a=1&".repeat(17 * 1024));
    assert!(!is_forwarded(&policy, &long), "longer than is looked at");
    let keep =
        json!({ "forward": { "headers": { "x-user-id": { "from": "subject" } }, "keep": ["_method"] } });
    let keeping = policy_with(keep, json!({}), rules);
    assert!(is_forwarded(&keeping, "POST /orders/1?_method=DELETE"));
    assert!(keeping.weakenings().iter().any(|found| found.text.contains("`_method`")));
}

#[test]
fn no_client_has_an_identity_header_dropped_on_the_way() {
    let policy = policy_with(json!({}), json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    let header = bearer(json!({}));
    let of = |connection: &str| {
        let sent = [("authorization", header.as_str()), ("upgrade", "websocket"), ("connection", connection)];
        verdict(&policy, "GET /x", &sent).decision
    };
    for connection in ["Upgrade, X-User-Id", "x_user_id", "upgrade,close , x-user-roles", "X-Original-URL"] {
        assert_eq!(of(connection), Decision::Reject(Rejection::RequestMalformed), "{connection}");
    }
    assert_eq!(of("keep-alive, Upgrade,, x-other"), Decision::Forward(vec![user()].into()));
}
