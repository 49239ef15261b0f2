use super::*;
use crate::algorithm::EdDsa;
use crate::algorithm::hmac::{Hmac, HmacSecret};
use crate::base64url;
use crate::signature_host::NoSignatureHost;
use ed25519_dalek::SigningKey;
use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::Sha256;

mod ec;
mod rsa;

fn x(seed: u8) -> String {
    base64url::encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes())
}

fn set(keys: &str) -> Result<KeySet, Vec<KeySetProblem>> {
    set_for(&[AlgorithmName::EdDsa], keys)
}

fn set_for(algorithms: &[AlgorithmName], keys: &str) -> Result<KeySet, Vec<KeySetProblem>> {
    KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes(), algorithms)
}

fn problem(keys: &str) -> String {
    problem_for(&[AlgorithmName::EdDsa], keys)
}

fn problem_for(algorithms: &[AlgorithmName], keys: &str) -> String {
    set_for(algorithms, keys).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
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
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":["verify","verify"]}}"#),
            "keys[1].key_ops: must not name an operation twice",
        ),
        (
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":[{}"verify"]}}"#, "1,".repeat(16)),
            "keys[1].key_ops: must name at most 16 operations",
        ),
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
    assert!(KeySet::parse(&large, &[AlgorithmName::EdDsa]).unwrap_err()[0].text.contains("larger than"));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "\u{feff}{\"keys\":[]}"] {
        assert!(KeySet::parse(text.as_bytes(), &[AlgorithmName::EdDsa]).is_err(), "{text}");
    }
}

#[test]
fn an_empty_set_may_stand_in_a_policy_but_is_no_answer_of_an_issuer() {
    assert_eq!(problem(""), "holds no key");
    let empty = KeySet::from_members(serde_json::json!({ "keys": [] }).as_object().unwrap(), &[]).unwrap();
    assert!(empty.is_empty());
    assert_eq!(
        empty.verify(None, AlgorithmName::EdDsa, b"", b"", &NoSignatureHost),
        Err(Rejection::KeyUnknown)
    );
}

#[test]
fn the_key_is_the_one_that_kid_names_and_without_kid_the_only_one() {
    let signing = SigningKey::from_bytes(&[1; 32]);
    let signature = EdDsa.sign(&signing, b"input");
    let bytes = signature.as_bytes();
    let jwk = |kid: &str, seed| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{}"}}"#, x(seed));
    let verify =
        |set: &KeySet, kid| set.verify(kid, AlgorithmName::EdDsa, b"input", &bytes, &NoSignatureHost);

    let one = set(&jwk("a", 1)).unwrap();
    assert_eq!(verify(&one, Some("a")), Ok(()));
    assert_eq!(verify(&one, None), Ok(()));
    assert_eq!(verify(&one, Some("A")), Err(Rejection::KeyUnknown));
    assert_eq!(
        one.verify(Some("a"), AlgorithmName::Hs256, b"input", &bytes, &NoSignatureHost),
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
    let secrets = [[1_u8; 32], [2; 32]].map(|secret| Secret::new(AlgorithmName::Hs256, &secret).unwrap());
    let signature = Hmac::<Sha256>::default().sign(&HmacSecret::new(&[2; 32]).unwrap(), b"input");
    let set = KeySet::from_secrets(secrets.to_vec());
    for kid in [None, Some("a")] {
        assert_eq!(
            set.verify(kid, AlgorithmName::Hs256, b"input", &signature.as_bytes(), &NoSignatureHost),
            Ok(())
        );
        assert_eq!(
            set.verify(kid, AlgorithmName::Hs256, b"Input", &signature.as_bytes(), &NoSignatureHost),
            Err(Rejection::SignatureInvalid)
        );
        assert_eq!(
            set.verify(kid, AlgorithmName::Hs256, b"input", b"short", &NoSignatureHost),
            Err(Rejection::SignatureInvalid)
        );
    }
}

#[test]
fn a_secret_shorter_than_the_hash_is_refused() {
    use AlgorithmName::{EdDsa, Hs256, Hs384, Hs512};
    for (algorithm, bytes) in [(Hs256, 32), (Hs384, 48), (Hs512, 64)] {
        let error = Secret::new(algorithm, &vec![7; bytes - 1]).unwrap_err();
        assert!(matches!(error, SecretError::TooShort(bound) if bound.min_bytes == bytes), "{error:?}");
        let secret = Secret::new(algorithm, &vec![7; bytes]).unwrap();
        assert!(!format!("{secret:?}").contains('7'), "{secret:?}");
    }
    assert_eq!(Secret::new(EdDsa, &[7; 64]).unwrap_err(), SecretError::NotSymmetric);
}

#[test]
fn a_key_of_an_algorithm_that_the_issuer_does_not_list_is_skipped_unread() {
    let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, x(1));
    for other in [
        r#"{"kty":"RSA","n":"AQAB","e":"AQ"}"#,
        r#"{"kty":"RSA","alg":"PS256","n":"AQAB","e":"AQ"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#,
        r#"{"kty":"EC","crv":"P-256","alg":"ES384","x":"AA","y":"AA"}"#,
    ] {
        let algorithms = [AlgorithmName::EdDsa, AlgorithmName::Es384, AlgorithmName::Rs256];
        let listed = if other.contains(r#""RSA","n""#) { &algorithms[..2] } else { &algorithms };
        let both = set_for(listed, &format!("{good},{other}")).unwrap();
        assert_eq!((both.len(), both.skipped(), both.undecided()), (1, 1, 0), "{other}");
    }
    assert!(
        problem_for(&[AlgorithmName::Es256, AlgorithmName::Rs256], &good)
            .contains("none of its 1 keys can be used for ES256, RS256")
    );
}

#[test]
fn keys_of_several_kinds_stand_in_one_set_and_each_verifies_its_own_algorithm_only() {
    use crate::fixtures::signers::{jwk_of, signature};
    use AlgorithmName::{EdDsa, Es256, Es384, Ps512, Rs256};
    let all = [EdDsa, Es256, Es384, Rs256, Ps512];
    let keys: Vec<_> = all
        .iter()
        .map(|name| {
            let mut jwk = jwk_of(*name);
            jwk["kid"] = name.as_str().into();
            jwk.to_string()
        })
        .collect();
    let set = set_for(&all, &keys.join(",")).unwrap();
    assert_eq!((set.len(), set.skipped()), (5, 0));
    for name in all {
        let signature = signature(name, b"input");
        for other in all {
            let verdict = set.verify(Some(other.as_str()), name, b"input", &signature, &NoSignatureHost);
            let expected = if other == name { Ok(()) } else { Err(Rejection::AlgorithmNotAllowed) };
            assert_eq!(verdict, expected, "{} by the key of {}", name.as_str(), other.as_str());
        }
        assert_eq!(
            set.verify(None, name, b"input", &signature, &NoSignatureHost),
            Ok(()),
            "{}",
            name.as_str()
        );
    }
}
