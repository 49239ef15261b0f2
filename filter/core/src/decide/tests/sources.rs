//! Where tokens stand, and what becomes of those that nobody reads.

use super::made::{bearer, policy_with, user, verdict};
use super::*;

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
    assert_eq!(of(&removing, "GET /x"), Decision::Forward(vec![removed.clone(), user()].into()));
    assert_eq!(of(&removing, "GET /open"), Decision::Forward(vec![removed.clone()].into()));
    assert_eq!(
        of(&removing, "GET /open?t=x&a=1"),
        Decision::Forward(vec![removed, Edit::set(":path", "/open?a=1")].into())
    );
    let keeping = policy_with(forward("keep"), json!({}), rules);
    assert_eq!(of(&keeping, "GET /x"), Decision::Forward(vec![user()].into()));
    assert_eq!(of(&keeping, "GET /open?t=x"), Decision::Forward(vec![].into()));
    // One that nobody has looked at reaches nobody.
    assert_eq!(of(&keeping, "GET /x?t=y"), Decision::Forward(vec![Edit::set(":path", "/x"), user()].into()));
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
        Decision::Forward(vec![Edit::remove(b"authorization"), user()].into())
    );
    assert_eq!(
        of("GET /api/x", &[("cookie", "t=forged; a=1"), ("authorization", &header)]),
        Decision::Forward(vec![Edit::set("cookie", "a=1"), user()].into())
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
            (Decision::Forward(edits.into()), Some(observed)),
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
        Decision::Forward(vec![Edit::remove(b"authorization")].into())
    );
}

#[test]
fn a_policy_may_take_its_tokens_from_a_place_of_its_own() {
    let rules = json!([{ "name": "r", "paths": ["/**"] }]);
    let policy = policy_with(json!({}), json!({ "credentials": [{ "header": "x-token" }] }), rules);
    let token = token(json!({}));
    assert_eq!(
        verdict(&policy, "GET /x", &[("x-token", &token)]).decision,
        Decision::Forward(vec![user()].into())
    );
    let missing = Decision::Reject(Rejection::TokenMissing);
    assert_eq!(verdict(&policy, "GET /x", &[("authorization", &bearer(json!({})))]).decision, missing);
}

#[test]
fn a_request_of_nobody_carries_nothing_that_a_server_could_take_for_a_token() {
    let rules = json!([{ "name": "r", "paths": ["/**"], "access": "optional" }]);
    let policy = policy_with(json!({ "credentials": [{ "header": "x-token" }] }), json!({}), rules);
    let of = |name: &str, value: &str| verdict(&policy, "GET /x", &[(name, value)]).decision;
    assert_eq!(of("x_token", "anything"), Decision::Forward(vec![Edit::remove(b"x_token")].into()));
    assert_eq!(of("x-token", &token(json!({}))), Decision::Forward(vec![user()].into()));
    assert_eq!(of("x-other", "anything"), Decision::Forward(vec![].into()));
}

#[test]
fn no_spelling_of_a_parameter_that_some_server_reads_goes_on_beside_a_token() {
    let document = json!({ "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "query": "access_token" }] });
    let policy = policy_with(document, json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    let header = bearer(json!({}));
    for name in [
        "[access_token]",     // qs (Express), Rack 2
        "%5Baccess_token%5D", // the same
        "access_token]",      // Rack 2
        "[[access_token",     // Rack 2
        "access[token",       // PHP: a bracket that nothing closes is `_`
        "access%5Btoken",     // the same
        "access_token%00x",   // PHP cuts names at a zero byte
        "%u0061ccess_token",  // ASP.NET decodes %uXXXX
    ] {
        let found = verdict(&policy, &format!("GET /x?a=1&{name}=forged"), &[("authorization", &header)]);
        assert_eq!(
            found.decision,
            Decision::Forward(vec![Edit::set(":path", "/x?a=1"), user()].into()),
            "{name}"
        );
    }
}

#[test]
fn every_place_of_a_token_is_removed_from_trailers() {
    let document = json!({ "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "header": "x-token" }] });
    let policy = policy_with(document, json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    for name in
        ["authorization", "Authorization", "x_token", "X.Token", "cookie", "x-user-id", "x_user_roles"]
    {
        assert!(policy.removes_trailer(name.as_bytes()), "{name}");
    }
    for name in ["x-other", "grpc-status", "x-tokens", "set-cookie"] {
        assert!(!policy.removes_trailer(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_second_spelling_of_a_cookie_makes_two() {
    let document =
        json!({ "credentials": [{ "cookie": "access_token", "allowed_origins": ["https://app.test"] }] });
    let policy = policy_with(document, json!({}), json!([{ "name": "r", "paths": ["/**"] }]));
    // Of two cookies of one name PHP takes the first.
    let cookies = format!("access[token=forged; access_token={}", token(json!({})));
    let found = verdict(&policy, "GET /x", &[("cookie", &cookies)]);
    assert_eq!(found.decision, Decision::Reject(Rejection::CredentialsAmbiguous));
}

#[test]
fn what_some_server_takes_for_a_bearer_token_does_not_go_on_as_nobodys() {
    let rules = json!([
        { "name": "feed", "paths": ["/feed"], "access": "optional" },
        { "name": "open", "paths": ["/open"], "access": "public" },
    ]);
    let forward =
        json!({ "forward": { "headers": { "x-user-id": { "from": "subject" } }, "token": "remove" } });
    let policy = policy_with(forward, json!({}), rules);
    let removed = Decision::Forward(vec![Edit::remove(b"authorization")].into());
    for value in [
        "X Bearer forged", // preg_match('/Bearer\s(\S+)/', ..) is not anchored
        "Basic abc Bearer forged",
        "Bearer,forged", // startsWith("Bearer"), slice(7)
        "Bearer:forged",
        "Bearer=forged",
        "Bearer\u{a0}forged",
        "\"Bearer forged",
    ] {
        for path in ["GET /feed", "GET /open"] {
            assert_eq!(
                verdict(&policy, path, &[("authorization", value)]).decision,
                removed,
                "{path} {value}"
            );
        }
    }
    let basic = verdict(&policy, "GET /feed", &[("authorization", "Basic YWxhZGRpbjpvcGVu")]);
    assert_eq!(basic.decision, Decision::Forward(vec![].into()), "the upstream's own credentials stay");
}
