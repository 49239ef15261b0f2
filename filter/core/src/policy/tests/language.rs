//! Modes, sources of tokens, conditions, challenges, paths, and what the upstream is told.

use super::*;

#[test]
fn each_mistake_in_a_later_part_of_the_language_is_named_with_the_path_of_its_field() {
    for (pointer, value, expected) in [
        ("/mode", json!("report"), "mode: `report` is not one of `enforce`, `observe`"),
        (
            "/revocations",
            json!({}),
            "revocations: unknown field; known here: version, issuers, policies, mode, credentials, challenge, paths, forward",
        ),
        ("/credentials", json!([]), "credentials: must not be empty"),
        ("/credentials", json!([{}]), "credentials[0]: must hold exactly one of `header`, `cookie`, `query`"),
        (
            "/credentials",
            json!([{ "header": "authorization" }]),
            "credentials[0].header: `authorization` needs a `scheme`",
        ),
        (
            "/credentials",
            json!([{ "header": "cookie" }]),
            "credentials[0].header: `cookie` has a meaning of its own",
        ),
        ("/credentials", json!([{ "header": "x_original_url" }]), "has a meaning of its own"),
        ("/credentials", json!([{ "header": "x-user-id" }]), "`x-user-id` is removed from what clients send"),
        ("/credentials", json!([{ "cookie": "t" }]), "credentials[0]: a `cookie` needs `allowed_origins`"),
        (
            "/credentials",
            json!([{ "cookie": "t", "allowed_origins": ["https://a.test/"] }]),
            "credentials[0].allowed_origins[0]: must be an origin",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "one_of": [1, 1.0] }] }),
            "one_of[1]: stands in the list twice",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "equals": 1 }, { "path": ["a"], "equals": 1.0 }] }),
            "claims[1]: stands in the list twice",
        ),
        (
            "/credentials",
            json!([{ "query": "t", "scheme": "x" }]),
            "credentials[0]: `scheme` goes with `header`",
        ),
        (
            "/credentials",
            json!([{ "header": "x-a" }, { "header": "x_a", "scheme": "B" }]),
            "credentials[1]: names the same place as an earlier one",
        ),
        ("/challenge", json!({}), "challenge: must hold `realm` or `resource_metadata`"),
        ("/challenge", json!({ "realm": "a\"b" }), "challenge.realm: must be at most 256 characters"),
        (
            "/challenge",
            json!({ "resource_metadata": "api.test" }),
            "challenge.resource_metadata: must be an absolute",
        ),
        (
            "/paths",
            json!({ "letters": "ignored" }),
            "paths.letters: `ignored` is not one of `exact`, `folded`",
        ),
        ("/policies/0/cors_preflight", json!(true), "policies[0].cors_preflight: must be a string"),
        ("/policies/0/rules/0/mode", json!("off"), "policies[0].rules[0].mode: `off` is not one of"),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"] }] }),
            "require.claims[0]: must hold exactly one of `equals`, `one_of`, `contains`, `equals_param`",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "equals": 1.5 }] }),
            "require.claims[0].equals: must be a whole number",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "one_of": [i64::MIN, 1] }] }),
            "require.claims[0].one_of[0]: must be a whole number",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "equals": ["a"] }] }),
            "require.claims[0].equals: must be a string",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["a"], "equals_param": "id" }] }),
            "rules[0].require: every path of the rule needs the parameter `{id}`",
        ),
        ("/forward", json!({ "token": "drop" }), "forward.token: `drop` is not one of `keep`, `remove`"),
        ("/forward", json!({ "keep": ["x-user-id"] }), "forward.keep[0]: `x-user-id` is not one of"),
        (
            "/forward",
            json!({ "headers": { "x-a": { "from": "subject", "claim": ["a"] } } }),
            "forward.headers.x-a: must hold exactly one of `from`",
        ),
        ("/credentials", json!([{ "header": "x_forwarded_for" }]), "has a meaning of its own"),
        ("/credentials", json!([{ "header": "Sec-Fetch-Site" }]), "has a meaning of its own"),
        ("/credentials", json!([{ "header": "origin" }]), "has a meaning of its own"),
        ("/credentials", json!([{ "query": "t" }, { "query": "T" }]), "credentials[1]: names the same place"),
        (
            "/credentials",
            json!([{ "cookie": "t", "allowed_origins": ["https://a.test:443"] }]),
            "credentials[0].allowed_origins[0]: must be an origin",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [{ "path": ["scope"], "contains": "" }] }),
            "require.claims[0].contains: must be a string of 1 to",
        ),
    ] {
        let text = problems(&changed(pointer, value.clone()));
        assert!(text.contains(expected), "{pointer} = {value}:\n{text}");
    }
}

