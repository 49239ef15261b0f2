//! `revocations` of an issuer, and `when_stale` of a rule.

use super::*;

fn feed() -> Value {
    json!({
        "cluster": "issuer", "uri": "http://issuer.test/revocations/v1", "credential_env": "FEED_CREDENTIAL",
        "when_stale": "reject",
    })
}

fn credential(name: &str) -> Option<Vec<u8>> {
    (name == "FEED_CREDENTIAL").then(|| b"0123456789abcdef\n".to_vec())
}

/// With this in the place of a member of `revocations`.
fn compiled(member: &str, value: Value) -> Result<Policy, String> {
    let mut document = changed("/issuers/own/revocations", feed());
    document["issuers"]["own"]["revocations"][member] = value;
    Policy::compile(&document, &credential).map_err(|problems| problems.to_string())
}

fn feed_of(policy: &Policy) -> &RevocationFeed {
    policy.issuers().next().unwrap().1.revocations.as_ref().unwrap()
}

#[test]
fn a_feed_is_where_the_policy_says() {
    let policy = compiled("when_stale", json!("reject")).unwrap();
    let feed = feed_of(&policy);
    assert_eq!(
        (feed.scheme.as_str(), feed.authority.as_str(), feed.path.as_str(), feed.keys_path().as_str()),
        ("http", "issuer.test", "/revocations/v1", "/revocations/v1/keys")
    );
    assert_eq!((feed.wait_seconds, feed.stale_after_seconds, feed.timeout_ms(5)), (5, 30, 7_000));
    assert_eq!(feed.when_stale, WhenStale::Reject);
    assert!(feed.keys.is_none());
}

#[test]
fn the_credential_comes_from_the_environment_without_its_line_feed_and_is_never_shown() {
    let policy = compiled("when_stale", json!("reject")).unwrap();
    assert_eq!(feed_of(&policy).credential.authorization(), "Bearer 0123456789abcdef");
    assert!(!format!("{policy:?}").contains("0123456789abcdef"));
    for bad in
        [&b"short"[..], b"", b"0123456789abcde f", b"0123456789abcdef\r\nx: y", &[b'x'; 1025], &[0xe9; 20]]
    {
        let document = changed("/issuers/own/revocations", feed());
        let problems = Policy::compile(&document, &|_| Some(bad.to_vec())).unwrap_err().to_string();
        assert!(problems.contains("credential_env: the credential must be 16 to 1024"), "{problems}");
    }
    let text = compiled("credential_env", json!("the-credential-itself")).unwrap_err();
    assert!(!text.contains("the-credential-itself"), "{text}");
}

#[test]
fn each_mistake_of_a_feed_is_named() {
    for (member, value, expected) in [
        ("uri", json!("http://issuer.test/revocations/v1?wait=5"), "uri: must have no query"),
        ("uri", json!("ftp://issuer.test/"), "uri: must be an absolute http or https URI"),
        ("uri", json!("http://me@issuer.test/"), "uri: must be an absolute http or https URI"),
        ("wait_seconds", json!(6), "wait_seconds: must be a whole number from 1 to 5"),
        ("stale_after_seconds", json!(7), "`stale_after_seconds` must be `wait_seconds` and 3 s at least"),
        ("when_stale", json!("ignore"), "`ignore` is not one of `reject`, `allow`"),
        ("keys", json!({}), "keys.jwks: is missing"),
        ("keys", json!({ "remote": {} }), "keys.remote: unknown field"),
        (
            "keys",
            json!({ "jwks": { "keys": [{ "kty": "RSA" }] } }),
            "none of its 1 keys can be used for EdDSA",
        ),
        ("credential_env", json!("OTHER"), "the environment variable `OTHER` is not set"),
    ] {
        let text = compiled(member, value.clone()).expect_err(member);
        assert!(text.contains(expected), "{member} = {value}: {text}");
    }
}

#[test]
fn an_issuer_with_a_feed_has_tokens_with_iss() {
    let mut document = changed("/issuers/own/revocations", feed());
    document["issuers"]["own"]["accept_missing"] = json!(["iss"]);
    let text = Policy::compile(&document, &credential).unwrap_err().to_string();
    assert!(text.contains("issuers.own.revocations: an issuer with a feed has tokens with `iss`"), "{text}");
}

#[test]
fn a_rule_may_say_what_becomes_of_tokens_where_there_is_a_feed() {
    let mut document = changed("/issuers/own/revocations", feed());
    document["policies"][0]["rules"][0]["when_stale"] = json!("allow");
    let policy = Policy::compile(&document, &credential).unwrap();
    assert_eq!(policy.scopes[0].rules[0].when_stale, Some(WhenStale::Allow));

    document["policies"][0]["rules"][0]["access"] = json!("public");
    let text = Policy::compile(&document, &credential).unwrap_err().to_string();
    assert!(text.contains("when_stale: `access: public` looks at no token"), "{text}");

    let text = problems(&changed("/policies/0/rules/0/when_stale", json!("allow")));
    assert!(text.contains("when_stale: none of the issuers here has `revocations`"), "{text}");
}

#[test]
fn to_let_in_whoever_comes_while_the_feed_is_away_weakens_a_policy() {
    let weak = |policy: &Policy| {
        let found = policy.weakenings().into_iter();
        found
            .filter(|found| found.kind == SuspicionKind::StaleAllowed)
            .map(|found| found.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(weak(&compiled("when_stale", json!("reject")).unwrap()), [""; 0]);
    let allowing = compiled("when_stale", json!("allow")).unwrap();
    assert_eq!(weak(&allowing), ["issuers.own.revocations.when_stale"]);
    let mut document = changed("/issuers/own/revocations", feed());
    document["policies"][0]["rules"][0]["when_stale"] = json!("allow");
    let policy = Policy::compile(&document, &credential).unwrap();
    assert_eq!(weak(&policy), ["policies[0].rules[0].when_stale"]);
}

#[test]
fn two_configurations_never_share_a_feed() {
    let prefix = |member: &str, value: Value| {
        let policy = compiled(member, value).unwrap();
        let (_, trusted) = policy.issuers().next().unwrap();
        trusted.revocations.as_ref().unwrap().shared_prefix(&trusted.issuer)
    };
    let own = prefix("wait_seconds", json!(5));
    assert_eq!(own, prefix("wait_seconds", json!(4)), "the same feed");
    assert_ne!(own, prefix("cluster", json!("other")));
    assert_ne!(own, prefix("uri", json!("http://issuer.test/revocations/v2")));
    assert_ne!(own, prefix("uri", json!("https://issuer.test/revocations/v1")));
}
