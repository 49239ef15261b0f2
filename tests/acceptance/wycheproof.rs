//! Project Wycheproof's signatures under our own keys: by the filter itself, and by the host where it can.

mod hosts;
mod sets;

use bearward_core::signature_host::NoSignatureHost;
use bearward_tests::note::note;

use self::hosts::Envoy;
use self::sets::{Expected, Vector};

/// Every vector of these sets, by the filter itself and with a host to ask.
fn all_hold(about: &str, vectors: &[Vector]) {
    let host = Envoy::default();
    let mut wrong = Vec::new();
    for vector in vectors {
        let alone = vector.holds(&NoSignatureHost);
        let with_host = vector.holds(&host);
        let fine = match vector.expected {
            Expected::Valid => alone && with_host,
            Expected::Invalid => !alone && !with_host,
            // What a strict verifier may refuse, ours does.
            Expected::Acceptable => !alone && !with_host,
        };
        if !fine {
            wrong.push(format!(
                "{}: {:?}, but alone {alone}, with a host {with_host}",
                vector.name, vector.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{about}: {} of {} wrong\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    let valid = vectors.iter().filter(|vector| vector.expected == Expected::Valid).count();
    assert!(valid > 0 && valid < vectors.len(), "{about}: {valid} of {} are valid", vectors.len());
    note(&format!(
        "wycheproof: {about}: {} signatures, {valid} valid, {} asked of the host",
        vectors.len(),
        host.asked()
    ));
}

#[test]
fn eddsa_is_verified_as_wycheproof_says() {
    all_hold("EdDSA", &sets::eddsa());
}

#[test]
fn ecdsa_is_verified_as_wycheproof_says() {
    all_hold("ES256, ES384", &sets::ecdsa());
}

#[test]
fn rsa_with_pkcs1_is_verified_as_wycheproof_says() {
    all_hold("RS256, RS384, RS512", &sets::rsa_pkcs1());
}

#[test]
fn rsa_with_pss_is_verified_as_wycheproof_says() {
    all_hold("PS256, PS384, PS512", &sets::rsa_pss());
}

#[test]
fn hmac_is_verified_as_wycheproof_says() {
    all_hold("HS256, HS384, HS512", &sets::hmac());
}
