use rsa::BoxedUint;
use serde_json::{Value, json};

use super::{UNDECIDED, problem_for, set_for};
use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::fixtures::signers::jwk_of;

use AlgorithmName::{EdDsa, Es256, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

const ALL: [AlgorithmName; 6] = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];

fn with(member: &str, value: Value) -> String {
    let mut jwk = jwk_of(Rs256);
    jwk[member] = value;
    jwk.to_string()
}

fn without_alg() -> String {
    let mut jwk = jwk_of(Rs256);
    jwk.as_object_mut().unwrap().remove("alg");
    jwk.to_string()
}

fn encoded(bytes: &[u8]) -> Value {
    json!(base64url::encode(bytes))
}

/// An odd number of exactly that many bits.
fn modulus(bits: usize) -> Value {
    let mut bytes = vec![0xa5; bits.div_ceil(8)];
    bytes[0] = 1 << ((bits - 1) % 8);
    encoded(&bytes)
}

#[test]
fn alg_says_which_of_the_listed_algorithms_a_key_is_for() {
    for name in ALL {
        let jwk = jwk_of(name).to_string();
        assert_eq!(set_for(&ALL, &jwk).unwrap().len(), 1);
        assert_eq!(set_for(&[name], &jwk).unwrap().len(), 1);
        let others: Vec<_> = ALL.into_iter().filter(|other| *other != name).collect();
        assert!(problem_for(&others, &jwk).contains("none of its 1 keys can be used for"));
    }
    assert!(problem_for(&ALL, &with("alg", json!("RSA-OAEP"))).contains("none of its 1 keys"));
    assert!(problem_for(&ALL, &with("use", json!("enc"))).contains("none of its 1 keys"));
    assert!(problem_for(&ALL, &with("key_ops", json!(["encrypt"]))).contains("none of its 1 keys"));
}

#[test]
fn a_key_without_alg_is_for_the_only_algorithm_of_rsa_that_is_listed() {
    for name in ALL {
        let set = set_for(&[EdDsa, Es256, name], &without_alg()).unwrap();
        assert_eq!((set.len(), set.skipped(), set.undecided()), (1, 0, 0));
    }
}

#[test]
fn a_key_without_alg_where_several_are_listed_is_skipped_with_the_way_out() {
    let found = problem_for(&[Rs256, Ps256], &without_alg());
    assert!(found.contains("none of its 1 keys") && found.contains(UNDECIDED), "{found}");
    let mut named = jwk_of(Ps256);
    named["kid"] = json!("k2");
    let set = set_for(&[Rs256, Ps256], &format!("{},{named}", without_alg())).unwrap();
    assert_eq!((set.len(), set.skipped(), set.undecided()), (1, 1, 1));
}

#[test]
fn the_modulus_has_2048_to_8192_bits_and_is_odd() {
    for bits in [2048, 2049, 2055, 3072, 4096, 8192] {
        assert!(set_for(&[Rs256], &with("n", modulus(bits))).is_ok(), "{bits}");
    }
    for bits in [8, 512, 1024, 2040, 2047, 8193, 16_384] {
        let found = problem_for(&[Rs256], &with("n", modulus(bits)));
        assert_eq!(found, "keys[0].n: must be a modulus of 2048 to 8192 bits", "{bits}");
    }
    let mut even = vec![0xa5; 256];
    even[255] = 0xa4;
    let found = problem_for(&[Rs256], &with("n", encoded(&even)));
    assert!(found.starts_with("keys[0].n: is no modulus"), "{found}");
}

#[test]
fn the_exponent_is_odd_and_from_3_to_33_bits() {
    let value = |e: u64| encoded(&BoxedUint::from(e).to_be_bytes_trimmed_vartime());
    for e in [3, 17, 65_537, (1 << 33) - 1] {
        assert!(
            set_for(&[Ps256], &{
                let mut jwk = jwk_of(Ps256);
                jwk["e"] = value(e);
                jwk.to_string()
            })
            .is_ok()
        );
    }
    for e in [value(1), value(2), value(65_536), value((1 << 33) + 1), value(u64::MAX), encoded(&[1; 9])] {
        let found = problem_for(&[Rs256], &with("e", e.clone()));
        assert!(found.starts_with("keys[0].e: must be an odd exponent from 3 to 8589934591"), "{e}: {found}");
    }
}

#[test]
fn numbers_are_written_in_as_few_bytes_as_they_take() {
    let n = base64url::decode(jwk_of(Rs256)["n"].as_str().unwrap().as_bytes()).unwrap();
    for (member, value, expected) in [
        ("n", encoded(&[&[0], n.as_slice()].concat()), "must not begin with a zero byte"),
        ("e", encoded(&[0, 1, 0, 1]), "must not begin with a zero byte"),
        ("e", encoded(&[0]), "must not begin with a zero byte"),
        ("n", json!(""), "must not be empty"),
        ("e", json!(""), "must not be empty"),
        ("n", json!(null), "must be a string"),
        ("e", json!(65_537), "must be a string"),
        ("e", json!("AQAB="), "must be unpadded base64url"),
    ] {
        let found = problem_for(&[Rs256], &with(member, value.clone()));
        assert!(found.starts_with(&format!("keys[0].{member}: {expected}")), "{member} {value}: {found}");
    }
}

#[test]
fn a_private_key_refuses_the_set() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let found = problem_for(&[Rs256], &with(member, json!("AA")));
        assert!(found.contains(&format!("keys[0].{member}: private")), "{found}");
    }
}
