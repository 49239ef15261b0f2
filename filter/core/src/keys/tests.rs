use super::*;
use crate::base64url;
use ed25519_dalek::SigningKey;

fn x(seed: u8) -> String {
    base64url::encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes())
}

fn set(keys: &str) -> Result<KeySet, Vec<KeySetProblem>> {
    KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes())
}

fn problem(keys: &str) -> String {
    set(keys).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_key_of_ed25519_is_read_with_or_without_the_optional_members() {
    let x = x(1);
    for members in
        ["", r#","kid":"a""#, r#","use":"sig","alg":"EdDSA","key_ops":["verify"]"#, r#","alg":"Ed25519""#]
    {
        let set = set(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{members}}}"#)).unwrap();
        assert_eq!((set.len(), set.skipped()), (1, 0), "{members}");
    }
}

#[test]
fn keys_that_are_not_for_this_use_are_skipped_beside_one_that_is() {
    let x = x(1);
    let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    for other in [
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(),
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned(),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc"}}"#),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":["sign"]}}"#),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"ES256"}}"#),
    ] {
        let both = set(&format!("{good},{other}")).unwrap();
        assert_eq!((both.len(), both.skipped()), (1, 1), "{other}");
        assert!(problem(&other).contains("none of its 1 keys"), "{other}");
    }
}

#[test]
fn one_wrong_key_refuses_the_whole_set_and_every_problem_is_named() {
    let x = x(1);
    let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}"#);
    let long = "k".repeat(129);
    for (other, expected) in [
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}"#), "keys[1].kid: another key"),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"AA"}}"#), "keys[1].d: private"),
        (r#"{"kty":"oct","k":"AA"}"#.to_owned(), "keys[1].k: private"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(), "keys[1].x: must be 32 bytes"),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(), "keys[1].x: must be a string"),
        (
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url::encode(&[0; 32])),
            "keys[1].x: is not a point",
        ),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":7}}"#), "keys[1].kid: must be a string"),
        (
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{long}"}}"#),
            "keys[1].kid: must have 1 to 128",
        ),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":""}}"#), "keys[1].kid: must have 1 to 128"),
        (r#"{"crv":"Ed25519"}"#.to_owned(), "keys[1].kty: is missing"),
        (r#"7"#.to_owned(), "keys[1]: must be an object"),
    ] {
        let text = problem(&format!("{good},{other}"));
        assert!(text.contains(expected), "{other}: {text}");
    }
    let text = problem(&format!(r#"{good},{{"kty":7,"kid":7}},{{"kty":"oct","k":"AA"}}"#));
    assert!(
        text.contains("keys[1].kty") && text.contains("keys[1].kid") && text.contains("keys[2].k"),
        "{text}"
    );
}

#[test]
fn a_text_that_is_no_set_is_refused() {
    let many = vec!["{}"; MAX_KEYS + 1].join(",");
    let large = vec![b' '; MAX_JWK_SET_BYTES + 1];
    assert!(problem(&many).contains("more than 64 keys"));
    assert!(KeySet::parse(&large).unwrap_err()[0].text.contains("larger than"));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "\u{feff}{\"keys\":[]}"] {
        assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn an_empty_set_may_stand_in_a_policy_but_is_no_answer_of_an_issuer() {
    assert_eq!(problem(""), "holds no key");
    let empty = KeySet::from_members(serde_json::json!({ "keys": [] }).as_object().unwrap()).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.verify(None, AlgorithmName::EdDsa, b"", b""), Err(Rejection::KeyUnknown));
}

#[test]
fn the_key_is_the_one_that_kid_names_and_without_kid_the_only_one() {
    let signing = SigningKey::from_bytes(&[1; 32]);
    let signature = EdDsa.sign(&signing, b"input");
    let bytes = signature.as_bytes();
    let jwk = |kid: &str, seed| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{}"}}"#, x(seed));
    let verify = |set: &KeySet, kid| set.verify(kid, AlgorithmName::EdDsa, b"input", &bytes);

    let one = set(&jwk("a", 1)).unwrap();
    assert_eq!(verify(&one, Some("a")), Ok(()));
    assert_eq!(verify(&one, None), Ok(()));
    assert_eq!(verify(&one, Some("A")), Err(Rejection::KeyUnknown));
    assert_eq!(
        one.verify(Some("a"), AlgorithmName::Hs256, b"input", &bytes),
        Err(Rejection::AlgorithmNotAllowed)
    );

    let two = set(&format!("{},{}", jwk("a", 1), jwk("b", 2))).unwrap();
    assert_eq!(verify(&two, Some("a")), Ok(()));
    assert_eq!(verify(&two, Some("b")), Err(Rejection::SignatureInvalid));
    assert_eq!(verify(&two, None), Err(Rejection::KeyUnknown));

    let unnamed = set(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, x(1))).unwrap();
    assert_eq!(verify(&unnamed, None), Ok(()));
    assert_eq!(verify(&unnamed, Some("a")), Err(Rejection::KeyUnknown));
}

#[test]
fn any_of_several_secrets_may_have_signed_whatever_kid_says() {
    let secrets = [[1_u8; 32], [2; 32]].map(|secret| Hs256Secret::new(&secret).unwrap());
    let signature = Hs256.sign(&secrets[1], b"input");
    let set = KeySet::from_secrets(secrets.to_vec());
    for kid in [None, Some("a")] {
        assert_eq!(set.verify(kid, AlgorithmName::Hs256, b"input", &signature.as_bytes()), Ok(()));
        assert_eq!(
            set.verify(kid, AlgorithmName::Hs256, b"Input", &signature.as_bytes()),
            Err(Rejection::SignatureInvalid)
        );
        assert_eq!(
            set.verify(kid, AlgorithmName::Hs256, b"input", b"short"),
            Err(Rejection::SignatureInvalid)
        );
    }
}

#[test]
fn a_secret_shorter_than_the_hash_is_refused() {
    assert!(Hs256Secret::new(&[7; 31]).is_err());
    assert!(Hs256Secret::new(&[7; 32]).is_ok());
    assert!(!format!("{:?}", Hs256Secret::new(&[7; 32]).unwrap()).contains('7'));
}
