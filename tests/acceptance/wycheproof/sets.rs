//! Wycheproof's sets as signatures under a JWK Set or a secret of ours.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::{KeySet, Secret};
use bearward_core::signature_host::SignatureHost;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// One signature.
pub(super) struct Vector {
    pub(super) name: String,
    pub(super) expected: Expected,
    algorithm: AlgorithmName,
    keys: Rc<KeySet>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Valid,
    Invalid,
    Acceptable,
}

impl From<TestResult> for Expected {
    fn from(result: TestResult) -> Self {
        match result {
            TestResult::Valid => Self::Valid,
            TestResult::Invalid => Self::Invalid,
            TestResult::Acceptable => Self::Acceptable,
        }
    }
}

impl Vector {
    pub(super) fn holds(&self, host: &dyn SignatureHost) -> bool {
        self.keys.verify(Some("k"), self.algorithm, &self.message, &self.signature, host).is_ok()
    }
}

/// The tests of a group as vectors. The groups of each set are types of their own with members of the same names.
macro_rules! vectors {
    ($set:expr, $algorithm:expr, $keys:expr, $group:expr, $signature:ident, $expected:expr) => {{
        let keys = Rc::new($keys);
        $group.tests.iter().map(move |test| Vector {
            name: format!("{:?} {} {}", $set, test.tc_id, test.comment),
            expected: $expected(test.result.into()),
            algorithm: $algorithm,
            keys: Rc::clone(&keys),
            message: test.msg.to_vec(),
            signature: test.$signature.to_vec(),
        })
    }};
}

pub(super) fn eddsa() -> Vec<Vector> {
    let set = eddsa::TestName::Ed25519;
    let mut all = Vec::new();
    for group in eddsa::TestSet::load(set).unwrap().test_groups {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk) });
        let keys = public(AlgorithmName::EdDsa, jwk);
        // By the library's own verification, and with what was computed of the key beforehand.
        for keys in [keys.clone(), keys.prepared()] {
            all.extend(vectors!(set, AlgorithmName::EdDsa, keys, group, sig, as_it_is));
        }
    }
    all
}

pub(super) fn ecdsa() -> Vec<Vector> {
    use ecdsa::TestName;
    let mut all = Vec::new();
    for (set, algorithm, crv, bytes) in [
        (TestName::EcdsaSecp256r1Sha256P1363, AlgorithmName::Es256, "P-256", 32),
        (TestName::EcdsaSecp384r1Sha384P1363, AlgorithmName::Es384, "P-384", 48),
    ] {
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            // 04, then both coordinates.
            let (x, y) = group.key.key[1..].split_at(bytes);
            let keys = public(algorithm, json!({ "kty": "EC", "crv": crv, "x": encode(x), "y": encode(y) }));
            all.extend(vectors!(set, algorithm, keys, group, sig, as_it_is));
        }
    }
    all
}

pub(super) fn rsa_pkcs1() -> Vec<Vector> {
    use rsa_pkcs1_verify::TestName;
    let mut all = Vec::new();
    for (set, algorithm) in [
        (TestName::Rsa2048Sha256, AlgorithmName::Rs256),
        (TestName::Rsa3072Sha256, AlgorithmName::Rs256),
        (TestName::Rsa4096Sha256, AlgorithmName::Rs256),
        (TestName::Rsa8192Sha256, AlgorithmName::Rs256),
        (TestName::Rsa2048Sha384, AlgorithmName::Rs384),
        (TestName::Rsa3072Sha384, AlgorithmName::Rs384),
        (TestName::Rsa4096Sha384, AlgorithmName::Rs384),
        (TestName::Rsa2048Sha512, AlgorithmName::Rs512),
        (TestName::Rsa3072Sha512, AlgorithmName::Rs512),
        (TestName::Rsa4096Sha512, AlgorithmName::Rs512),
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let keys = rsa(algorithm, &group.key.n, &group.key.e);
            all.extend(vectors!(set, algorithm, keys, group, sig, as_it_is));
        }
    }
    all
}

pub(super) fn rsa_pss() -> Vec<Vector> {
    use rsa_pss_verify::TestName;
    let mut all = Vec::new();
    for (set, algorithm, is_ours) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, AlgorithmName::Ps256, true),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, AlgorithmName::Ps256, true),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, AlgorithmName::Ps256, true),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, AlgorithmName::Ps384, true),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, AlgorithmName::Ps384, true),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, AlgorithmName::Ps512, true),
        // Another salt or another hash for the mask: good signatures, which RFC 7518 section 3.5 does not want.
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, AlgorithmName::Ps256, false),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, AlgorithmName::Ps256, false),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, AlgorithmName::Ps512, false),
    ] {
        let expected = move |found| if is_ours { found } else { Expected::Invalid };
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let keys = rsa(algorithm, &group.key.n, &group.key.e);
            all.extend(vectors!(set, algorithm, keys, group, sig, expected));
        }
    }
    // One is wrong where no salt is wanted, and just right here.
    let ours = |vector: &&mut Vector| {
        vector.name.contains("SaltLen0") && vector.name.ends_with("s_len changed to 32")
    };
    all.iter_mut().filter(ours).for_each(|vector| vector.expected = Expected::Valid);
    all
}

/// Without the secrets that are shorter than the hash, which are no secrets here, and with tags that were cut off as
/// what they are here: wrong.
pub(super) fn hmac() -> Vec<Vector> {
    use mac::TestName;
    let mut all = Vec::new();
    for (set, algorithm, bytes) in [
        (TestName::HmacSha256, AlgorithmName::Hs256, 32),
        (TestName::HmacSha384, AlgorithmName::Hs384, 48),
        (TestName::HmacSha512, AlgorithmName::Hs512, 64),
    ] {
        for group in mac::TestSet::load(set).unwrap().test_groups {
            for test in group.tests.iter().filter(|test| test.key.len() >= bytes) {
                let secret = Secret::new(algorithm, &test.key).unwrap();
                let cut = group.tag_size < bytes * 8;
                all.push(Vector {
                    name: format!("{set:?} {} {}", test.tc_id, test.comment),
                    expected: if cut { Expected::Invalid } else { test.result.into() },
                    algorithm,
                    keys: Rc::new(KeySet::from_secrets(vec![secret])),
                    message: test.msg.to_vec(),
                    signature: test.tag.to_vec(),
                });
            }
        }
    }
    all
}

fn as_it_is(expected: Expected) -> Expected {
    expected
}

fn rsa(algorithm: AlgorithmName, n: &[u8], e: &[u8]) -> KeySet {
    // Written there as numbers with a sign.
    let unsigned = |bytes: &[u8]| encode(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]);
    public(algorithm, json!({ "kty": "RSA", "n": unsigned(n), "e": unsigned(e) }))
}

fn public(algorithm: AlgorithmName, mut jwk: Value) -> KeySet {
    jwk["kid"] = json!("k");
    KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes(), &[algorithm]).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
