mod deny_list;
mod issuers;
mod language;
mod revocations;

use super::*;
use crate::issuer::Issuer;
use serde_json::json;

fn no_secrets(_: &str) -> Option<Vec<u8>> {
    None
}

fn document() -> Value {
    json!({
        "version": 1,
        "issuers": { "own": {
            "iss": "http://issuer.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "remote": { "cluster": "issuer", "uri": "http://issuer.test/jwks.json" } },
        } },
        "policies": [{
            "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"],
            "rules": [{ "name": "all", "paths": ["/api/**"] }],
        }],
    })
}

/// The document with the value at a JSON pointer replaced; `null` removes it.
fn changed(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(last)),
        (Value::Object(members), value) => drop(members.insert(last.to_owned(), value)),
        (Value::Array(items), value) => items.insert(last.parse().unwrap(), value),
        _ => panic!("{pointer} leads nowhere"),
    }
    document
}

fn problems(document: &Value) -> String {
    match Policy::compile(document, &no_secrets) {
        Ok(_) => panic!("nothing wrong with {document}"),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn the_smallest_policy_compiles() {
    let policy = Policy::parse(document().to_string().as_bytes(), &no_secrets).unwrap();
    let (_, issuer) = policy.issuers().next().unwrap();
    let KeySource::Remote(remote) = &issuer.keys else { panic!("{issuer:?}") };
    assert_eq!(
        (remote.scheme.as_str(), remote.authority.as_str(), remote.path.as_str()),
        ("http", "issuer.test", "/jwks.json")
    );
    assert_eq!((remote.refresh_seconds, remote.timeout_ms, remote.wait_ms), (300, 2000, 2000));
}

#[test]
fn each_mistake_is_named_with_the_path_of_its_field() {
    for (pointer, value, expected) in [
        ("/version", json!(2), "version: must be a whole number from 1 to 1"),
        ("/version", json!(null), "version: is missing"),
        ("/version", json!("1"), "version: must be a whole number, but is a string"),
        ("/polices", json!([]), "polices: unknown field; did you mean `policies`?"),
        ("/issuers", json!({}), "issuers: must name 1 to 32"),
        ("/issuers/Own", json!({}), "issuers.Own: the name must be 1 to 32 characters"),
        ("/issuers/own/iss", json!(null), "issuers.own.iss: is missing"),
        ("/issuers/own/iss", json!(""), "issuers.own.iss: must not be empty"),
        ("/issuers/own/audiences", json!([]), "issuers.own.audiences: must not be empty"),
        ("/issuers/own/audiences", json!("api"), "issuers.own.audiences: must be a list, but is a string"),
        ("/issuers/own/audiences", json!(["a", "a"]), "issuers.own.audiences[1]: stands in the list twice"),
        (
            "/issuers/own/algorithms",
            json!(["ES512"]),
            "issuers.own.algorithms[0]: `ES512` is not one of `EdDSA`, `ES256`",
        ),
        ("/issuers/own/algorithms", json!(["none"]), "issuers.own.algorithms[0]: `none` is not one of"),
        (
            "/issuers/own/algorithms",
            json!(["HS256"]),
            "issuers.own.keys: HS256, HS384 and HS512 go with `secrets_env`",
        ),
        ("/issuers/own/token_types", json!(null), "issuers.own.token_types: is missing"),
        (
            "/issuers/own/leeway_seconds",
            json!(301),
            "issuers.own.leeway_seconds: must be a whole number from 0 to 300",
        ),
        ("/issuers/own/leeway_seconds", json!(1.5), "issuers.own.leeway_seconds: must be a whole number"),
        (
            "/issuers/own/accept_missing",
            json!(["exp"]),
            "issuers.own.accept_missing[0]: `exp` is not one of `iss`, `aud`",
        ),
        (
            "/issuers/own/accept_missing",
            json!(["iss"]),
            "issuers.own.keys.remote: an issuer that accepts tokens without `iss`",
        ),
        ("/issuers/own/revocation_list", json!({}), "issuers.own.revocation_list: unknown field"),
        ("/issuers/own/keys", json!({}), "issuers.own.keys: must hold exactly one of"),
        ("/issuers/own/keys/jwks", json!({ "keys": [] }), "issuers.own.keys: must hold exactly one of"),
        (
            "/issuers/own/keys",
            json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AA" }] } }),
            "issuers.own.keys.jwks.keys[0].k: private",
        ),
        (
            "/issuers/own/keys/remote/uri",
            json!("issuer.test/jwks"),
            "issuers.own.keys.remote.uri: must be an absolute http or https URI",
        ),
        (
            "/issuers/own/keys/remote/uri",
            json!("http://u@issuer.test/"),
            "issuers.own.keys.remote.uri: must be an absolute",
        ),
        (
            "/issuers/own/keys/remote/refresh_seconds",
            json!(1),
            "issuers.own.keys.remote.refresh_seconds: must be a whole number from 10",
        ),
        ("/issuers/own/claims", json!({ "subject": "sub" }), "issuers.own.claims.subject: must be a list"),
        (
            "/issuers/own/claims",
            json!({ "subject": [] }),
            "issuers.own.claims.subject: must be a list of 1 to 8",
        ),
        (
            "/issuers/own/claims",
            json!({ "role_prefix": "a:", "granted_roles": ["b"] }),
            "issuers.own.claims: `role_prefix` and `granted_roles` exclude",
        ),
        (
            "/issuers/own/claims",
            json!({ "granted_roles": ["a,b"] }),
            "issuers.own.claims.granted_roles[0]: a role must be",
        ),
        ("/policies/0/name", json!(null), "policies[0].name: is missing"),
        ("/policies/0/name", json!("A b"), "policies[0].name: the name must be"),
        ("/policies/0/hosts", json!(["a..b"]), "policies[0].hosts[0]: must be `*`"),
        ("/policies/0/prefix", json!("/api/"), "policies[0].prefix: must be a plain path"),
        (
            "/policies/0/issuers",
            json!(["other"]),
            "policies[0].issuers[0]: `other` is not one of the `issuers`: `own`",
        ),
        ("/policies/0/rules", json!([]), "policies[0].rules: must not be empty"),
        (
            "/policies/0/rules/0/acess",
            json!("public"),
            "policies[0].rules[0].acess: unknown field; did you mean `access`?",
        ),
        (
            "/policies/0/rules/0/access",
            json!("open"),
            "policies[0].rules[0].access: `open` is not one of `authenticated`, `optional`, `public`",
        ),
        ("/policies/0/rules/0/paths", json!(["api"]), "policies[0].rules[0].paths[0]: must begin with `/`"),
        (
            "/policies/0/rules/0/paths",
            json!(["/other"]),
            "policies[0].rules[0].paths: a path outside the policy's `prefix`",
        ),
        (
            "/policies/0/rules/0/methods",
            json!(["get"]),
            "policies[0].rules[0].methods[0]: `get` is no known method",
        ),
        (
            "/policies/0/rules/0/methods",
            json!(["CONNECT"]),
            "policies[0].rules[0].methods[0]: CONNECT is always refused",
        ),
        (
            "/policies/0/rules/0/require",
            json!({}),
            "policies[0].rules[0].require: must hold `any_role`, `all_roles` or `claims`",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "claims": [] }),
            "policies[0].rules[0].require.claims: must not be empty",
        ),
        (
            "/policies/0/rules/0/require",
            json!({ "any_role": [] }),
            "policies[0].rules[0].require.any_role: must not be empty",
        ),
        (
            "/forward",
            json!({ "headers": { "authorization": { "from": "subject" } } }),
            "forward.headers.authorization: `authorization` has a meaning",
        ),
        (
            "/forward",
            json!({ "headers": { "x-forwarded-for": { "from": "subject" } } }),
            "forward.headers.x-forwarded-for: `x-forwarded-for` has",
        ),
        (
            "/forward",
            json!({ "headers": { "x id": { "from": "subject" } } }),
            "forward.headers.x id: a header name must be",
        ),
        (
            "/forward",
            json!({ "headers": { "x-id": { "from": "email" } } }),
            "forward.headers.x-id.from: `email` is not one of",
        ),
        (
            "/forward",
            json!({ "headers": { "x-id": { "from": "subject" }, "X_Id": { "from": "roles" } } }),
            "the same header in another spelling",
        ),
        (
            "/forward",
            json!({ "headers": { "x-original-url": { "from": "subject" } } }),
            "forward.headers.x-original-url: `x-original-url` has a meaning",
        ),
        (
            "/policies/0/rules/0/methods",
            json!(["DELTE"]),
            "policies[0].rules[0].methods[0]: `DELTE` is no known method",
        ),
        (
            "/policies/0/rules/0/paths",
            json!(["/api/menu/:id"]),
            "policies[0].rules[0].paths[0]: has `:id`, which looks like",
        ),
        ("/forward", json!({ "tokens": "remove" }), "forward.tokens: unknown field; did you mean `token`?"),
    ] {
        let text = problems(&changed(pointer, value.clone()));
        assert!(text.contains(expected), "{pointer} = {value}:\n{text}");
    }
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let mut document = changed("/version", json!(3));
    document["extra"] = json!(1);
    document["issuers"]["own"]["algorithms"] = json!(["none"]);
    document["issuers"]["own"]["leeway_seconds"] = json!(-1);
    document["policies"][0]["rules"][0]["acess"] = json!("public");
    document["policies"][0]["prefix"] = json!("api");
    document["forward"] = json!([]);
    let text = problems(&document);
    for field in [
        "version: ",
        "extra: ",
        "issuers.own.algorithms[0]: ",
        "issuers.own.leeway_seconds: ",
        "policies[0].rules[0].acess: ",
        "policies[0].prefix: ",
        "forward: ",
    ] {
        assert_eq!(text.lines().filter(|line| line.starts_with(field)).count(), 1, "{field}\n{text}");
    }
    assert_eq!(text.lines().count(), 7, "{text}");
}

