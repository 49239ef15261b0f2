//! Whom a policy trusts: issuers, their keys, secrets and roles.

use super::*;

pub(super) fn with_second_issuer(claims: [Value; 2]) -> Value {
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
fn two_configurations_never_share_keys() {
    let key = |issuer: Issuer, remote: &RemoteKeys| remote.shared_key(&issuer);
    let remote = |cluster: &str, path: &str| RemoteKeys {
        cluster: cluster.to_owned(),
        scheme: "http".to_owned(),
        authority: "issuer.test".to_owned(),
        path: path.to_owned(),
        refresh_seconds: 300,
        timeout_ms: 2000,
        wait_ms: 2000,
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
fn a_role_that_would_be_several_is_an_error_where_spaces_separate() {
    let with = |claims: Value, role: &str| {
        let mut document = changed("/issuers/own/claims", claims);
        document["policies"][0]["rules"][0]["require"] = json!({ "any_role": [role] });
        document
    };
    let role = "store manager";
    for claims in [
        json!({ "granted_roles": [role] }),
        json!({ "role_separator": "none" }),
        json!({ "role_separator": "space", "role_prefix": "store ma" }),
    ] {
        assert!(Policy::compile(&with(claims.clone(), role), &no_secrets).is_ok(), "{claims}");
    }
    let text = problems(&with(json!({ "role_separator": "space" }), role));
    assert!(text.contains("none of the issuers here may grant the role `store manager`"), "{text}");
    let text = problems(&with(json!({ "role_separator": "space", "granted_roles": [role, "a"] }), "a"));
    assert!(
        text.contains("issuers.own.claims.granted_roles: no token has the role `store manager`"),
        "{text}"
    );
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
        let weak = policy.weakenings().iter().any(|found| found.kind == SuspicionKind::SharedSecret);
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
