//! One path, read in every way in which some server reads it.

use super::made::{bearer, policy_with, verdict};
use super::*;

fn is_forwarded(policy: &Policy, request: &str) -> bool {
    matches!(verdict(policy, request, &[]).decision, Decision::Forward(_))
}

#[test]
fn every_combination_of_foldings_is_looked_at_not_only_all_of_them() {
    let document = json!({
        "policies": [{ "name": "site", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
            { "name": "list", "paths": ["/m"], "access": "public" },
            { "name": "manage", "paths": ["/m/"] },
            { "name": "rest", "paths": ["/**"], "access": "public" },
        ] }],
    });
    let policy = policy_with(document, json!({}), json!([]));
    let of = |path: &str| decide_at(&policy, NOW, &format!("GET {path}"), &[]);
    for path in ["/M/", "/m./", "/m%20/", "/M./"] {
        assert_eq!(of(path), (Decision::Reject(Rejection::PathAmbiguous), None), "{path}");
    }
    assert_eq!(of("/m/").0, Decision::Reject(Rejection::TokenMissing));
    assert_eq!(of("/other/").0, Decision::Forward(vec![].into()));
}

#[test]
fn a_path_that_a_lenient_server_would_take_to_a_stricter_rule_is_refused() {
    let document = json!({
        "policies": [
            { "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "rules": [
                { "name": "open", "paths": ["/api/open"], "access": "public" },
                { "name": "edit", "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
                { "name": "rest", "paths": ["/api/**"] },
            ] },
            { "name": "site", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [
                { "name": "all", "paths": ["/**"], "access": "public" },
            ] },
        ],
    });
    let policy = policy_with(document, json!({}), json!([]));
    let of = |path: &str| decide_at(&policy, NOW, &format!("GET {path}"), &[]);
    for path in
        ["/api/menu/1/", "/api/Menu/1", "/api/menu%20/1", "/api/menu./1", "/API/menu/1", "/Api/anything"]
    {
        assert_eq!(of(path), (Decision::Reject(Rejection::PathAmbiguous), None), "{path}");
    }
    let missing = Decision::Reject(Rejection::TokenMissing);
    assert_eq!(
        of("/api/open/"),
        (missing.clone(), Some("api/rest".to_owned())),
        "the stricter rule may apply"
    );
    assert_eq!(of("/api/other/"), (missing, Some("api/rest".to_owned())), "the same rule in both readings");
    assert_eq!(of("/site/"), (ANONYMOUS, Some("site/all".to_owned())));
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
    assert_eq!(
        (found.decision, found.observed),
        (Decision::Forward(vec![].into()), Some(Rejection::PathAmbiguous))
    );
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
fn letters_of_every_script_are_folded_by_some_server() {
    let rules = json!([
        { "name": "strict", "paths": ["/caf\u{e9}", "/kitchen"] },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    for path in ["/CAF%C3%89", "/caf%C3%89", "/%E2%84%AAitchen", "/KITCHEN"] {
        let found = verdict(&policy, &format!("GET {path}"), &[]);
        assert_eq!(found.decision, Decision::Reject(Rejection::PathAmbiguous), "{path}");
    }
    assert_eq!(verdict(&policy, "GET /cafe", &[]).decision, Decision::Forward(vec![].into()));
}

#[test]
fn the_letters_that_a_setting_folds_are_those_of_ascii() {
    let rules = json!([
        { "name": "cafe", "paths": ["/caf\u{e9}", "/kitchen"], "access": "public" },
        { "name": "rest", "paths": ["/**"] },
    ]);
    let policy = policy_with(json!({ "paths": { "letters": "folded" } }), json!({}), rules);
    for (path, expected) in [
        ("/CAF%C3%A9", ANONYMOUS),
        ("/KITCHEN", ANONYMOUS),
        ("/caf%C3%89", Decision::Reject(Rejection::TokenMissing)),
        ("/%E2%84%AAitchen", Decision::Reject(Rejection::TokenMissing)),
    ] {
        assert_eq!(verdict(&policy, &format!("GET {path}"), &[]).decision, expected, "{path}");
    }
}

#[test]
fn a_character_that_is_encoded_without_need_comes_to_no_laxer_rule() {
    let open = json!({ "access": "public" });
    let closed = json!({ "access": "authenticated" });
    for (one, other) in [(&open, &closed), (&closed, &open)] {
        let mut rules = json!([{ "name": "comma", "paths": ["/a,b"] }, { "name": "rest", "paths": ["/**"] }]);
        rules[0]["access"] = one["access"].clone();
        rules[1]["access"] = other["access"].clone();
        let policy = policy_with(json!({}), json!({}), rules);
        let of = |path: &str| verdict(&policy, &format!("GET {path}"), &[]).decision;
        // Express takes these for the rest, nearly everybody else for the first.
        for path in ["/a%2Cb", "/a%2cb"] {
            assert!(matches!(of(path), Decision::Reject(_)), "{path} where the rest is {other}");
        }
        assert_eq!(matches!(of("/a,b"), Decision::Forward(_)), one == &open);
        assert_eq!(matches!(of("/c%2Cd"), Decision::Forward(_)), other == &open);
    }
}

#[test]
fn nothing_at_the_end_of_a_path_may_be_a_segment_to_some_server() {
    let rules = json!([
        { "name": "item", "paths": ["/items/{id}"] },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    let of = |path: &str| verdict(&policy, &format!("GET {path}"), &[]).decision;
    assert_eq!(of("/items/"), Decision::Reject(Rejection::PathAmbiguous));
    assert_eq!(of("/items"), ANONYMOUS);
    assert_eq!(of("/other/"), ANONYMOUS);
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
    let public = |edits: Vec<Edit>| (Decision::Forward(edits.into()), Some("menu".to_owned()));
    let refused = |rejection| (Decision::Reject(rejection), None);
    for (setting, value, path) in [
        ("letters", "folded", "/Menu/1"),
        ("trailing_slash", "folded", "/menu/1/"),
        ("parameters", "keep", "/menu;v=1/1;x=2"),
        ("encoded_slash", "keep", "/menu/a%2Fb"),
    ] {
        assert_eq!(of(json!({ setting: value }), path), public(vec![]), "{setting} {path}");
        let strict = of(json!({}), path).0;
        assert_ne!(strict, Decision::Forward(vec![].into()), "{path} without the setting");
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
        (json!({ "parameters": "keep" }), "/menu/1%3Bx"),
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

#[test]
fn a_reading_that_comes_to_a_policy_where_no_rule_names_it_is_refused() {
    let scope = |name: &str, prefix: &str, mode: &str, rules: Value| json!({ "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "mode": mode, "rules": rules });
    let site =
        |mode| scope("site", "/", mode, json!([{ "name": "all", "paths": ["/**"], "access": "public" }]));
    let admin = scope(
        "admin",
        "/admin",
        "enforce",
        json!([
            { "name": "look", "methods": ["GET"], "paths": ["/admin/users/*"], "require": { "any_role": ["admin"] } },
        ]),
    );
    for mode in ["enforce", "observe"] {
        let policy = policy_with(json!({ "policies": [site(mode), admin] }), json!({}), json!([]));
        assert!(is_forwarded(&policy, "DELETE /other"));
        for request in ["DELETE /admin/users/1", "GET /admin/users/1"] {
            assert!(!is_forwarded(&policy, request), "{mode} {request}");
        }
        // Express and IIS fold letters, IIS drops dots and spaces.
        for request in [
            "GET /Admin/users/1",
            "DELETE /Admin/users/1",
            "POST /ADMIN/other",
            "DELETE /admin./users/1",
            "DELETE /admin%20/users/1",
        ] {
            assert!(!is_forwarded(&policy, request), "{mode} {request}");
        }
    }
}

#[test]
fn a_reading_that_comes_to_no_policy_at_all_is_refused() {
    // Express compares reserved characters as the client wrote them: to it, this is not below the prefix.
    let scope = |mode: &str| json!({ "name": "site", "hosts": ["*"], "prefix": "/a,b", "issuers": ["own"], "mode": mode, "rules": [{ "name": "all", "paths": ["/a,b/**"], "access": "public" }] });
    let of = |outer: &str, inner: &str, request: &str| {
        let document = json!({ "mode": outer, "policies": [scope(inner)] });
        is_forwarded(&policy_with(document, json!({}), json!([])), request)
    };
    assert!(of("enforce", "enforce", "GET /a,b/x"));
    for (outer, inner) in [("enforce", "enforce"), ("enforce", "observe"), ("observe", "enforce")] {
        assert!(!of(outer, inner, "GET /a%2Cb/x"), "{outer} {inner}");
    }
    assert!(of("observe", "observe", "GET /a%2Cb/x"));
}

#[test]
fn letters_that_a_simple_mapping_makes_one_are_folded() {
    let rules = json!([
        { "name": "strict", "paths": ["/admin", "/stra\u{df}e"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    // Java's equalsIgnoreCase and Spring's case-insensitive PathPattern: U+0130 is an i, U+1E9E a sharp s.
    for path in ["/adm%C4%B0n", "/stra%E1%BA%9Ee"] {
        let found = verdict(&policy, &format!("GET {path}"), &[]);
        assert_eq!(found.decision, Decision::Reject(Rejection::PathAmbiguous), "{path}");
    }
}

#[test]
fn a_parameter_of_the_path_is_nobodys_where_some_server_ends_the_path_in_it_or_trims_it() {
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
fn an_encoded_end_of_the_path_and_a_space_before_a_segment_hide_no_rule() {
    let rules = json!([
        { "name": "admin", "paths": ["/admin"], "require": { "any_role": ["admin"] } },
        { "name": "rest", "paths": ["/**"], "access": "public" },
    ]);
    let policy = policy_with(json!({}), json!({}), rules);
    // The third: Spring before 4.3 trims tokens on both sides (CVE-2016-5007).
    for path in ["/admin%3Fx", "/admin%23x", "/%20admin"] {
        assert!(!is_forwarded(&policy, &format!("GET {path}")), "{path}");
    }
}