#[test]
fn the_number_of_problems_is_bounded() {
    let mut document = document();
    for index in 0..1000 {
        document[format!("unknown{index}")] = json!(1);
    }
    assert_eq!(problems(&document).lines().count(), crate::problem::MAX_PROBLEMS);
}

#[test]
fn a_public_or_optional_rule_requires_nothing() {
    for access in ["public", "optional"] {
        let mut document = changed("/policies/0/rules/0/access", json!(access));
        assert!(Policy::compile(&document, &no_secrets).is_ok());
        document["policies"][0]["rules"][0]["require"] = json!({ "any_role": ["admin"] });
        assert!(
            problems(&document)
                .contains("policies[0].rules[0].require: only goes with `access: authenticated`")
        );
    }
    let mut document = changed("/policies/0/rules/0/access", json!("public"));
    document["policies"][0]["rules"][0]["issuers"] = json!(["own"]);
    assert!(problems(&document).contains("`issuers` means nothing here"));
}

#[test]
fn two_policies_that_tie_or_two_of_one_name_are_an_error() {
    let second = document()["policies"][0].clone();
    let text = problems(&changed("/policies/1", second.clone()));
    assert!(text.contains("policies: `api` and `api` name the same host and the same prefix"), "{text}");
    let mut other = second;
    other["prefix"] = json!("/api/v2");
    other["rules"][0]["paths"] = json!(["/api/v2/**"]);
    let text = problems(&changed("/policies/1", other.clone()));
    assert!(text.contains("two policies are called `api`") && !text.contains("same prefix"), "{text}");
    other["name"] = json!("v2");
    assert!(Policy::compile(&changed("/policies/1", other.clone()), &no_secrets).is_ok());
    for prefix in ["/API", "/api.", "/Api%20"] {
        other["prefix"] = json!(prefix);
        other["rules"][0]["paths"] = json!([format!("{prefix}/**")]);
        let text = problems(&changed("/policies/1", other.clone()));
        assert!(text.contains("the same prefix, or one that some server takes for it"), "{prefix}: {text}");
        let mut apart = other.clone();
        apart["hosts"] = json!(["api.test"]);
        assert!(Policy::compile(&changed("/policies/1", apart), &no_secrets).is_ok(), "{prefix}");
    }
    let rule = document()["policies"][0]["rules"][0].clone();
    assert!(
        problems(&changed("/policies/0/rules/1", with_paths(rule))).contains("two rules are called `all`")
    );
}

