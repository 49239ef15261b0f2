use serde_json::{Value, json};

use super::{problem_for, set_for};
use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::fixtures::signers::jwk_of;

const BOTH: [(AlgorithmName, usize); 2] = [(AlgorithmName::Es256, 32), (AlgorithmName::Es384, 48)];

fn with(name: AlgorithmName, member: &str, value: Value) -> String {
    let mut jwk = jwk_of(name);
    jwk[member] = value;
    jwk.to_string()
}

#[test]
fn the_curve_says_what_a_key_without_alg_is_for() {
    for (name, _) in BOTH {
        let mut jwk = jwk_of(name);
        jwk.as_object_mut().unwrap().remove("alg");
        let set = set_for(&[AlgorithmName::Es256, AlgorithmName::Es384], &jwk.to_string()).unwrap();
        assert_eq!((set.len(), set.skipped(), set.undecided()), (1, 0, 0));
    }
}

#[test]
fn coordinates_have_full_length_and_are_base64url() {
    for (name, bytes) in BOTH {
        for member in ["x", "y"] {
            let good = base64url::decode(jwk_of(name)[member].as_str().unwrap().as_bytes()).unwrap();
            let text = |bytes: &[u8]| json!(base64url::encode(bytes));
            for (value, expected) in [
                (json!(null), "must be a string"),
                (json!(7), "must be a string"),
                (json!("+/+="), "must be unpadded base64url"),
                (text(&good[1..]), "bytes for P-"),
                (text(&[&[0], good.as_slice()].concat()), "bytes for P-"),
                (text(&[good.as_slice(), &[0]].concat()), "bytes for P-"),
                (text(&[]), "bytes for P-"),
            ] {
                let found = problem_for(&[name], &with(name, member, value.clone()));
                let place = format!("keys[0].{member}: ");
                assert!(found.starts_with(&place) && found.contains(expected), "{member} {value}: {found}");
                assert!(!expected.contains("bytes") || found.contains(&bytes.to_string()), "{found}");
            }
        }
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    for (name, bytes) in BOTH {
        let mut changed = base64url::decode(jwk_of(name)["y"].as_str().unwrap().as_bytes()).unwrap();
        changed[bytes - 1] ^= 1;
        for (member, value) in [
            ("y", changed),
            ("y", vec![0; bytes]),
            ("x", vec![0; bytes]),
            // Not below the prime of the field.
            ("x", vec![0xff; bytes]),
        ] {
            let found = problem_for(&[name], &with(name, member, json!(base64url::encode(&value))));
            assert!(found.contains("are no point of P-"), "{found}");
        }
        let mut jwk = jwk_of(name);
        for member in ["x", "y"] {
            jwk[member] = json!(base64url::encode(&vec![0; bytes]));
        }
        assert!(problem_for(&[name], &jwk.to_string()).contains("are no point of P-"));
    }
}

#[test]
fn a_private_key_refuses_the_set() {
    for (name, _) in BOTH {
        assert!(problem_for(&[name], &with(name, "d", json!("AA"))).contains("keys[0].d: private"));
    }
}
