use bearward_tests::client::Request;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::recorder::Recorder;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

const SECRET: &str = "the-tutorials-own-secret-in-32-bytes-or-more";

/// The claims of the tutorial's Express application, by their names, and what it leaves out in plain words.
fn policy() -> Value {
    json!({
        "version": 1,
        "issuers": {
            "express": {
                "accept_missing": ["iss", "aud"],
                "algorithms": ["HS256"],
                "token_types": ["JWT"],
                "keys": { "secrets_env": ["TUTORIAL_SECRET"] },
                "claims": { "subject": ["userId"], "roles": ["role"] },
            },
        },
        "policies": [{
            "name": "restaurant",
            "hosts": ["*"],
            "prefix": "/api",
            "issuers": ["express"],
            "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                { "name": "menu-edit", "methods": ["DELETE"], "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
                { "name": "orders", "paths": ["/api/orders"] },
            ],
        }],
        "forward": { "headers": { "x-user-id": { "from": "subject" }, "x-user-roles": { "from": "roles" } } },
    })
}

/// As `jwt.sign({ userId, role }, secret, { expiresIn: "24h" })` of jsonwebtoken puts it, byte for byte.
fn express_token(user: &str, role: &str, key: &Key) -> String {
    let now = token::now();
    let claims = format!(r#"{{"userId":{user},"role":"{role}","iat":{now},"exp":{}}}"#, now + 86_400);
    token::sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &claims, key)
}

fn key() -> Key {
    Key::Hmac(SECRET.as_bytes().to_vec())
}

fn gate(recorder: &Recorder) -> Proxy {
    let setup = Setup::shipped().policy(&policy()).secret("TUTORIAL_SECRET", SECRET);
    setup.start_envoy(recorder.address(), recorder.address()).unwrap()
}

#[test]
fn a_token_of_the_tutorials_express_application_is_accepted_as_it_is() {
    let recorder = Recorder::start();
    let gate = gate(&recorder);
    for (user, id) in [("\"665f1c2e9b3a4d0012ab34cd\"", "665f1c2e9b3a4d0012ab34cd"), ("42", "42")] {
        let token = express_token(user, "customer", &key());
        let answer = Request::get("/api/orders").bearer(&token).send(gate.url());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = recorder.take_one();
        assert_eq!(seen.values("HTTP_X_USER_ID"), [id]);
        assert_eq!(seen.values("HTTP_X_USER_ROLES"), ["customer"]);
        let refused = Request::new("DELETE", "/api/menu/1").bearer(&token).send(gate.url());
        assert_eq!((refused.status, refused.error().as_deref()), (403, Some("Not authorized")));
    }
    let admin = express_token("1", "admin", &key());
    assert_eq!(Request::new("DELETE", "/api/menu/1").bearer(&admin).send(gate.url()).status, 200);
}

#[test]
fn accepting_what_is_missing_accepts_nothing_that_is_wrong() {
    let recorder = Recorder::start();
    let gate = gate(&recorder);
    let good = express_token("42", "customer", &key());
    let changed = |change: fn(&mut Value, &mut Value)| token::forged(&good, &key(), change);
    let wrong = [
        (
            "another secret",
            express_token("42", "customer", &Key::Hmac(b"no secret".to_vec())),
            "signature_invalid",
        ),
        ("unsigned", changed(|header, _| header["alg"] = json!("none")), "algorithm_not_allowed"),
        ("HS512", changed(|header, _| header["alg"] = json!("HS512")), "algorithm_not_allowed"),
        ("an issuer that nobody trusts", changed(|_, claims| claims["iss"] = json!("x")), "issuer_mismatch"),
        ("an audience that is not us", changed(|_, claims| claims["aud"] = json!("x")), "audience_mismatch"),
        ("an expired one", changed(|_, claims| claims["exp"] = json!(1)), "token_expired"),
        ("a nameless one", changed(|_, claims| claims["userId"] = Value::Null), "claims_malformed"),
        ("another type", changed(|header, _| header["typ"] = json!("at+jwt")), "type_not_allowed"),
    ];
    for (what, token, code) in wrong {
        let answer = Request::get("/api/orders").bearer(&token).send(gate.url());
        assert_eq!((answer.status, answer.code().as_deref()), (401, Some(code)), "{what}");
    }
    assert_eq!(recorder.take(), []);
}

#[test]
fn a_token_without_a_role_sends_an_empty_list_and_not_the_clients_own() {
    let recorder = Recorder::start();
    let gate = gate(&recorder);
    let claims = json!({ "userId": "42", "exp": token::now() + 60 });
    let token = token::sign(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, &key());
    let request = Request::get("/api/orders").bearer(&token).header("x-user-roles", "admin");
    assert_eq!(request.send(gate.url()).status, 200);
    assert_eq!(recorder.take_one().values("HTTP_X_USER_ROLES").concat(), "");
}