fn with_paths(mut rule: Value) -> Value {
    rule["paths"] = json!(["/api/other"]);
    rule
}

#[test]
fn numbers_may_come_as_doubles() {
    let text = document().to_string().replace("\"version\":1", "\"version\":1.0");
    assert!(Policy::parse(text.as_bytes(), &no_secrets).is_ok());
}

#[test]
fn a_field_whose_value_was_forgotten_is_an_error_and_never_something_wider() {
    for (pointer, field) in [
        ("/policies/0/rules/0/require", "policies[0].rules[0].require"),
        ("/policies/0/rules/0/methods", "policies[0].rules[0].methods"),
        ("/policies/0/rules/0/issuers", "policies[0].rules[0].issuers"),
        ("/issuers/own/claims", "issuers.own.claims"),
        ("/issuers/own/iss", "issuers.own.iss"),
        ("/forward", "forward"),
    ] {
        let mut document = changed(pointer, json!("to be replaced"));
        *document.pointer_mut(pointer).unwrap() = Value::Null;
        let text = problems(&document);
        assert_eq!(text, format!("{field}: has no value: give it one, or leave the field out"));
    }
}

#[test]
fn a_rule_that_can_never_match_is_an_error() {
    let with_rules = |rules: Value| {
        let mut document = document();
        document["policies"][0]["rules"] = rules;
        Policy::compile(&document, &no_secrets)
    };
    let text = with_rules(json!([
        { "name": "all", "paths": ["/api/**"], "access": "public" },
        { "name": "edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
    ]))
    .unwrap_err()
    .to_string();
    assert_eq!(
        text,
        "policies[0].rules: the rule `edit` can never match: `all` stands before it and takes all of it"
    );
    let fine = with_rules(json!([
        { "name": "read", "methods": ["GET"], "paths": ["/api/**"] },
        { "name": "menu", "paths": ["/api/menu"] },
        { "name": "one", "methods": ["PUT"], "paths": ["/api/*"] },
        { "name": "rest", "methods": ["PUT", "POST"], "paths": ["/api/**"] },
    ]));
    assert!(fine.is_ok(), "{fine:?}");
    let head = with_rules(json!([
        { "name": "read", "methods": ["GET"], "paths": ["/api/**"] },
        { "name": "head", "methods": ["HEAD"], "paths": ["/api/menu"] },
    ]));
    assert!(head.unwrap_err().to_string().contains("`head` can never match"), "GET implies HEAD");
}

#[test]
fn a_path_below_the_longer_prefix_of_another_policy_is_an_error_where_it_has_the_same_hosts() {
    let strict = json!({ "name": "admin", "paths": ["/api/admin/**"], "require": { "any_role": ["admin"] } });
    let scope = |name: &str, hosts: Value, prefix: &str, rule: &Value| json!({ "name": name, "hosts": hosts, "prefix": prefix, "issuers": ["own"], "rules": [rule] });
    let open = json!({ "name": "all", "paths": ["/api/**"], "access": "public" });
    let found = |hosts: Value, paths: Value| {
        let mut document = changed("/paths", paths);
        let prefix = if document["paths"] == json!({}) { "/api" } else { "/API" };
        let mut open = open.clone();
        open["paths"] = json!([format!("{prefix}/**")]);
        document["policies"] =
            json!([scope("site", hosts, "/", &strict), scope("api", json!(["*", "a.test"]), prefix, &open)]);
        Policy::compile(&document, &no_secrets).map_err(|problems| problems.to_string()).err()
    };
    let expected = "a path of the rule `site/admin` can never match";
    for (hosts, paths) in [
        (json!(["*"]), json!({})),
        (json!(["*", "a.test"]), json!({})),
        (json!(["*"]), json!({ "letters": "folded" })),
    ] {
        assert!(found(hosts.clone(), paths).is_some_and(|text| text.contains(expected)), "{hosts}");
    }
    assert_eq!(found(json!(["*", "b.test"]), json!({})), None, "on the other host it can");
}
