//! `revocations` of an issuer.

use super::*;
use crate::policy::WhenStale;

const CREDENTIAL: &str = "0123456789abcdef0123456789abcdef";

fn feed() -> Value {
    json!({
        "cluster": "internal", "uri": "http://issuer.test/revocations/v1", "credential_env": "FEED", "when_stale": "allow",
    })
}

fn with_feed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = document();
    document["issuers"]["own"]["revocations"] = feed();
    change(&mut document);
    document
}

fn compile(document: &Value, credential: &str) -> Result<Policy, String> {
    let secrets = |name: &str| (name == "FEED").then(|| credential.as_bytes().to_vec());
    Policy::compile(document, &secrets).map_err(|problems| problems.to_string())
}

#[test]
fn a_feed_is_read_with_its_defaults_and_its_credential_is_not_shown() {
    let policy = compile(&with_feed(|_| {}), &format!("{CREDENTIAL}\n")).unwrap();
    let feed = policy.issuers[0].revocations.as_ref().unwrap();
    assert_eq!((feed.scheme.as_str(), feed.authority.as_str()), ("http", "issuer.test"));
    assert_eq!((feed.path.as_str(), feed.stale_after_seconds), ("/revocations/v1", 30));
    assert_eq!((feed.when_stale, feed.keys.is_some()), (WhenStale::Allow, false));
    assert_eq!(feed.credential.header(), format!("Bearer {CREDENTIAL}"));
    assert!(!format!("{policy:?}").contains(CREDENTIAL));
}

#[test]
fn all_that_is_wrong_with_a_feed_is_named_by_its_field() {
    let own = "issuers.own.revocations";
    for (field, value, problem) in [
        ("cluster", json!(7), format!("{own}.cluster: must be")),
        ("uri", json!("issuer.test"), format!("{own}.uri: must be an absolute http or https URI")),
        ("uri", json!("http://issuer.test/v1?a=b"), format!("{own}.uri: must have no query")),
        (
            "credential_env",
            json!(CREDENTIAL),
            format!("{own}.credential_env: must be the name of an environment variable"),
        ),
        (
            "credential_env",
            json!("OTHER"),
            format!("{own}.credential_env: the environment variable `OTHER` is not set"),
        ),
        (
            "stale_after_seconds",
            json!(4),
            format!("{own}.stale_after_seconds: must be a whole number from 5 to 86400"),
        ),
        (
            "when_stale",
            json!("ignore"),
            format!("{own}.when_stale: `ignore` is not one of `reject`, `allow`"),
        ),
        ("jwks", json!({ "keys": [] }), format!("{own}.jwks: holds no key for EdDSA")),
        ("wait", json!(1), format!("{own}.wait: unknown field")),
    ] {
        let error = compile(
            &with_feed(|all| all["issuers"]["own"]["revocations"][field] = value.clone()),
            CREDENTIAL,
        );
        let error = error.unwrap_err();
        assert!(error.contains(&problem), "{error} instead of {problem}");
        assert!(!error.contains(CREDENTIAL), "{error}");
    }
    for field in ["cluster", "uri", "credential_env", "when_stale"] {
        let missing = with_feed(|all| {
            all["issuers"]["own"]["revocations"].as_object_mut().unwrap().remove(field);
        });
        assert!(compile(&missing, CREDENTIAL).unwrap_err().contains(&format!("{own}.{field}: ")), "{field}");
    }
}

#[test]
fn a_credential_that_is_short_or_no_header_is_refused_and_not_shown() {
    for credential in ["short", "0123456789abcdef 123456789abcdef", "0123456789abcdef0123456789abcdé"] {
        let error = compile(&with_feed(|_| {}), credential).unwrap_err();
        assert!(error.contains("the credential in `FEED` must be 32 to 1024 visible characters"), "{error}");
        assert!(!error.contains(credential), "{error}");
    }
}

#[test]
fn a_feed_goes_with_iss_and_with_sub() {
    let mapped = with_feed(|all| all["issuers"]["own"]["claims"] = json!({ "subject": ["userId"] }));
    assert!(compile(&mapped, CREDENTIAL).unwrap_err().contains("`claims.subject` must be [sub]"));
    let nameless = with_feed(|all| {
        all["issuers"]["own"]["accept_missing"] = json!(["iss"]);
        all["issuers"]["own"]["keys"] = json!({ "jwks": { "keys": [] } });
    });
    assert!(compile(&nameless, CREDENTIAL).unwrap_err().contains("accepts tokens without `iss` has no feed"));
}

#[test]
fn a_rule_says_what_holds_when_a_feed_is_stale_only_where_it_looks_at_a_token() {
    let rule = |all: &mut Value, field: &str, value: Value| all["policies"][0]["rules"][0][field] = value;
    assert!(compile(&with_feed(|all| rule(all, "when_stale", json!("reject"))), CREDENTIAL).is_ok());
    let public = with_feed(|all| {
        rule(all, "when_stale", json!("reject"));
        rule(all, "access", json!("public"));
        all["policies"][0]["rules"][0].as_object_mut().unwrap().remove("require");
    });
    assert!(
        compile(&public, CREDENTIAL)
            .unwrap_err()
            .contains("`access: public` looks at no token: `when_stale` means nothing")
    );
}

#[test]
fn two_feeds_never_share_what_they_hold() {
    let prefix = |change: fn(&mut Value)| {
        let policy = compile(&with_feed(change), CREDENTIAL).unwrap();
        let own = &policy.issuers[0];
        own.revocations.as_ref().unwrap().shared_prefix(&own.issuer)
    };
    let all = [
        prefix(|_| {}),
        prefix(|all| all["issuers"]["own"]["iss"] = json!("http://other.test")),
        prefix(|all| all["issuers"]["own"]["revocations"]["cluster"] = json!("other")),
        prefix(|all| {
            all["issuers"]["own"]["revocations"]["uri"] = json!("https://issuer.test/revocations/v1")
        }),
        prefix(|all| all["issuers"]["own"]["revocations"]["uri"] = json!("http://issuer.test/v1")),
    ];
    assert_eq!(std::collections::BTreeSet::from(all).len(), 5);
}
