use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::keys::signing_key;
use bearward_tests::recorder::Recorder;
use bearward_tests::token;
use serde_json::{Value, json};

#[test]
fn only_a_role_that_the_rule_names_opens_it() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let (_, key) = signing_key(&gate.database_url()).unwrap();
    let remove = || Request::new("DELETE", "/api/menu/1");
    let status = || Request::new("PATCH", "/api/orders/1/status");
    for (roles, may_remove, may_set) in [
        (json!(["customer"]), false, false),
        (json!([]), false, false),
        (Value::Null, false, false),
        (json!(["Admin"]), false, false),
        (json!(["administrator"]), false, false),
        (json!(["rider"]), false, true),
        (json!(["customer", "admin"]), true, true),
        (json!("admin"), true, true),
    ] {
        let token = token::forged(&customer.token, &key, |_, claims| match &roles {
            Value::Null => drop(claims.as_object_mut().unwrap().remove("roles")),
            roles => claims["roles"] = roles.clone(),
        });
        for (request, may) in [(remove(), may_remove), (status(), may_set)] {
            let request = request.bearer(&token);
            let answer = request.send(gate.url());
            assert_eq!(
                answer.status,
                if may { 200 } else { 403 },
                "{request} with {roles}: {}",
                answer.text()
            );
            assert_eq!(recorder.take().len(), usize::from(may), "{request} with {roles}");
            if !may {
                assert_eq!(answer.error().as_deref(), Some("Not authorized"));
                assert_eq!(answer.code().as_deref(), Some("role_missing"));
                assert!(answer.challenge().unwrap().contains("error=\"insufficient_scope\""));
            }
        }
    }
}

#[test]
fn the_upstream_gets_subject_roles_and_issuer_in_a_form_that_cannot_be_misread() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let (_, key) = signing_key(&gate.database_url()).unwrap();
    let token = token::forged(&customer.token, &key, |_, claims| {
        claims["sub"] = json!("Zo\u{eb} 100%");
        claims["roles"] = json!(["rider", "night shift", "k\u{fc}che"]);
    });
    assert_eq!(Request::get("/api/orders").bearer(&token).send(gate.url()).status, 200);
    let seen = recorder.take_one();
    assert_eq!(seen.values("HTTP_X_USER_ID"), ["Zo%C3%AB%20100%25"]);
    assert_eq!(seen.values("HTTP_X_USER_ROLES"), ["rider,night%20shift,k%C3%BCche"]);
    assert_eq!(seen.values("HTTP_X_USER_ISSUER"), ["bearward"]);
    assert_eq!(seen.values("HTTP_AUTHORIZATION"), [format!("Bearer {token}")], "the token is kept");
}
