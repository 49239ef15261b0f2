//! `bearward token inspect`: what is shown, what is verified, and what never reaches a terminal.

use bearward_tests::terminal;
use bearward_tests::token::{Key, now, sign, sign_text};
use serde_json::{Value, json};

use super::{Desk, Ran};

/// RFC 8037 appendix A.4: its payload is no JSON.
const RFC_8037: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// RFC 7515 appendix A.1.
const RFC_7515_HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7515 appendix A.3.
const RFC_7515_ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 7515 appendix A.5.
const RFC_7515_NONE: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The keys of the RFCs' examples, secrets among them.
fn published() -> String {
    set(&[
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        json!({ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }),
    ])
}

/// A desk with a token and keys, and what an inspection as JSON says.
fn inspected(token: &str, jwks: &str) -> Ran {
    let desk = Desk::new();
    desk.write("token", token);
    desk.write("keys.json", jwks);
    desk.run(&["token", "inspect", "--token-file", "token", "--jwks", "keys.json", "--json"], "")
}

fn joe() -> Value {
    json!({ "iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true })
}

#[test]
fn published_tokens_are_verified_also_by_a_secret_and_with_a_payload_that_is_no_json() {
    for (token, header, payload) in [
        (RFC_8037, json!({ "alg": "EdDSA" }), json!("Example of Ed25519 signing")),
        (RFC_7515_HS256, json!({ "typ": "JWT", "alg": "HS256" }), joe()),
        (RFC_7515_ES256, json!({ "alg": "ES256" }), joe()),
    ] {
        let ran = inspected(token, &published());
        let expected = json!({ "header": header, "payload": payload, "signature": "valid", "reason": null });
        assert_eq!((ran.status, ran.json(), ran.errors.as_str()), (0, expected.clone(), ""));
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut other: Vec<_> = signature.chars().collect();
        other[0] = if other[0] == 'A' { 'B' } else { 'A' };
        let ran = inspected(&format!("{input}.{}", other.iter().collect::<String>()), &published());
        let mut invalid = expected;
        invalid["signature"] = json!("invalid");
        invalid["reason"] = json!("signature_invalid");
        assert_eq!((ran.status, ran.json()), (1, invalid));
    }
}

#[test]
fn without_keys_nothing_is_checked_and_that_is_said_loudly() {
    let desk = Desk::new();
    let ran = desk.run(&["token", "inspect", "-", "--json"], RFC_7515_HS256);
    let expected = json!({ "header": { "typ": "JWT", "alg": "HS256" }, "payload": joe(), "signature": "not_checked", "reason": null });
    assert_eq!((ran.status, ran.json()), (1, expected.clone()));
    desk.write("token", format!("  {RFC_7515_HS256}\n\n"));
    let same = desk.run(&["token", "inspect", "--token-file", "token", "--json"], "");
    assert_eq!((same.status, same.json()), (1, expected));
    let ran = desk.run(&["token", "inspect", "--token-file", "-"], RFC_7515_HS256);
    assert_eq!(ran.status, 1);
    assert!(ran.output.contains("signature NOT CHECKED\n"), "{ran:?}");
    assert!(ran.output.contains("NOTHING HERE IS VERIFIED: anybody can write such a token."), "{ran:?}");
}

#[test]
fn the_key_is_the_one_that_the_header_names_and_one_that_is_not_there_is_unknown() {
    let named = |kid: &str, seed: u8| {
        let mut jwk = Key::Ed25519([seed; 32]).jwk();
        jwk["kid"] = json!(kid);
        jwk
    };
    let token = sign(&json!({ "alg": "EdDSA", "kid": "k1" }), &json!({}), &Key::Ed25519([1; 32]));
    for (jwks, status, signature, reason) in [
        (set(&[named("k1", 1), named("k2", 2)]), 0, "valid", Value::Null),
        (set(&[named("k1", 2), named("k2", 1)]), 1, "invalid", json!("signature_invalid")),
        (set(&[named("k2", 1)]), 1, "invalid", json!("key_unknown")),
        (set(&[]), 1, "invalid", json!("key_unknown")),
        (published(), 1, "invalid", json!("key_unknown")),
    ] {
        let ran = inspected(&token, &jwks);
        assert_eq!(
            (ran.status, &ran.json()["signature"], &ran.json()["reason"]),
            (status, &json!(signature), &reason)
        );
    }
}

#[test]
fn a_set_with_a_key_that_is_wrong_verifies_nothing_and_is_named() {
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
    let ran = inspected(RFC_8037, &set(&[private]));
    assert_eq!((ran.status, ran.json()["signature"].clone()), (1, json!("not_checked")));
    assert_eq!(ran.json()["reason"], "keys_unavailable");
    assert_eq!(ran.json()["payload"], "Example of Ed25519 signing");
    assert!(ran.errors.contains("keys[0].d: private or symmetric key material"), "{}", ran.errors);
    assert!(!ran.errors.contains("nWGxne"));
}

#[test]
fn what_is_no_jwk_set_and_other_wrong_usage_is_said_with_status_2() {
    for (jwks, why) in [
        ("{}", "the member `keys` must be an array"),
        ("nonsense", "expected"),
        (r#"{"kty":"oct","k":"AA"}"#, "the member `keys` must be an array"),
    ] {
        let ran = inspected(RFC_8037, jwks);
        assert_eq!((ran.status, ran.output.as_str()), (2, ""));
        assert!(ran.errors.starts_with("keys.json: is no JWK Set: ") && ran.errors.contains(why), "{ran:?}");
    }
    let desk = Desk::new();
    desk.write("token", RFC_8037);
    desk.write("empty", " \n");
    for (arguments, why) in [
        (vec![], "<-|--token-file <FILE>>"),
        (vec!["--token-file", "missing"], "missing: No such file"),
        (vec!["--token-file", "empty"], "empty: holds no token"),
        (vec!["--token-file", "token", "--jwks", "missing"], "missing: No such file"),
        (vec!["-", "--token-file", "token"], "cannot be used with"),
        (vec!["-", "--jwks", "-"], "the standard input can be read once"),
        (vec!["token"], "say --token-file FILE, or -"),
        (vec![RFC_8037], "say --token-file FILE, or -"),
    ] {
        let ran = desk.run(&[&["token", "inspect"], arguments.as_slice()].concat(), "");
        assert_eq!((ran.status, ran.output.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.errors.contains(why), "{arguments:?}: {}", ran.errors);
        assert!(!ran.errors.contains("eyJ"), "{}", ran.errors);
    }
}

#[test]
fn what_is_refused_is_shown_as_far_as_it_can_be_read() {
    let desk = Desk::new();
    for (token, header, payload, reason) in [
        (RFC_7515_NONE, json!({ "alg": "none" }), joe(), "token_malformed"),
        ("eyJhbGciOiJub25lIn0.e30.AA", json!({ "alg": "none" }), json!({}), "algorithm_not_allowed"),
        (
            "eyJhbGciOiJFZERTQSIsImNyaXQiOltdfQ.e30.AA",
            json!({ "alg": "EdDSA", "crit": [] }),
            json!({}),
            "token_malformed",
        ),
        ("!.e30.AA", Value::Null, json!({}), "token_malformed"),
        ("eyJhbGciOiJFZERTQSJ9.!.AA", json!({ "alg": "EdDSA" }), Value::Null, "token_malformed"),
        ("eyJhbGciOiJFZERTQSJ9.__8.AA=", json!({ "alg": "EdDSA" }), json!("__8"), "token_malformed"),
        ("opaque", Value::Null, Value::Null, "token_malformed"),
    ] {
        let expected = |signature: &str| json!({ "header": header, "payload": payload, "signature": signature, "reason": reason });
        let ran = desk.run(&["token", "inspect", "-", "--json"], token);
        assert_eq!((ran.status, ran.json()), (1, expected("not_checked")), "{token}");
        let ran = inspected(token, &published());
        assert_eq!((ran.status, ran.json()), (1, expected("invalid")), "{token}");
        let ran = desk.run(&["token", "inspect", "-"], token);
        assert!(ran.output.contains("NOTHING HERE IS VERIFIED"), "{token}");
    }
}

#[test]
fn times_are_shown_as_dates_with_how_far_off_they_are() {
    let desk = Desk::new();
    let claims =
        json!({ "exp": 1_300_819_380, "nbf": now() + 7 * 3600 + 60, "iat": "never", "auth_time": 0.5 });
    let token = sign(&json!({ "alg": "EdDSA" }), &claims, &Key::Ed25519([1; 32]));
    let shown = desk.run(&["token", "inspect", "-"], &token).output;
    assert!(shown.contains("  exp: 2011-03-22T18:43:00Z, ") && shown.contains(" days ago\n"), "{shown}");
    assert!(shown.contains(", in 7 h\n"), "{shown}");
    assert!(shown.contains("  auth_time: 1970-01-01T00:00:00Z"), "{shown}");
    assert!(!shown.contains("  iat: "), "{shown}");
}

#[test]
fn neither_the_token_nor_its_signature_is_printed_nor_anything_that_steers_a_terminal() {
    let desk = Desk::new();
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{8}\r\n\u{1f600}";
    let header = json!({ "alg": "EdDSA", "kid": hostile, hostile: hostile });
    let claims = json!({ "sub": hostile, hostile: [hostile] });
    let secret = Key::Ed25519([1; 32]);
    let tokens = [
        sign(&header, &claims, &secret),
        sign_text(r#"{"alg":"EdDSA"}"#, hostile, &secret),
        sign_text(hostile, hostile, &secret),
    ];
    desk.write("keys.json", published());
    for token in &tokens {
        desk.write("token", token);
        let signature = token.rsplit_once('.').unwrap().1;
        for more in [&[][..], &["--json"], &["--jwks", "keys.json"], &["--jwks", "keys.json", "--json"]] {
            let arguments = [&["token", "inspect", "--token-file", "token"], more].concat();
            let ran = desk.run(&arguments, "");
            let screen = terminal::run(desk.command(&arguments), 80);
            let is_style = |text: &str| {
                text.starts_with('[')
                    && text.find(|letter: char| letter.is_ascii_alphabetic()) == text.find('m')
            };
            assert!(screen.written.split('\u{1b}').skip(1).all(is_style), "{screen:?}");
            for shown in [ran.output, ran.errors, screen.lines().join("\n")] {
                let is_plain = |letter: char| letter == '\n' || letter == ' ' || letter.is_ascii_graphic();
                assert!(shown.chars().all(is_plain), "{shown:?}");
                assert!(!shown.contains(signature) && !shown.contains(token.as_str()), "{shown}");
            }
        }
        let ran = desk.run(&["token", "inspect", "--token-file", "token", "--json"], "");
        assert!(ran.json().to_string().contains("[2J"), "escaped, it is the same JSON");
    }
    let ran = desk.run(&["token", "inspect", "-", "--json"], &tokens[0]);
    assert_eq!((&ran.json()["payload"], &ran.json()["header"]), (&claims, &header));
}

#[test]
fn a_terminal_gets_colours_and_a_pipe_does_not() {
    let desk = Desk::new();
    desk.write("token", RFC_8037);
    let arguments = ["token", "inspect", "--token-file", "token"];
    assert!(terminal::run(desk.command(&arguments), 80).is_styled());
    assert!(!desk.run(&arguments, "").output.contains('\u{1b}'));
}
