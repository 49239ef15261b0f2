use serde_json::json;

use super::*;
use crate::algorithm::AlgorithmName;
use crate::fixtures::signers::{SECRET, jwk_of, signature};
use crate::fixtures::{NOW, jwk, sign_texts, token};

const HEADER: &str = r#"{"alg":"EdDSA"}"#;

fn set(keys: Value) -> String {
    json!({ "keys": keys }).to_string()
}

/// What comes of a token, with keys and without.
fn judged(token: &str, jwks: Option<&str>) -> (Signature, Option<&'static str>) {
    let Inspection { signature, reason, .. } = inspect(token.as_bytes(), jwks.map(str::as_bytes)).unwrap();
    (signature, reason.map(|reason| reason.row().reason))
}

fn parts(token: &str) -> (Option<Value>, Option<Value>) {
    let Inspection { header, payload, .. } = inspect(token.as_bytes(), None).unwrap();
    (header, payload)
}

#[test]
fn a_signature_of_every_algorithm_is_verified_and_secrets_are_keys_like_others() {
    for algorithm in AlgorithmName::ALL {
        let header = json!({ "alg": algorithm.as_str(), "kid": "k1" }).to_string();
        let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(b"text"));
        let signed = signature(*algorithm, input.as_bytes());
        let token = format!("{input}.{}", base64url::encode(&signed));
        let jwk = if algorithm.is_symmetric() {
            let k = base64url::encode(SECRET);
            json!({ "kty": "oct", "kid": "k1", "alg": algorithm.as_str(), "use": "sig", "k": k })
        } else {
            jwk_of(*algorithm)
        };
        let other = json!({ "kty": "oct", "kid": "k3", "k": base64url::encode(&[7; 64]) });
        let keys = json!([jwk, crate::fixtures::jwk("k2", 2), other]);
        assert_eq!(judged(&token, Some(&set(keys))), (Signature::Valid, None), "{algorithm:?}");
        let mut other = signed.clone();
        other[0] ^= 1;
        let tampered = format!("{input}.{}", base64url::encode(&other));
        let expected = (Signature::Invalid, Some("signature_invalid"));
        assert_eq!(judged(&tampered, Some(&set(json!([jwk])))), expected, "{algorithm:?}");
        assert_eq!(judged(&token, None), (Signature::NotChecked, None));
    }
}

#[test]
fn secrets_are_read_as_strictly_as_other_keys() {
    let header = json!({ "alg": "HS256" }).to_string();
    let input = format!("{}.e30", base64url::encode(header.as_bytes()));
    let tag = signature(AlgorithmName::Hs256, input.as_bytes());
    let token = format!("{input}.{}", base64url::encode(&tag));
    let good = json!({ "kty": "oct", "k": base64url::encode(SECRET) });
    let valid = (Signature::Valid, None);
    let wrong = (Signature::NotChecked, Some("keys_unavailable"));
    let unknown = (Signature::Invalid, Some("key_unknown"));
    for (changes, expected) in [
        (json!({}), valid),
        (json!({ "alg": "HS256", "use": "sig", "key_ops": ["sign", "verify"] }), valid),
        (json!({ "alg": "HS512" }), unknown),
        (json!({ "use": "enc" }), unknown),
        (json!({ "key_ops": ["sign"] }), unknown),
        (json!({ "kid": 7 }), wrong),
        (json!({ "kid": "" }), wrong),
        (json!({ "key_ops": ["verify", "verify"] }), wrong),
        (json!({ "key_ops": "verify" }), wrong),
        (json!({ "k": base64url::encode(&SECRET[..31]) }), wrong),
        (json!({ "k": format!("{}=", base64url::encode(SECRET)) }), wrong),
        (json!({ "k": null }), wrong),
        (json!({ "d": "AA" }), wrong),
        (json!({ "alg": 256 }), wrong),
        (json!({ "kty": "OCT" }), wrong),
    ] {
        let mut jwk = good.clone();
        jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(judged(&token, Some(&set(json!([jwk])))), expected, "{changes}");
    }
    let other = json!({ "kty": "oct", "k": base64url::encode(&SECRET[1..]) });
    let expected = (Signature::Invalid, Some("signature_invalid"));
    assert_eq!(judged(&token, Some(&set(json!([other])))), expected);
    assert_eq!(judged(&token, Some(&set(json!([good, other])))), unknown, "which of two, nobody said");
}