#[test]
fn claims_are_kept_apart_by_issuer_as_roles_are() {
    let with = |rule: Value, forward: Value| {
        let mut document = issuers::with_second_issuer([
            json!({ "granted_roles": ["admin"] }),
            json!({ "role_prefix": "ext:" }),
        ]);
        document["policies"][0]["issuers"] = json!(["own", "second"]);
        document["policies"][0]["rules"] = json!([with_paths(rule)]);
        document["forward"] = forward;
        document
    };
    let plain =
        json!({ "headers": { "x-user-id": { "from": "subject" }, "x-user-issuer": { "from": "issuer" } } });
    let claims =
        |path: &str| json!({ "name": "all", "require": { "claims": [{ "path": [path], "equals": "a" }] } });
    assert!(problems(&with(claims("tenant"), plain.clone())).contains("`claims` goes with one issuer"));
    let mut narrowed = claims("tenant");
    narrowed["issuers"] = json!(["own"]);
    Policy::compile(&with(narrowed, plain.clone()), &no_secrets).unwrap();
    let mut roles = claims("roles");
    roles["issuers"] = json!(["own"]);
    assert!(problems(&with(roles, plain)).contains("use `any_role` or `all_roles`"));

    let any = || json!({ "name": "all" });
    let tenant = json!({ "headers": { "x-tenant": { "claim": ["tenant"] } } });
    assert!(problems(&with(any(), tenant)).contains("the issuer must travel with"));
    let roles = json!({ "headers": { "x-roles": { "claim": ["roles"] }, "x-issuer": { "from": "issuer" } } });
    assert!(problems(&with(any(), roles)).contains("write `{ from: roles }`"));
}

#[test]
fn what_every_server_behind_folds_is_the_same_rule_and_the_same_prefix() {
    let rules = |first: &str, second: &str| json!([{ "name": "a", "paths": [first], "access": "public" }, { "name": "b", "paths": [second] }]);
    for (paths, first, second) in [
        (json!({ "letters": "folded" }), "/api/Admin", "/api/admin"),
        (json!({ "trailing_slash": "folded" }), "/api/admin/", "/api/admin"),
        (json!({ "letters": "folded", "trailing_slash": "folded" }), "/api/CAF\u{c9}", "/api/caf\u{e9}/"),
    ] {
        let mut document = changed("/policies/0/rules", rules(first, second));
        Policy::compile(&document, &no_secrets).unwrap();
        document["paths"] = paths;
        assert!(problems(&document).contains("the rule `b` can never match"), "{first} {second}");
    }
    let mut document = changed("/paths", json!({ "letters": "folded" }));
    let mut second = document["policies"][0].clone();
    second["name"] = json!("second");
    second["prefix"] = json!("/API");
    second["rules"] = json!([{ "name": "all", "paths": ["/API/**"] }]);
    document["policies"].as_array_mut().unwrap().push(second);
    assert!(problems(&document).contains("name the same host and the same prefix"));
}

#[test]
fn a_client_never_writes_the_usual_identity_headers_whatever_the_policy_sends() {
    let policy = Policy::compile(&changed("/forward", json!({ "headers": {} })), &no_secrets).unwrap();
    for name in ["x-user-id", "X_User_Roles", "x.user.issuer"] {
        assert!(policy.forwarding().removes(name.as_bytes()), "{name}");
    }
}

