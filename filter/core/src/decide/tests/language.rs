//! The parts of the policy language beyond path, role and issuer.

use super::*;

/// A policy with these members of the document and of its one scope, and these rules.
fn policy_with(document: Value, scope: Value, rules: Value) -> Policy {
    let mut whole = json!({
        "version": 1,
        "issuers": { "own": {
            "iss": ISS, "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [jwk("k1", 1)] } },
        } },
        "policies": [{ "name": "api", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": rules }],
        "forward": { "headers": { "x-user-id": { "from": "subject" } } },
    });
    for (name, value) in document.as_object().unwrap() {
        whole[name] = value.clone();
    }
    for (name, value) in scope.as_object().unwrap() {
        whole["policies"][0][name] = value.clone();
    }
    Policy::compile(&whole, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn verdict<'p>(policy: &'p Policy, request: &str, headers: &[(&str, &str)]) -> Verdict<'p> {
    let (method, path) = request.split_once(' ').unwrap();
    let pseudo = [(":method", method), (":path", path), (":authority", "api.test")];
    let all = pseudo.iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    policy.decide(&Request::new(all.collect()), &KeyRing::of(policy), NOW, &NoSignatureHost)
}

fn bearer(changes: Value) -> String {
    format!("Bearer {}", token(changes))
}

fn user() -> Edit {
    Edit::set("x-user-id", "u1")
}

#[test]
fn a_rule_may_require_any_claim() {
    let rule = |condition: Value| json!([{ "name": "r", "paths": ["/u/{id}", "/u/{id}/**"], "require": { "claims": [condition] } }]);
    let forward = Decision::Forward(vec![user()]);
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
    assert_eq!(of(json!({ "roles": ["chef", "staff"], "tenant": "a" })), Decision::Forward(vec![user()]));
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
                    (Decision::Forward(vec![]), rejection),
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
    let anonymous = Decision::Forward(vec![]);
    assert_eq!(of(&bearer(json!({ "roles": ["admin"] }))), (Decision::Forward(vec![user()]), None));
    assert_eq!(of(&bearer(json!({}))), (Decision::Forward(vec![user()]), Some(Rejection::RoleMissing)));
    assert_eq!(of(&bearer(json!({ "exp": 1 }))), (anonymous.clone(), Some(Rejection::TokenExpired)));
    let forged = format!("{}x", bearer(json!({ "roles": ["admin"] })));
    assert_eq!(of(&forged), (anonymous, Some(Rejection::TokenMalformed)));
}

#[test]
fn an_ambiguity_between_a_rule_that_observes_and_one_that_enforces_is_refused() {
    let rules = json!([
        { "name": "edit", "paths": ["/menu/*"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "mode": "observe" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    assert_eq!(verdict(&policy, "GET /Menu/1", &[]).decision, Decision::Reject(Rejection::PathAmbiguous));
    // The same access, and yet one of them refuses nobody.
    let same = json!([{ "name": "edit", "paths": ["/menu/*"] }, { "name": "rest", "paths": ["/**"], "mode": "observe" }]);
    let policy = policy_with(json!({}), json!({}), same);
    assert_eq!(verdict(&policy, "GET /Menu/1", &[]).decision, Decision::Reject(Rejection::PathAmbiguous));
    let relaxed = json!([
        { "name": "edit", "paths": ["/menu/*"], "require": { "any_role": ["admin"] }, "mode": "observe" },
        { "name": "rest", "paths": ["/**"], "mode": "observe" },
    ]);
    let policy = policy_with(json!({}), json!({}), relaxed);
    let found = verdict(&policy, "GET /Menu/1", &[]);
    assert_eq!((found.decision, found.observed), (Decision::Forward(vec![]), Some(Rejection::PathAmbiguous)));
}

#[test]
fn a_preflight_and_nothing_else_passes_without_a_token_where_the_policy_says_so() {
    let rules = json!([{ "name": "r", "methods": ["DELETE"], "paths": ["/orders"] }]);
    let preflight = [("origin", "https://app.test"), ("access-control-request-method", "DELETE")];
    let policy = policy_with(json!({}), json!({ "cors_preflight": "allow" }), rules.clone());
    let found = verdict(&policy, "OPTIONS /orders", &preflight);
    assert_eq!((found.decision, found.rule), (Decision::Forward(vec![]), Some(("api", "cors_preflight"))));

    let no_rule = Decision::Reject(Rejection::NoRule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &preflight[..1]).decision, no_rule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &preflight[1..]).decision, no_rule);
    assert_eq!(verdict(&policy, "OPTIONS /orders", &[]).decision, no_rule);
    assert_eq!(
        verdict(&policy, "DELETE /orders", &preflight).decision,
        Decision::Reject(Rejection::TokenMissing)
    );
    assert_eq!(
        verdict(&policy, "OPTIONS /orders/../x", &preflight).decision,
        Decision::Reject(Rejection::PathAmbiguous)
    );
    let silent = policy_with(json!({}), json!({}), rules);
    assert_eq!(verdict(&silent, "OPTIONS /orders", &preflight).decision, no_rule);
}

#[test]
fn a_preflight_that_some_server_reads_as_one_to_another_policy_needs_the_permission_of_both() {
    let preflight = [("origin", "https://app.test"), ("access-control-request-method", "DELETE")];
    let scope = |name: &str, prefix: &str, cors: &str, rule: &str| {
        json!({
            "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "cors_preflight": cors,
            "rules": [{ "name": "r", "paths": [rule] }],
        })
    };
    let both = |inner: &str| json!({ "version": 1, "policies": [scope("in", "/m", inner, "/m/**"), scope("out", "/", "allow", "/**")] });
    let of = |inner: &str| {
        let policy = policy_with(both(inner), json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
        matches!(verdict(&policy, "OPTIONS /M/1", &preflight).decision, Decision::Forward(_))
    };
    assert!(of("allow") && !of("refuse"));
}

#[test]
fn the_token_is_taken_out_where_the_policy_says_so_on_public_rules_too() {
    let rules = json!([{ "name": "open", "paths": ["/open"], "access": "public" }, { "name": "r", "paths": ["/**"] }]);
    let forward = |token: &str| {
        json!({
            "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "query": "t" }],
            "forward": { "headers": { "x-user-id": { "from": "subject" } }, "token": token },
        })
    };
    let header = bearer(json!({}));
    let removed = Edit::remove(b"authorization");
    let sent: &[(&str, &str)] = &[("authorization", &header)];
    let of = |policy: &Policy, request: &str| verdict(policy, request, sent).decision;

    let removing = policy_with(forward("remove"), json!({}), rules.clone());
    assert_eq!(of(&removing, "GET /x"), Decision::Forward(vec![removed.clone(), user()]));
    assert_eq!(of(&removing, "GET /open"), Decision::Forward(vec![removed.clone()]));
    assert_eq!(
        of(&removing, "GET /open?t=x&a=1"),
        Decision::Forward(vec![removed, Edit::set(":path", "/open?a=1")])
    );
    let keeping = policy_with(forward("keep"), json!({}), rules);
    assert_eq!(of(&keeping, "GET /x"), Decision::Forward(vec![user()]));
    assert_eq!(of(&keeping, "GET /open?t=x"), Decision::Forward(vec![]));
    // One that nobody has looked at reaches nobody.
    assert_eq!(of(&keeping, "GET /x?t=y"), Decision::Forward(vec![Edit::set(":path", "/x"), user()]));
}

#[test]
fn no_place_of_the_document_is_left_unread_whichever_policy_applies() {
    let document = json!({ "policies": [
        { "name": "app", "hosts": ["*"], "prefix": "/app", "issuers": ["own"],
          "credentials": [{ "cookie": "t", "allowed_origins": ["https://app.test"] }],
          "rules": [{ "name": "all", "paths": ["/app/**"] }] },
        { "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "rules": [{ "name": "all", "paths": ["/api/**"] }] },
    ] });
    let policy = policy_with(document, json!({}), json!([]));
    let (cookie, header) = (format!("t={}", token(json!({}))), bearer(json!({})));
    let of = |path: &str, sent: &[(&str, &str)]| verdict(&policy, path, sent).decision;
    assert_eq!(
        of("GET /app/x", &[("cookie", &cookie), ("authorization", "Bearer forged")]),
        Decision::Forward(vec![Edit::remove(b"authorization"), user()])
    );
    assert_eq!(
        of("GET /api/x", &[("cookie", "t=forged; a=1"), ("authorization", &header)]),
        Decision::Forward(vec![Edit::set("cookie", "a=1"), user()])
    );
}

#[test]
fn a_trial_that_removes_tokens_removes_them_from_what_it_would_refuse_too() {
    let document = json!({
        "mode": "observe",
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "header": "x-token" }, { "query": "t" }],
        "forward": { "headers": { "x-user-id": { "from": "subject" } }, "token": "remove" },
    });
    let policy = policy_with(document, json!({}), json!([{ "name": "r", "paths": ["/r"] }]));
    let removed = |names: &[&str]| names.iter().map(|name| Edit::remove(name.as_bytes())).collect::<Vec<_>>();
    for (path, sent, observed, edits) in [
        ("/r", &[("x_token", "f")][..], Rejection::TokenMissing, removed(&["x_token"])),
        (
            "/r",
            &[("authorization", "Bearer x y"), ("x-token", "z")],
            Rejection::TokenMalformed,
            removed(&["authorization", "x-token"]),
        ),
        (
            "/r",
            &[("authorization", "Bearer a,Bearer b")],
            Rejection::CredentialsAmbiguous,
            removed(&["authorization"]),
        ),
        ("/other", &[("authorization", "Bearer f")], Rejection::NoRule, removed(&["authorization"])),
        ("//r", &[("authorization", "Bearer f")], Rejection::PathAmbiguous, removed(&["authorization"])),
    ] {
        let found = verdict(&policy, &format!("GET {path}"), sent);
        assert_eq!(
            (found.decision, found.observed),
            (Decision::Forward(edits), Some(observed)),
            "{path} {sent:?}"
        );
    }
}

#[test]
fn a_preflight_carries_no_credentials() {
    let policy = policy_with(
        json!({}),
        json!({ "cors_preflight": "allow" }),
        json!([{ "name": "r", "paths": ["/**"] }]),
    );
    let sent = [
        ("origin", "https://a.test"),
        ("access-control-request-method", "PUT"),
        ("authorization", "Bearer forged"),
    ];
    assert_eq!(
        verdict(&policy, "OPTIONS /x", &sent).decision,
        Decision::Forward(vec![Edit::remove(b"authorization")])
    );
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
        let header = |name, value: Option<&str>| value.map(|value| Edit::set(name, value));
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
fn a_policy_may_take_its_tokens_from_a_place_of_its_own() {
    let rules = json!([{ "name": "r", "paths": ["/**"] }]);
    let policy = policy_with(json!({}), json!({ "credentials": [{ "header": "x-token" }] }), rules);
    let token = token(json!({}));
    assert_eq!(verdict(&policy, "GET /x", &[("x-token", &token)]).decision, Decision::Forward(vec![user()]));
    let missing = Decision::Reject(Rejection::TokenMissing);
    assert_eq!(verdict(&policy, "GET /x", &[("authorization", &bearer(json!({})))]).decision, missing);
}

#[test]
fn a_request_of_nobody_carries_nothing_that_a_server_could_take_for_a_token() {
    let rules = json!([{ "name": "r", "paths": ["/**"], "access": "optional" }]);
    let policy = policy_with(json!({ "credentials": [{ "header": "x-token" }] }), json!({}), rules);
    let of = |name: &str, value: &str| verdict(&policy, "GET /x", &[(name, value)]).decision;
    assert_eq!(of("x_token", "anything"), Decision::Forward(vec![Edit::remove(b"x_token")]));
    assert_eq!(of("x-token", &token(json!({}))), Decision::Forward(vec![user()]));
    assert_eq!(of("x-other", "anything"), Decision::Forward(vec![]));
}

#[test]
fn what_enforces_inside_of_what_observes_cannot_be_written_around() {
    let public = json!([{ "name": "all", "paths": ["/**"], "access": "public" }]);
    let admin = json!([{ "name": "all", "paths": ["/admin/**"], "require": { "any_role": ["admin"] } }]);
    let scope = |name: &str, prefix: &str, mode: &str, rules: &Value| json!({ "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "mode": mode, "rules": rules });
    let inner = scope("admin", "/admin", "enforce", &admin);
    let refused = |policy: &Policy, request: &str| {
        matches!(verdict(policy, request, &[]).decision, Decision::Reject(_))
    };
    for policies in [json!([scope("site", "/", "observe", &public), inner]), json!([inner])] {
        let policy = policy_with(json!({ "mode": "observe", "policies": policies }), json!({}), json!([]));
        for request in [
            "GET /admin/x",
            "GET //admin/x",
            "GET /%61dmin/x",
            "GET /x/../admin/x",
            "delete /admin/x",
            "GET /Admin/x",
            "GET /admin%20/x",
        ] {
            assert!(refused(&policy, request), "{request}");
        }
        assert!(!refused(&policy, "GET /other"));
    }
    let rules = json!([{ "name": "admin", "paths": ["/admin"], "mode": "enforce" }]);
    let policy = policy_with(json!({}), json!({ "mode": "observe" }), rules);
    for request in ["GET /admin", "GET /Admin", "GET /admin/", "GET /admin."] {
        assert!(refused(&policy, request), "{request}");
    }
    assert!(!refused(&policy, "GET /other"));
}

#[test]
fn another_reading_of_a_path_finds_no_laxer_cookie_and_no_other_parameter() {
    let scope = |name: &str, prefix: &str, origins: Value| {
        json!({
            "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"],
            "credentials": [{ "cookie": "t", "allowed_origins": origins }],
            "rules": [{ "name": "all", "paths": [format!("{}/**", prefix.trim_end_matches('/'))] }],
        })
    };
    let (blog, pay) = ("https://blog.test", "https://pay.test");
    let policies = json!([scope("site", "/", json!([blog, pay])), scope("pay", "/pay", json!([pay]))]);
    let policy = policy_with(json!({ "policies": policies }), json!({}), json!([]));
    let cookie = format!("t={}", token(json!({})));
    let of = |path: &str| verdict(&policy, path, &[("cookie", &cookie), ("origin", blog)]).decision;
    assert_eq!(of("POST /pay/x"), Decision::Reject(Rejection::CsrfRejected));
    assert_eq!(of("POST /Pay/x"), Decision::Reject(Rejection::PathAmbiguous));
    assert!(matches!(of("POST /blog/x"), Decision::Forward(_)));

    let own = json!({ "claims": [{ "path": ["sub"], "equals_param": "id" }] });
    let apart = json!([
        { "name": "users", "paths": ["/users/{id}/**"], "require": own },
        { "name": "home", "paths": ["/{id}/**"], "require": own },
    ]);
    let together = json!([{ "name": "own", "paths": ["/users/{id}/**", "/{id}/**"], "require": own }]);
    for rules in [apart, together] {
        let policy = policy_with(json!({}), json!({}), rules);
        let token = bearer(json!({ "sub": "Users" }));
        let found = verdict(&policy, "GET /Users/victim/data", &[("authorization", &token)]);
        assert!(matches!(found.decision, Decision::Reject(_)), "{found:?}");
    }
}

#[test]
fn a_segment_of_dots_and_spaces_is_no_segment() {
    let rules = json!([
        { "name": "admin", "paths": ["/admin", "/admin/users"] },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    for path in ["/admin/%20", "/admin/...", "/admin/%20/users", "/admin/.../users", "/x/..%20/admin"] {
        let found = verdict(&policy, &format!("GET {path}"), &[]);
        assert_eq!(found.decision, Decision::Reject(Rejection::PathAmbiguous), "{path}");
    }
}

#[test]
fn the_settings_of_paths_say_what_every_server_behind_folds() {
    let rules = json!([
        { "name": "menu", "paths": ["/menu/*"], "access": "public" },
        { "name": "rest", "paths": ["/**"] },
    ]);
    let of = |paths: Value, path: &str| {
        let policy = policy_with(json!({ "paths": paths }), json!({}), rules.clone());
        let found = verdict(&policy, &format!("GET {path}"), &[]);
        (found.decision, found.rule.map(|(_, rule)| rule.to_owned()))
    };
    let public = |edits: Vec<Edit>| (Decision::Forward(edits), Some("menu".to_owned()));
    let refused = |rejection| (Decision::Reject(rejection), None);
    for (setting, value, path) in [
        ("letters", "folded", "/Menu/1"),
        ("trailing_slash", "folded", "/menu/1/"),
        ("parameters", "keep", "/menu;v=1/1;x=2"),
        ("encoded_slash", "keep", "/menu/a%2Fb"),
    ] {
        assert_eq!(of(json!({ setting: value }), path), public(vec![]), "{setting} {path}");
        let strict = of(json!({}), path).0;
        assert_ne!(strict, Decision::Forward(vec![]), "{path} without the setting");
    }
    assert_eq!(
        of(json!({ "non_canonical": "replace" }), "/%6denu/1?q=%41"),
        public(vec![Edit::set(":path", "/menu/1?q=%41")])
    );
    for (paths, path) in [
        (json!({ "non_canonical": "replace" }), "/menu/%2e%2e/x"),
        (json!({ "non_canonical": "replace" }), "/menu%2f1"),
        (json!({ "encoded_slash": "keep" }), "/menu/a%2F..%2Fb"),
        (json!({ "encoded_slash": "keep" }), "/menu/a%5Cb"),
        (json!({ "encoded_slash": "keep" }), "/menu/a%2F%2Fb"),
        (json!({ "parameters": "keep" }), "/menu/..;/x"),
        (json!({ "parameters": "keep" }), "/menu/;x/1"),
        (json!({ "parameters": "keep" }), "/menu/%2e;/x"),
    ] {
        assert_eq!(of(paths.clone(), path), refused(Rejection::PathAmbiguous), "{paths} {path}");
    }
}

#[test]
fn a_parameter_of_the_path_that_some_server_cuts_short_is_nobodys() {
    let rules = json!([{ "name": "own", "paths": ["/u/{id}"], "require": { "claims": [{ "path": ["sub"], "equals_param": "id" }] } }]);
    let settings = json!({ "paths": { "parameters": "keep", "encoded_slash": "keep" } });
    let policy = policy_with(settings, json!({}), rules);
    let of = |subject: &str, path: &str| {
        verdict(&policy, &format!("GET {path}"), &[("authorization", &bearer(json!({ "sub": subject })))])
            .decision
    };
    assert!(matches!(of("7", "/u/7"), Decision::Forward(_)));
    for (subject, path) in
        [("7", "/u/8"), ("7;x", "/u/7;x"), ("7.", "/u/7."), ("7 ", "/u/7%20"), ("7/8", "/u/7%2F8")]
    {
        assert_eq!(of(subject, path), Decision::Reject(Rejection::ClaimMismatch), "{subject} {path}");
    }
}
