use super::*;
use crate::fixtures::{ISS, NOW, header, key_set, payload, sign, sign_texts, token, with};
use crate::verify::verify;
use serde_json::json;

fn judge(token: &str) -> Result<(), Rejection> {
    verify(token.as_bytes(), &Issuer::rfc9068(ISS, &["api".to_owned()]), &key_set(), NOW).map(|_| ())
}

#[test]
fn a_token_has_three_segments_that_are_not_empty() {
    let good = token(json!({}));
    assert_eq!(judge(&good), Ok(()));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "this.is.fake".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}."),
        format!("{good}.{signature}.{signature}"),
        format!("{good}=="),
        format!("{header}.{payload}.{signature}\n"),
        format!("{header}.{payload}.+{signature}"),
    ] {
        assert_eq!(judge(&bad), Err(Rejection::TokenMalformed), "{bad}");
    }
}

#[test]
fn a_token_is_not_looked_at_beyond_its_bound() {
    let long = token(json!({ "x": "x".repeat(MAX_TOKEN_BYTES) }));
    assert_eq!(judge(&long), Err(Rejection::TokenTooLarge));
}

#[test]
fn header_and_payload_are_json_objects_without_duplicates() {
    let (header, payload) = (header().to_string(), payload().to_string());
    for bad in ["", "[]", "7", "null", "{", "{}x", "\u{feff}{}"] {
        assert_eq!(judge(&sign_texts(bad, &payload)), Err(Rejection::TokenMalformed), "header {bad}");
        assert_eq!(judge(&sign_texts(&header, bad)), Err(Rejection::TokenMalformed), "payload {bad}");
    }
    let twice = header.replacen('{', r#"{"alg":"EdDSA","#, 1);
    assert_eq!(judge(&sign_texts(&twice, &payload)), Err(Rejection::TokenMalformed));
    let twice = payload.replacen('{', r#"{"sub":"u2","#, 1);
    assert_eq!(judge(&sign_texts(&header, &twice)), Err(Rejection::TokenMalformed));
}

#[test]
fn no_algorithm_but_the_configured_is_taken_in_any_letter_case() {
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "eddsa", "EDDSA", "Ed448"] {
        let token = sign(&with(header(), json!({ "alg": alg })), &payload());
        assert_eq!(judge(&token), Err(Rejection::AlgorithmNotAllowed), "{alg}");
    }
    for alg in [json!(null), json!(7), json!(["EdDSA"])] {
        let mut header = header();
        header["alg"] = alg;
        assert_eq!(judge(&sign(&header, &payload())), Err(Rejection::TokenMalformed));
    }
    assert_eq!(judge(&sign(&with(header(), json!({ "alg": "Ed25519" })), &payload())), Ok(()), "RFC 9864");
}

#[test]
fn extensions_that_change_the_meaning_are_refused() {
    for (member, value, expected) in [
        ("crit", json!(["exp"]), Rejection::TokenMalformed),
        ("crit", json!([]), Rejection::TokenMalformed),
        ("b64", json!(false), Rejection::TokenMalformed),
        ("cty", json!("JWT"), Rejection::TypeNotAllowed),
        ("cty", json!("json"), Rejection::TypeNotAllowed),
        ("cty", json!("CBOR"), Rejection::TypeNotAllowed),
        ("kid", json!(7), Rejection::TokenMalformed),
        ("kid", json!(""), Rejection::TokenMalformed),
        ("kid", json!("k".repeat(MAX_KEY_ID_BYTES + 1)), Rejection::TokenMalformed),
        ("typ", json!(7), Rejection::TokenMalformed),
    ] {
        let token = sign(&with(header(), json!({ member: value })), &payload());
        assert_eq!(judge(&token), Err(expected), "{member} {value}");
    }
}

#[test]
fn keys_that_a_token_brings_along_are_ignored() {
    let foreign = crate::fixtures::jwk("k1", 9);
    let header = with(
        header(),
        json!({ "jwk": foreign, "jku": "http://evil.test", "x5u": "http://evil.test", "x5c": ["AA"] }),
    );
    assert_eq!(judge(&sign(&header, &payload())), Ok(()));
}

#[test]
fn the_type_is_one_of_the_issuers() {
    for (typ, expected) in [
        ("at+jwt", Ok(())),
        ("AT+JWT", Ok(())),
        ("application/at+jwt", Ok(())),
        ("JWT", Err(Rejection::TypeNotAllowed)),
        ("application/x/at+jwt", Err(Rejection::TypeNotAllowed)),
        ("", Err(Rejection::TypeNotAllowed)),
        ("logout+jwt", Err(Rejection::TypeNotAllowed)),
    ] {
        assert_eq!(judge(&sign(&with(header(), json!({ "typ": typ })), &payload())), expected, "{typ}");
    }
    assert_eq!(
        judge(&sign(&with(header(), json!({ "typ": null })), &payload())),
        Err(Rejection::TypeNotAllowed)
    );
    let plain = Issuer { token_types: vec!["jwt".to_owned()], ..Issuer::rfc9068(ISS, &["api".to_owned()]) };
    let untyped = sign(&with(header(), json!({ "typ": null })), &payload());
    assert!(verify(untyped.as_bytes(), &plain, &key_set(), NOW).is_ok(), "typ is optional in RFC 7519");
}

#[test]
fn nothing_about_claims_is_reported_before_the_signature_holds() {
    let forged = |changes: Value| {
        let good = token(json!({}));
        let signature = good.rsplit_once('.').unwrap().1.to_owned();
        let input = token(changes);
        format!("{}.{signature}", input.rsplit_once('.').unwrap().0)
    };
    for changes in [
        json!({ "exp": 0 }),
        json!({ "exp": "never" }),
        json!({ "aud": "other" }),
        json!({ "roles": ["admin"] }),
        json!({ "sub": 7 }),
    ] {
        assert_eq!(judge(&forged(changes)), Err(Rejection::SignatureInvalid));
    }
}

#[test]
fn a_signature_of_the_wrong_length_is_invalid() {
    let good = token(json!({}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let bytes = base64url::decode(signature.as_bytes()).unwrap();
    for bytes in [&bytes[..63], &[bytes.as_slice(), &[0]].concat(), &[0; 64]] {
        let token = format!("{input}.{}", base64url::encode(bytes));
        assert_eq!(judge(&token), Err(Rejection::SignatureInvalid));
    }
}
