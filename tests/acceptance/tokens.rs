use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::keys::signing_key;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

type Change = fn(&mut Value, &mut Value);

/// Signed with the issuer's own key, so that nothing but the change is wrong.
const WRONG: [(&str, &str, Change); 20] = [
    ("expired", "token_expired", |_, claims| claims["exp"] = json!(token::now() - 31)),
    ("without exp", "claims_malformed", |_, claims| remove(claims, "exp")),
    ("exp in words", "claims_malformed", |_, claims| claims["exp"] = json!("never")),
    ("a negative exp", "claims_malformed", |_, claims| claims["exp"] = json!(-1)),
    ("not valid yet", "token_not_yet_valid", |_, claims| claims["nbf"] = json!(token::now() + 600)),
    ("from the future", "token_not_yet_valid", |_, claims| claims["iat"] = json!(token::now() + 600)),
    ("for another audience", "audience_mismatch", |_, claims| claims["aud"] = json!(["elsewhere"])),
    ("for nobody", "audience_mismatch", |_, claims| claims["aud"] = json!([])),
    ("without aud", "claims_malformed", |_, claims| remove(claims, "aud")),
    ("of another issuer", "issuer_mismatch", |_, claims| claims["iss"] = json!("http://evil.example")),
    ("without iss", "issuer_mismatch", |_, claims| remove(claims, "iss")),
    ("without sub", "claims_malformed", |_, claims| remove(claims, "sub")),
    ("with a role of two", "claims_malformed", |_, claims| claims["roles"] = json!(["rider,admin"])),
    ("with roles in a number", "claims_malformed", |_, claims| claims["roles"] = json!(7)),
    ("of another type", "type_not_allowed", |header, _| header["typ"] = json!("JWT")),
    ("without typ", "type_not_allowed", |header, _| remove(header, "typ")),
    ("with content of another type", "type_not_allowed", |header, _| header["cty"] = json!("JWT")),
    ("of another key", "key_unknown", |header, _| header["kid"] = json!("nobody")),
    ("of another algorithm", "algorithm_not_allowed", |header, _| header["alg"] = json!("ES256")),
    ("without an algorithm", "algorithm_not_allowed", |header, _| header["alg"] = json!("none")),
];

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

#[test]
fn every_wrong_token_is_refused_with_its_reason_and_none_of_its_content() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let (kid, key) = signing_key(&gate.database_url()).unwrap();
    assert_eq!(token::header(&customer.token)["kid"], kid.as_str(), "the key that signs");
    let ask = |token: &str| Request::get("/api/orders").bearer(token).send(gate.url());
    let same = token::forged(&customer.token, &key, |_, _| {});
    assert_eq!(ask(&same).status, 200, "a token that we sign ourselves is good as long as nothing is wrong");
    for (what, code, change) in WRONG {
        let answer = ask(&token::forged(&customer.token, &key, change));
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        assert_eq!(answer.code().as_deref(), Some(code), "{what}");
        assert!(answer.challenge().unwrap().contains("error=\"invalid_token\""), "{what}");
        assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"), "{what}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{what}");
        assert!(!answer.text().contains(&customer.id), "{what}");
    }
}

/// The public key is no secret: a verifier that takes it for one accepts whatever anybody signs.
#[test]
fn the_public_key_is_no_secret_for_hs256() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let jwks = Request::get("/.well-known/jwks.json").send(gate.url());
    let public = jwks.json()["keys"][0]["x"].as_str().unwrap().to_owned();
    for secret in [public.into_bytes(), jwks.body] {
        let forged = token::forged(&customer.token, &Key::Hmac(secret), |header, claims| {
            header["alg"] = json!("HS256");
            claims["roles"] = json!(["admin"]);
        });
        let answer = Request::get("/api/orders").bearer(&forged).send(gate.url());
        assert_eq!((answer.status, answer.code().as_deref()), (401, Some("algorithm_not_allowed")));
    }
}

#[test]
fn a_token_with_one_changed_character_is_refused_wherever_it_is() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let token = customer.token.as_bytes();
    let signature = customer.token.rfind('.').unwrap() + 1;
    for at in [0, 5, customer.token.find('.').unwrap() + 3, signature, token.len() - 2] {
        let mut changed = token.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let answer =
            Request::get("/api/orders").bearer(&String::from_utf8(changed).unwrap()).send(gate.url());
        assert_eq!(answer.status, 401, "at {at}: {}", answer.text());
        assert_eq!(answer.error().as_deref(), Some("Invalid token"), "at {at}");
    }
}
