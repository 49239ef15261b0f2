//! `deny_list` of an issuer.

use super::*;

fn list() -> Value {
    json!({ "cluster": "files", "uri": "https://files.test/deny.json?v=1", "when_stale": "reject" })
}

fn compile(document: &Value) -> Result<Policy, String> {
    let credential = |name: &str| (name == "CREDENTIAL").then(|| b"0123456789abcdef\n".to_vec());
    Policy::compile(document, &credential).map_err(|problems| problems.to_string())
}

/// With this in the place of a member of `deny_list`.
fn compiled(member: &str, value: Value) -> Result<Policy, String> {
    let mut document = changed("/issuers/own/deny_list", list());
    document["issuers"]["own"]["deny_list"][member] = value;
    compile(&document)
}

fn list_of(policy: &Policy) -> &DenyListSource {
    policy.issuers().next().unwrap().1.deny_list.as_ref().unwrap()
}

fn signing_keys() -> Value {
    json!({ "jwks": { "keys": [crate::fixtures::jwk("l1", 9)] } })
}

#[test]
fn a_list_is_where_the_policy_says_and_is_plain_unless_there_are_keys() {
    let policy = compiled("when_stale", json!("allow")).unwrap();
    let list = list_of(&policy);
    assert_eq!(
        (list.scheme.as_str(), list.authority.as_str(), list.path.as_str()),
        ("https", "files.test", "/deny.json?v=1")
    );
    assert_eq!((list.refresh_seconds, list.timeout_ms, list.stale_after_seconds), (5, 2_000, 300));
    assert_eq!(list.when_stale, WhenStale::Allow);
    assert!(list.keys.is_none() && list.credential.is_none());
    assert_eq!(list_of(&compiled("keys", signing_keys()).unwrap()).keys.as_ref().unwrap().len(), 1);
    let policy = compiled("credential_env", json!("CREDENTIAL")).unwrap();
    assert_eq!(list_of(&policy).credential.as_ref().unwrap().authorization(), "Bearer 0123456789abcdef");
}

#[test]
fn each_mistake_of_a_list_is_named() {
    for (member, value, expected) in [
        ("uri", json!("ftp://files.test/"), "uri: must be an absolute http or https URI"),
        ("refresh_seconds", json!(0), "refresh_seconds: must be a whole number from 1 to 3600"),
        ("timeout_ms", json!(99), "timeout_ms: must be a whole number from 100 to 10000"),
        ("stale_after_seconds", json!(7), "`stale_after_seconds` must be `refresh_seconds` and 3 s at least"),
        ("refresh_seconds", json!(298), "`stale_after_seconds` must be `refresh_seconds` and 3 s at least"),
        ("when_stale", json!("ignore"), "`ignore` is not one of `reject`, `allow`"),
        ("keys", json!({}), "keys.jwks: is missing"),
        ("keys", json!({ "jwks": { "keys": [] } }), "keys.jwks: holds no key"),
        ("keys", json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }] } }), "keys.jwks"),
        ("credential_env", json!("OTHER"), "the environment variable `OTHER` is not set"),
        ("wait_seconds", json!(5), "wait_seconds: unknown field"),
    ] {
        let text = compiled(member, value.clone()).expect_err(member);
        assert!(text.contains(expected), "{member} = {value}: {text}");
    }
}

#[test]
fn an_issuer_has_a_feed_or_a_list_and_not_both() {
    let mut document = changed("/issuers/own/deny_list", list());
    document["issuers"]["own"]["revocations"] = json!({
        "cluster": "issuer", "uri": "http://issuer.test/revocations/v1", "credential_env": "CREDENTIAL", "when_stale": "reject",
    });
    let text = compile(&document).unwrap_err();
    assert!(text.contains("issuers.own: `revocations` and `deny_list` exclude each other"), "{text}");
}

#[test]
fn an_issuer_with_a_list_has_a_name_though_its_tokens_may_lack_it() {
    let mut document = changed("/issuers/own/deny_list", list());
    document["issuers"]["own"]["accept_missing"] = json!(["iss"]);
    document["issuers"]["own"]["keys"] = json!({ "jwks": { "keys": [] } });
    compile(&document).unwrap();
    document["issuers"]["own"].as_object_mut().unwrap().remove("iss");
    let text = compile(&document).unwrap_err();
    assert!(text.contains("issuers.own.deny_list: an issuer with a deny list needs `iss`"), "{text}");
}

#[test]
fn to_let_in_whoever_comes_while_the_list_is_too_old_weakens_a_policy() {
    let weak = |policy: Policy| {
        let found = policy.weakenings().into_iter();
        found.map(|found| found.path).filter(|path| path.ends_with("when_stale")).collect::<Vec<_>>()
    };
    assert_eq!(weak(compiled("when_stale", json!("reject")).unwrap()), [""; 0]);
    assert_eq!(weak(compiled("when_stale", json!("allow")).unwrap()), ["issuers.own.deny_list.when_stale"]);
    let mut document = changed("/issuers/own/deny_list", list());
    document["policies"][0]["rules"][0]["when_stale"] = json!("allow");
    assert_eq!(weak(compile(&document).unwrap()), ["policies[0].rules[0].when_stale"]);
}

#[test]
fn two_configurations_never_share_a_list() {
    let prefix = |member: &str, value: Value| {
        let policy = compiled(member, value).unwrap();
        let (_, trusted) = policy.issuers().next().unwrap();
        trusted.deny_list.as_ref().unwrap().shared_prefix(&trusted.issuer)
    };
    let own = prefix("refresh_seconds", json!(5));
    assert_eq!(own, prefix("stale_after_seconds", json!(60)), "the same list");
    assert_ne!(own, prefix("cluster", json!("other")));
    assert_ne!(own, prefix("uri", json!("https://files.test/deny.json?v=2")));
    assert_ne!(own, prefix("uri", json!("http://files.test/deny.json?v=1")));
    assert_ne!(own, prefix("keys", signing_keys()), "what needs no signature is no source of what does");
}
