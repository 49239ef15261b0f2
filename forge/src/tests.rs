use bearward_core::keys::{KeySet, Secret};
use bearward_core::signature_host::NoSignatureHost;
use serde_json::{Value, json};

use super::*;

/// What verifies a key's signatures, read by the strict code of the filter.
fn keys_of(key: &Key, algorithm: AlgorithmName) -> KeySet {
    match key.as_secret() {
        Some(secret) => KeySet::from_secrets(vec![Secret::new(algorithm, secret).unwrap()]),
        None => {
            let set = json!({ "keys": [key.jwk()] }).to_string();
            KeySet::parse(set.as_bytes(), &[algorithm]).unwrap()
        }
    }
}

#[test]
fn a_random_key_of_every_algorithm_signs_what_the_filter_takes_and_no_other_key_does() {
    // Made once: to make one of RSA takes long.
    let rsa = [AlgorithmName::Rs256; 2].map(|algorithm| Key::random(algorithm).unwrap());
    for algorithm in AlgorithmName::ALL {
        let [key, other] = if rsa[0].is_for(*algorithm) {
            rsa.clone()
        } else {
            [*algorithm; 2].map(|algorithm| Key::random(algorithm).unwrap())
        };
        assert!(key.is_for(*algorithm));
        let keys = keys_of(&key, *algorithm);
        let holds = |signature: &[u8]| {
            keys.verify(None, *algorithm, b"header.payload", signature, &NoSignatureHost).is_ok()
        };
        assert!(holds(&key.sign(*algorithm, b"header.payload").unwrap()), "{algorithm:?}");
        assert!(!holds(&other.sign(*algorithm, b"header.payload").unwrap()), "{algorithm:?}");
        assert!(!holds(&key.sign(*algorithm, b"header.other").unwrap()), "{algorithm:?}");
    }
}

#[test]
fn a_key_signs_with_the_algorithms_of_its_kind_alone() {
    let keys = [
        Key::ed25519(&[1; 32]),
        Key::p256(&[1; 32]).unwrap(),
        Key::p384(&[1; 48]).unwrap(),
        Key::secret(b"secret"),
    ];
    for key in keys {
        for algorithm in AlgorithmName::ALL {
            let signed = key.sign(*algorithm, b"text");
            assert_eq!(signed.is_ok(), key.is_for(*algorithm), "{algorithm:?}");
            if !key.is_for(*algorithm) {
                assert_eq!(signed, Err(ForgeError::Unfit(*algorithm)));
            }
        }
    }
}

#[test]
fn keys_of_given_bytes_are_always_the_same_and_bytes_that_are_none_are_refused() {
    assert_eq!(Key::ed25519(&[1; 32]).jwk()["x"], "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w");
    let same = |make: fn() -> Key| make().jwk() == make().jwk();
    assert!(same(|| Key::p256(&[1; 32]).unwrap()) && same(|| Key::p384(&[1; 48]).unwrap()));
    for scalar in [[0; 32], [0xff; 32]] {
        assert_eq!(Key::p256(&scalar).unwrap_err(), ForgeError::NoKey("P-256"));
    }
    assert_eq!(Key::p384(&[0xff; 48]).unwrap_err(), ForgeError::NoKey("P-384"));
    for jwk in
        [json!({}), json!({ "n": "AQAB" }), json!({ "n": "_", "e": "AQAB", "d": "AQ", "p": "AQ", "q": "AQ" })]
    {
        assert_eq!(Key::rsa(&jwk).unwrap_err(), ForgeError::NoKey("RSA"), "{jwk}");
    }
}

#[test]
fn the_key_of_rfc_7515_signs_as_appendix_a_2_does() {
    let jwk: Value =
        serde_json::from_str(include_str!("../../tests/vectors/rsa-key-of-rfc-7515.json")).unwrap();
    let key = Key::rsa(&jwk).unwrap();
    assert_eq!((&key.jwk()["n"], &key.jwk()["e"]), (&jwk["n"], &jwk["e"]));
    let payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    let token = compact(r#"{"alg":"RS256"}"#, payload, &key, AlgorithmName::Rs256.into()).unwrap();
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    assert_eq!(token, format!("eyJhbGciOiJSUzI1NiJ9.{payload}.{signature}"));
    assert!(key.rsa_pem().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
}

#[test]
fn a_salt_that_a_key_has_no_room_for_is_an_error() {
    let jwk: Value =
        serde_json::from_str(include_str!("../../tests/vectors/rsa-key-of-rfc-7515.json")).unwrap();
    let scheme = Scheme { algorithm: AlgorithmName::Ps256, salt_bytes: Some(1000) };
    assert_eq!(
        Key::rsa(&jwk).unwrap().sign(scheme, b"text"),
        Err(ForgeError::NotSigned(AlgorithmName::Ps256))
    );
}

#[test]
fn nothing_of_a_key_is_shown() {
    assert_eq!(format!("{:?}", Key::secret(b"secret")), "Key(..)");
}