/// A public key is no secret, and a secret no public key.
#[test]
fn keys_are_never_taken_for_another_algorithm() {
    let header = base64url::encode(br#"{"alg":"HS256","kid":"k1"}"#);
    let jwks = set(json!([jwk_of(AlgorithmName::Rs256)]));
    let expected = (Signature::Invalid, Some("key_unknown"));
    assert_eq!(judged(&format!("{header}.e30.AAAA"), Some(&jwks)), expected);
    assert_eq!(judged(&token(json!({})), Some(&set(json!([])))), expected);
    assert_eq!(judged(&token(json!({})), Some(&set(json!([jwk("k2", 1)])))), expected);
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": jwk("k1", 1)["x"], "d": "AA" });
    let expected = (Signature::NotChecked, Some("keys_unavailable"));
    assert_eq!(judged(&token(json!({})), Some(&set(json!([private])))), expected);
}

#[test]
fn what_is_no_jwk_set_is_an_error_whatever_the_token_is() {
    for jwks in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "-----BEGIN PUBLIC KEY-----"] {
        for token in [token(json!({})).as_str(), "nonsense"] {
            assert!(inspect(token.as_bytes(), Some(jwks.as_bytes())).is_err(), "{jwks}");
        }
    }
    let jwks = "{}";
    let problem = inspect(b"", Some(jwks.as_bytes())).unwrap_err();
    assert_eq!(problem.to_string(), "the member `keys` must be an array");
}

#[test]
fn as_much_is_shown_as_can_be_read_also_of_what_is_refused() {
    let keys = set(json!([jwk("k1", 1)]));
    let none = base64url::encode(br#"{"alg":"none"}"#);
    let crit = base64url::encode(br#"{"alg":"EdDSA","crit":["exp"]}"#);
    let twice = base64url::encode(br#"{"alg":"EdDSA","alg":"none"}"#);
    let (object, text) = (|| Some(json!({})), |text: &str| Some(json!(text)));
    for (token, header, payload, reason) in [
        (format!("{none}.e30."), Some(json!({ "alg": "none" })), object(), "token_malformed"),
        (format!("{none}.e30.AA"), Some(json!({ "alg": "none" })), object(), "algorithm_not_allowed"),
        (
            format!("{crit}.e30.AA"),
            Some(json!({ "alg": "EdDSA", "crit": ["exp"] })),
            object(),
            "token_malformed",
        ),
        (format!("{twice}.e30.AA"), text(r#"{"alg":"EdDSA","alg":"none"}"#), object(), "token_malformed"),
        ("e30=.e30.AA".to_owned(), None, object(), "token_malformed"),
        (format!("{none}.e31.AA"), Some(json!({ "alg": "none" })), None, "algorithm_not_allowed"),
        (format!("{none}.e30"), Some(json!({ "alg": "none" })), object(), "token_malformed"),
        (format!("{none}.e30.AA.AA.AA"), Some(json!({ "alg": "none" })), None, "token_malformed"),
        ("opaque!".to_owned(), None, None, "token_malformed"),
        (String::new(), None, None, "token_malformed"),
        ("..".to_owned(), None, None, "token_malformed"),
    ] {
        assert_eq!(parts(&token), (header, payload), "{token}");
        assert_eq!(judged(&token, None), (Signature::NotChecked, Some(reason)), "{token}");
        assert_eq!(judged(&token, Some(&keys)), (Signature::Invalid, Some(reason)), "{token}");
    }
}

#[test]
fn a_payload_may_be_anything() {
    let keys = set(json!([jwk("k1", 1)]));
    for (payload, expected) in [
        ("Example of Ed25519 signing", json!("Example of Ed25519 signing")),
        ("[1]", json!([1])),
        ("7", json!(7)),
        (r#"{"a":1,"a":2}"#, json!(r#"{"a":1,"a":2}"#)),
        ("\u{1b}[2J", json!("\u{1b}[2J")),
    ] {
        let token = sign_texts(HEADER, payload);
        assert_eq!(parts(&token).1, Some(expected), "{payload}");
        assert_eq!(judged(&token, Some(&keys)), (Signature::Valid, None));
    }
    assert_eq!(parts("e30.__8.AA").1, Some(json!("__8")), "what is no text stays as it is");
}

#[test]
fn time_plays_no_part() {
    let keys = set(json!([jwk("k1", 1)]));
    assert_eq!(judged(&token(json!({ "exp": NOW - 1_000_000 })), Some(&keys)), (Signature::Valid, None));
}

#[test]
fn what_is_said_holds_no_token_and_cannot_steer_a_terminal() {
    let keys = set(json!([jwk("k1", 1)]));
    let hostile = sign_texts("{\"alg\":\"EdDSA\",\"kid\":\"\\u001b[2J\u{9b}\"}", "{}");
    let duplicate = sign_texts("{\"\\u001b\":1,\"\\u001b\":1}", "{}");
    for token in [&hostile, &duplicate, "a.b", "\u{1b}.\u{1b}.\u{1b}"] {
        let notes = inspect(token.as_bytes(), Some(keys.as_bytes())).unwrap().notes;
        assert!(!notes.is_empty());
        for note in notes {
            assert!(note.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()), "{note}");
            assert!(!note.contains(token));
        }
    }
}
