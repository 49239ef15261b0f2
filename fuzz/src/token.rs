//! A token, as it stands after `Bearer`: form, header, key, signature.

use bearward_core::algorithm::AlgorithmName;
use bearward_core::base64url;
use bearward_core::issuer::Issuer;
use bearward_core::keys::KeySet;
use bearward_core::token::UnverifiedToken;
use bearward_core::verify::verify;
use std::sync::LazyLock;

use crate::gate::{self, Headers};
use crate::target::Arrival;
use crate::{NOW, forge};

/// # Panics
/// If a token is taken that our keys did not sign, or in two forms, or is judged in two ways.
pub fn check(token: &[u8]) {
    static ISSUER: LazyLock<Issuer> =
        LazyLock::new(|| Issuer::rfc9068("http://issuer.test", &["api".to_owned()]));
    static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
        let members = gate::all()[0].document["issuers"]["own"]["keys"]["jwks"].as_object();
        KeySet::from_members(members.expect("an object"), &[AlgorithmName::EdDsa]).expect("keys")
    });
    let parsed = UnverifiedToken::parse(token);
    let verified = verify(token, &ISSUER, &KEYS, NOW);
    assert_eq!(verified, verify(token, &ISSUER, &KEYS, NOW), "the same token twice");
    match &parsed {
        Err(rejection) => assert_eq!(verified.as_ref(), Err(rejection), "form comes first"),
        Ok(_) => {
            for segment in token.split(|byte| *byte == b'.') {
                let decoded = base64url::decode(segment).expect("base64url");
                assert_eq!(base64url::encode(&decoded).as_bytes(), segment, "one encoding of each segment");
            }
        }
    }
    if let Ok(claims) = verified {
        let payload = forge::ours(token).expect("a token that our keys signed");
        assert_eq!(payload["sub"], claims.subject());
        assert!(verify(token, &ISSUER, &KEYS, u64::MAX).is_err(), "no token is eternal");
        assert!(verify(token, &ISSUER, &KeySet::default(), NOW).is_err(), "no key, no token");
        for at in 0..token.len() {
            let mut changed = token.to_vec();
            changed[at] ^= 1;
            assert!(verify(&changed, &ISSUER, &KEYS, NOW).is_err(), "a bit of byte {at} changed");
        }
    }
    for headers in requests(token) {
        gate::all()[0].check(&headers);
    }
}

/// In a request for a path that anybody with a token may read, of either kind.
#[must_use]
pub fn arrivals(token: &[u8]) -> Vec<Arrival> {
    requests(token).map(|headers| Arrival::Request(0, headers)).to_vec()
}

pub(crate) fn requests(token: &[u8]) -> [Headers; 2] {
    ["api.test", "a.shop.test"]
        .map(|authority| gate::with_token(gate::request("GET", b"/api/orders", authority), token))
}
