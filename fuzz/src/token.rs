//! A token, as it stands after `Bearer`: form, header, key, signature.

use bearward_core::algorithm::AlgorithmName;
use bearward_core::base64url;
use bearward_core::issuer::Issuer;
use bearward_core::keys::KeySet;
use bearward_core::token::UnverifiedToken;
use bearward_core::verify::verify;
use std::sync::LazyLock;

use crate::gate::{self, Headers, of};
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
        let signed = forge::signed(token).expect("a token that our keys signed");
        assert_eq!(signed.payload["sub"], claims.subject());
        assert!(verify(token, &ISSUER, &KEYS, u64::MAX).is_err(), "no token is eternal");
        assert!(verify(token, &ISSUER, &KeySet::default(), NOW).is_err(), "no key, no token");
        for at in 0..token.len() {
            let mut changed = token.to_vec();
            changed[at] ^= 1;
            assert!(verify(&changed, &ISSUER, &KEYS, NOW).is_err(), "a bit of byte {at} changed");
        }
    }
    for (gate, headers) in requests(token) {
        gate::all()[gate].check(&headers);
    }
}

/// In a request for a path that anybody with a token may read, of each kind and in each place.
#[must_use]
pub fn arrivals(token: &[u8]) -> Vec<Arrival> {
    requests(token).map(|(gate, headers)| Arrival::Request(gate, headers)).to_vec()
}

fn requests(token: &[u8]) -> [(usize, Headers); 6] {
    let get = |target: &[u8], authority| gate::request("GET", target, authority);
    let pair = |before: &[u8]| [before, token].concat();
    [
        (of::API, gate::with_token(get(b"/api/orders", "api.test"), token)),
        (of::API, gate::with_token(get(b"/api/orders", "a.shop.test"), token)),
        (of::PLACES, gate::with(get(b"/rest/x", "api.test"), "x-access-token", token)),
        (of::PLACES, gate::with(get(b"/form/x", "api.test"), "cookie", &pair(b"a=b; session="))),
        (of::PLACES, get(&pair(b"/bucket/x?a=b&t="), "files.test")),
        (
            of::TRIAL,
            gate::with(get(&pair(b"/soft/x?access_token="), "any.test"), "cookie", &pair(b"access_token=")),
        ),
    ]
}

/// The same for the two kinds alone.
pub(crate) fn plain_requests(token: &[u8]) -> [Headers; 2] {
    let [(_, own), (_, other), ..] = requests(token);
    [own, other]
}
