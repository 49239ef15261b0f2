//! Signatures that somebody else made and published.

use serde_json::json;

use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::explain::{Signature, inspect};
use crate::keys::{KeySet, Secret};
use crate::rejection::Rejection;
use crate::signature_host::NoSignatureHost;

/// The payload of the examples in RFC 7515.
const JOE: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
/// The payload of the examples in RFC 7520.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

/// Keys as the filter has them, and the JWK Set that holds them.
struct Keys {
    read: KeySet,
    set: String,
}

/// It holds, and does not if the message is another. Where the message is that of a JWS, an inspection says the same.
fn holds(keys: &Keys, algorithm: AlgorithmName, message: &str, signature: &str) {
    let decoded = base64url::decode(signature.as_bytes()).unwrap();
    let verify =
        |message: &str| keys.read.verify(None, algorithm, message.as_bytes(), &decoded, &NoSignatureHost);
    assert_eq!(verify(message), Ok(()), "{}", algorithm.as_str());
    assert_eq!(verify(&format!("{message}A")), Err(Rejection::SignatureInvalid), "{}", algorithm.as_str());
    if let Some((header, payload)) = message.split_once('.') {
        let inspect = |payload: &str| {
            let token = format!("{header}.{payload}.{signature}");
            inspect(token.as_bytes(), Some(keys.set.as_bytes())).unwrap()
        };
        let inspection = inspect(payload);
        assert_eq!((inspection.signature, inspection.reason), (Signature::Valid, None));
        assert_eq!(inspection.header.unwrap()["alg"], algorithm.as_str());
        assert!(inspection.payload.is_some());
        let inspection = inspect("e30");
        let expected = (Signature::Invalid, Some(Rejection::SignatureInvalid));
        assert_eq!((inspection.signature, inspection.reason), expected);
    }
}

fn public(algorithm: AlgorithmName, jwk: serde_json::Value) -> Keys {
    let set = json!({ "keys": [jwk] }).to_string();
    Keys { read: KeySet::parse(set.as_bytes(), &[algorithm]).unwrap(), set }
}

fn secret(algorithm: AlgorithmName, jwk: serde_json::Value) -> Keys {
    let secret = base64url::decode(jwk["k"].as_str().unwrap().as_bytes()).unwrap();
    let read = KeySet::from_secrets(vec![Secret::new(algorithm, &secret).unwrap()]);
    Keys { read, set: json!({ "keys": [jwk] }).to_string() }
}

#[test]
fn rfc_7515_appendix_a_1_hs256() {
    let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let input = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}");
    holds(
        &secret(AlgorithmName::Hs256, json!({ "kty": "oct", "k": k })),
        AlgorithmName::Hs256,
        &input,
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
}

#[test]
fn rfc_7515_appendix_a_2_rs256() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    holds(
        &public(AlgorithmName::Rs256, json!({ "kty": "RSA", "n": n, "e": "AQAB" })),
        AlgorithmName::Rs256,
        &format!("eyJhbGciOiJSUzI1NiJ9.{JOE}"),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
}

#[test]
fn rfc_7515_appendix_a_3_es256() {
    let (x, y) =
        ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    holds(
        &public(AlgorithmName::Es256, json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })),
        AlgorithmName::Es256,
        &format!("eyJhbGciOiJFUzI1NiJ9.{JOE}"),
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
}

#[test]
fn rfc_6979_appendix_a_2_6_es384() {
    let x = "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT";
    let y = "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg";
    holds(
        &public(AlgorithmName::Es384, json!({ "kty": "EC", "crv": "P-384", "x": x, "y": y })),
        AlgorithmName::Es384,
        "sample",
        "lO27kqXsuKrUc25WxpGRaz-IFAZmzp-nPWTE6pWtEzyBpkgVLkSs-W423R6A-r5Gme9K6xXxeM6h_kDbJgMTjxMOdAoZYkUmIDtjUdCjqU-jKcFFeG5nnnuCxxo4YorI",
    );
}

/// The key of RFC 7520 section 3.3, with the members that it has there.
fn bilbo(algorithm: AlgorithmName) -> Keys {
    let n = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
    let kid = "bilbo.baggins@hobbiton.example";
    public(algorithm, json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": n, "e": "AQAB" }))
}

#[test]
fn rfc_7520_section_4_1_rs256() {
    holds(
        &bilbo(AlgorithmName::Rs256),
        AlgorithmName::Rs256,
        &format!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}"),
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
    );
}

#[test]
fn rfc_7520_section_4_2_ps384() {
    holds(
        &bilbo(AlgorithmName::Ps384),
        AlgorithmName::Ps384,
        &format!("eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}"),
        "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
    );
}

#[test]
fn rfc_7520_section_4_4_hs256() {
    let k = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
    let kid = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
    let jwk = json!({ "kty": "oct", "kid": kid, "use": "sig", "alg": "HS256", "k": k });
    holds(
        &secret(AlgorithmName::Hs256, jwk),
        AlgorithmName::Hs256,
        &format!("eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.{FRODO}"),
        "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
    );
}

#[test]
fn rfc_8037_appendix_a_4_and_a_5_eddsa() {
    holds(
        &public(
            AlgorithmName::EdDsa,
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        ),
        AlgorithmName::EdDsa,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}
