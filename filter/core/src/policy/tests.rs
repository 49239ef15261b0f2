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
    assert_eq!((remote.refresh_seconds, remote.timeout_ms), (300, 2000));
}

#[test]
fn each_mistake_is_named_with_the_path_of_its_field() {
    for (pointer, value, expected) in [
        ("/version", json!(2), "version: must be a whole number from 1 to 1"),
        ("/version", json!(null), "version: is missing"),
        ("/version", json!("1"), "version: must be a whole number, but is a string"),
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
        ("/credentials", json!([{ "header": "x-user-id" }]), "`x-user-id` is an identity header"),
        ("/credentials", json!([{ "cookie": "t" }]), "credentials[0]: a `cookie` needs `allowed_origins`"),
        (
            "/credentials",
            json!([{ "cookie": "t", "allowed_origins": ["https://a.test/"] }]),
            "credentials[0].allowed_origins[0]: must be an origin",
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
        ("/issuers/own/revocations", json!({}), "issuers.own.revocations: unknown field"),
        ("/issuers/own/keys", json!({}), "issuers.own.keys: must hold exactly one of"),
        ("/issuers/own/keys/jwks", json!({ "keys": [] }), "issuers.own.keys: must hold exactly one of"),
        (
            "/issuers/own/keys",
            json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AA" }] } }),
            "issuers.own.keys.jwks: keys[0].k: private",
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
    assert!(Policy::compile(&changed("/policies/1", other), &no_secrets).is_ok());
    let rule = document()["policies"][0]["rules"][0].clone();
    assert!(
        problems(&changed("/policies/0/rules/1", with_paths(rule))).contains("two rules are called `all`")
    );
}

fn with_paths(mut rule: Value) -> Value {
    rule["paths"] = json!(["/api/other"]);
    rule
}

fn with_second_issuer(claims: [Value; 2]) -> Value {
    let mut document = document();
    let mut second = document["issuers"]["own"].clone();
    second["iss"] = json!("http://second.test");
    document["issuers"]["second"] = second;
    for (issuer, claims) in ["own", "second"].into_iter().zip(claims) {
        document["issuers"][issuer]["claims"] = claims;
    }
    document
}

#[test]
fn several_issuers_are_kept_apart() {
    let good =
        with_second_issuer([json!({ "granted_roles": ["admin"] }), json!({ "role_prefix": "staff:" })]);
    assert!(Policy::compile(&good, &no_secrets).is_ok());

    let text = problems(&with_second_issuer([json!({}), json!({ "role_prefix": "staff:" })]));
    assert!(text.contains("issuers.own: with several issuers each needs"), "{text}");

    let mut same_iss = good.clone();
    same_iss["issuers"]["second"]["iss"] = json!("http://issuer.test");
    assert!(problems(&same_iss).contains("`own` and `second` have the same `iss`"));

    let mut anonymous = good;
    anonymous["forward"] = json!({ "headers": { "x-id": { "from": "subject" } } });
    assert!(problems(&anonymous).contains("forward.headers: with several issuers the issuer must travel"));
    anonymous["forward"]["headers"]["x-issuer"] = json!({ "from": "issuer" });
    assert!(Policy::compile(&anonymous, &no_secrets).is_ok());
}

#[test]
fn at_most_one_issuer_accepts_tokens_without_iss() {
    let mut document = with_second_issuer([json!({ "role_prefix": "a:" }), json!({ "role_prefix": "b:" })]);
    for issuer in ["own", "second"] {
        document["issuers"][issuer]["accept_missing"] = json!(["iss"]);
        document["issuers"][issuer]["keys"] = json!({ "jwks": { "keys": [] } });
    }
    assert!(problems(&document).contains("both accept tokens without `iss`"));
}

#[test]
fn a_role_that_nobody_may_grant_is_an_error() {
    let mut document =
        with_second_issuer([json!({ "granted_roles": ["admin"] }), json!({ "role_prefix": "staff:" })]);
    document["policies"][0]["issuers"] = json!(["own", "second"]);
    let rule = |role: &str| {
        let mut document = document.clone();
        document["policies"][0]["rules"][0]["require"] = json!({ "any_role": [role] });
        Policy::compile(&document, &no_secrets)
    };
    assert!(rule("admin").is_ok());
    assert!(rule("staff:chef").is_ok());
    for role in ["chef", "staff:", "Admin"] {
        assert!(rule(role).unwrap_err().to_string().contains("none of the issuers here may grant"), "{role}");
    }
}

#[test]
fn a_rule_can_only_narrow_its_policys_issuers() {
    let mut document = with_second_issuer([json!({ "role_prefix": "a:" }), json!({ "role_prefix": "b:" })]);
    document["policies"][0]["rules"][0]["issuers"] = json!(["second"]);
    assert!(problems(&document).contains("policies[0].rules[0].issuers: a rule can only narrow"));
    document["policies"][0]["issuers"] = json!(["own", "second"]);
    assert!(Policy::compile(&document, &no_secrets).is_ok());
}

#[test]
fn a_secret_comes_from_the_environment_and_is_never_shown() {
    let mut document = changed("/issuers/own/algorithms", json!(["HS256"]));
    document["issuers"]["own"]["keys"] = json!({ "secrets_env": ["SECRET"] });
    let compile = |secret: Option<&'static [u8]>| {
        Policy::compile(&document, &|name| (name == "SECRET").then_some(secret).flatten().map(<[u8]>::to_vec))
    };
    assert!(compile(Some(b"0123456789abcdef0123456789abcdef")).is_ok());
    assert!(
        compile(None)
            .unwrap_err()
            .to_string()
            .contains("issuers.own.keys.secrets_env[0]: the environment variable `SECRET` is not set")
    );
    let text = compile(Some(b"hunter2hunter2")).unwrap_err().to_string();
    assert!(text.contains("shorter than 32 bytes") && !text.contains("hunter2"), "{text}");
}

#[test]
fn numbers_may_come_as_doubles() {
    let text = document().to_string().replace("\"version\":1", "\"version\":1.0");
    assert!(Policy::parse(text.as_bytes(), &no_secrets).is_ok());
}

#[test]
fn two_configurations_never_share_keys() {
    let key = |issuer: Issuer, remote: &RemoteKeys| remote.shared_key(&issuer);
    let remote = |cluster: &str, path: &str| RemoteKeys {
        cluster: cluster.to_owned(),
        scheme: "http".to_owned(),
        authority: "issuer.test".to_owned(),
        path: path.to_owned(),
        refresh_seconds: 300,
        timeout_ms: 2000,
    };
    let issuer = |iss: &str| Issuer::rfc9068(iss, &[]);
    let base = key(issuer("a"), &remote("c", "/"));
    assert_eq!(base, key(issuer("a"), &RemoteKeys { refresh_seconds: 10, ..remote("c", "/") }));
    for other in [
        key(issuer("b"), &remote("c", "/")),
        key(issuer("a"), &remote("d", "/")),
        key(issuer("a"), &remote("c", "/x")),
    ] {
        assert_ne!(base, other);
    }
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
fn no_issuer_can_grant_anothers_roles_by_its_prefix() {
    for (one, other, role) in [
        (json!({ "role_prefix": "corp:" }), json!({ "role_prefix": "corp:emea:" }), "corp:emea:"),
        (json!({ "role_prefix": "corp:" }), json!({ "role_prefix": "corp:" }), "corp:"),
        (json!({ "role_prefix": "corp" }), json!({ "granted_roles": ["user", "corp:admin"] }), "corp:admin"),
    ] {
        for claims in [[one.clone(), other.clone()], [other.clone(), one.clone()]] {
            let text = problems(&with_second_issuer(claims));
            assert!(text.contains(&format!("could both grant `{role}`")), "{text}");
        }
    }
    let both_listed =
        with_second_issuer([json!({ "granted_roles": ["admin"] }), json!({ "granted_roles": ["admin"] })]);
    assert!(Policy::compile(&both_listed, &no_secrets).is_ok(), "said in words for both");
}

#[test]
fn a_secret_written_where_its_name_belongs_is_not_shown() {
    let mut document = changed("/issuers/own/algorithms", json!(["HS256"]));
    for secret in ["s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t", "abcdefghijklmnopqrstuvwxyzabcdef"] {
        document["issuers"]["own"]["keys"] = json!({ "secrets_env": [secret] });
        let text = problems(&document);
        assert!(text.contains("never the secret itself") && !text.contains(secret), "{text}");
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    let mut document = changed("/issuers/own/algorithms", json!(["HS256"]));
    document["issuers"]["own"]["keys"] = json!({ "secrets_env": ["SECRET"] });
    let text = Policy::compile(&document, &|_| Some(vec![b'a'; 64])).unwrap_err().to_string();
    assert!(text.contains("can be guessed"), "{text}");
}

#[test]
fn what_a_policy_weakens_can_be_listed() {
    let strict = Policy::compile(&document(), &no_secrets).unwrap();
    assert_eq!(strict.weakenings(), [""; 0]);
    let mut document = changed("/issuers/own/algorithms", json!(["HS256"]));
    document["issuers"]["own"]["keys"] = json!({ "secrets_env": ["SECRET"] });
    document["issuers"]["own"]["accept_missing"] = json!(["iss", "aud"]);
    document["issuers"]["own"]["token_types"] = json!(["JWT"]);
    let weak = Policy::compile(&document, &|_| Some(b"0123456789abcdef0123456789abcdef".to_vec())).unwrap();
    let found = weak.weakenings();
    assert_eq!(found.iter().filter(|text| text.starts_with("issuer `own` ")).count(), 4, "{found:?}");

    let mut document = changed("/mode", json!("observe"));
    document["policies"][0]["rules"] = json!([{ "name": "a", "paths": ["/api/a"] }, { "name": "b", "paths": ["/api/b"], "mode": "enforce" }]);
    document["credentials"] = json!([{ "query": "t" }]);
    document["paths"] = json!({ "encoded_slash": "keep", "parameters": "keep", "letters": "folded", "trailing_slash": "folded" });
    document["forward"] = json!({ "keep": ["x-original-url"] });
    let found = Policy::compile(&document, &no_secrets).unwrap().weakenings();
    let named =
        ["the document", "policy `api`", "rule `api/a`", "`credentials`", "`paths`", "`forward.keep`"];
    let count = |name: &str| found.iter().filter(|text| text.starts_with(name)).count();
    assert_eq!(named.map(count), [1, 1, 1, 1, 4, 1], "{found:?}");
}

/// The document with keys of its own for these algorithms.
fn with_keys(algorithms: Value, keys: Value) -> Value {
    let mut document = changed("/issuers/own/keys", keys);
    document["issuers"]["own"]["algorithms"] = algorithms;
    document
}

#[test]
fn every_algorithm_may_be_listed_by_its_name() {
    for name in AlgorithmName::ALL {
        let keys = if name.is_symmetric() {
            json!({ "secrets_env": ["SECRET"] })
        } else {
            json!({ "remote": { "cluster": "issuer", "uri": "http://issuer.test/jwks.json" } })
        };
        let secrets = |_: &str| Some((0..64).collect());
        let policy = Policy::compile(&with_keys(json!([name.as_str()]), keys), &secrets).unwrap();
        assert_eq!(policy.issuers[0].issuer.algorithms(), [*name]);
        let weak =
            policy.weakenings().iter().any(|text| text.starts_with("issuer `own` uses a shared secret"));
        assert_eq!(weak, name.is_symmetric(), "{}", name.as_str());
    }
}

#[test]
fn a_secret_is_for_one_algorithm_and_as_long_as_its_hash() {
    let problems = |algorithms: Value, bytes: u8| {
        let document = with_keys(algorithms, json!({ "secrets_env": ["SECRET"] }));
        let secrets = |_: &str| Some((0..bytes).collect());
        Policy::compile(&document, &secrets).map_err(|problems| problems.to_string())
    };
    for (algorithm, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        assert!(problems(json!([algorithm]), bytes).is_ok(), "{algorithm}");
        let text = problems(json!([algorithm]), bytes - 1).unwrap_err();
        let expected =
            format!("the secret in `SECRET` is shorter than {bytes} bytes, which {algorithm} needs");
        assert!(text.contains(&expected), "{text}");
    }
    let text = problems(json!(["HS256", "HS512"]), 64).unwrap_err();
    assert!(text.contains("issuers.own.keys.secrets_env: a secret is for one algorithm"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn a_key_of_rsa_that_could_be_for_several_algorithms_is_named_with_the_ways_out() {
    use crate::fixtures::signers::jwk_of;
    let mut jwk = jwk_of(AlgorithmName::Rs256);
    jwk.as_object_mut().unwrap().remove("alg");
    let mut es256 = jwk_of(AlgorithmName::Es256);
    es256["kid"] = json!("k2");
    let keys = json!({ "jwks": { "keys": [jwk, es256] } });
    let text = problems(&with_keys(json!(["RS256", "PS256", "ES256"]), keys.clone()));
    assert_eq!(text, format!("issuers.own.keys.jwks: {}", crate::keys::UNDECIDED));
    assert!(Policy::compile(&with_keys(json!(["RS256", "ES256"]), keys), &no_secrets).is_ok());
}