#[test]
fn what_a_policy_weakens_can_be_listed() {
    let strict = Policy::compile(&document(), &no_secrets).unwrap();
    assert_eq!(strict.weakenings(), []);
    let mut document = changed("/issuers/own/algorithms", json!(["HS256"]));
    document["issuers"]["own"]["keys"] = json!({ "secrets_env": ["SECRET"] });
    document["issuers"]["own"]["accept_missing"] = json!(["iss", "aud"]);
    document["issuers"]["own"]["token_types"] = json!(["JWT"]);
    let weak = Policy::compile(&document, &|_| Some(b"0123456789abcdef0123456789abcdef".to_vec())).unwrap();
    let found = weak.weakenings();
    assert_eq!(found.iter().filter(|found| found.text.starts_with("issuer `own` ")).count(), 4, "{found:?}");
    assert!(found.iter().all(|found| holds(&document, &found.path)), "{found:?}");

    let mut document = changed("/mode", json!("observe"));
    document["policies"][0]["rules"] = json!([{ "name": "a", "paths": ["/api/a"] }, { "name": "b", "paths": ["/api/b"], "mode": "enforce" }]);
    let open = "http://app.test:8080";
    let origins = [
        open,
        "https://app.test",
        "http://localhost:3000",
        "http://a.localhost:1",
        "http://127.0.0.1",
        "http://[::1]",
    ];
    document["credentials"] = json!([{ "query": "t" }, { "cookie": "t", "allowed_origins": origins }]);
    document["paths"] = json!({ "encoded_slash": "keep", "parameters": "keep", "letters": "folded", "trailing_slash": "folded", "non_canonical": "replace" });
    document["forward"] = json!({ "keep": ["x-original-url"] });
    let found = Policy::compile(&document, &no_secrets).unwrap().weakenings();
    let named =
        ["the document", "policy `api`", "rule `api/a`", "`credentials`", "`paths`", "`forward.keep`"];
    let count = |name: &str| found.iter().filter(|found| found.text.starts_with(name)).count();
    assert_eq!(
        named.map(count),
        [1, 0, 0, 2, 5, 1],
        "what is taken over from the document is said once: {found:?}"
    );
    assert!(found.iter().any(|found| found.text.contains(open)), "{found:?}");
    assert!(found.iter().all(|found| holds(&document, &found.path)), "{found:?}");

    document["mode"] = json!("enforce");
    document["policies"][0]["mode"] = json!("observe");
    let of_policy = Policy::compile(&document, &no_secrets).unwrap().weakenings();
    assert!(of_policy.iter().any(|found| found.path == "policies[0].mode"), "{of_policy:?}");
    document["policies"][0]["mode"] = json!("enforce");
    document["policies"][0]["rules"][1]["mode"] = json!("observe");
    let of_rule = Policy::compile(&document, &no_secrets).unwrap().weakenings();
    assert!(of_rule.iter().any(|found| found.path == "policies[0].rules[1].mode"), "{of_rule:?}");
}

/// Whether the field stands in the document.
fn holds(document: &Value, path: &str) -> bool {
    document.pointer(&format!("/{}", path.replace(['.', '['], "/").replace(']', ""))).is_some()
}

#[test]
fn where_policies_name_hosts_no_client_names_another_to_the_upstream() {
    let compiled = |document: &Value| Policy::compile(document, &no_secrets).unwrap();
    let mut document = changed("/policies/0/hosts", json!(["api.test"]));
    let policy = compiled(&document);
    assert!(policy.names_hosts());
    for name in ["x-forwarded-host", "X_Forwarded_Host", "forwarded", "x-original-host", "x-host"] {
        assert!(policy.forwarding().removes(name.as_bytes()), "{name}");
    }
    document["forward"] = json!({ "keep": ["x-forwarded-host"] });
    let keeping = compiled(&document);
    assert!(!keeping.forwarding().removes(b"x-forwarded-host"));
    assert!(keeping.forwarding().removes(b"x-host"));
    let anywhere = compiled(&changed("/mode", json!("enforce")));
    assert!(!anywhere.forwarding().removes(b"x-forwarded-host"), "where no decision rests on the host");
}
