mod published;

use super::*;
use crate::fixtures::signers::{keys_of, p256_key, rsa_key, signature};
use crate::rejection::Rejection;
use crate::signature_host::NoSignatureHost;

const MESSAGE: &[u8] = b"message";

fn verify(algorithm: AlgorithmName, signature: &[u8]) -> Result<(), Rejection> {
    keys_of(algorithm).verify(Some("k1"), algorithm, MESSAGE, signature, &NoSignatureHost)
}

#[test]
fn every_name_is_read_as_it_is_written_and_in_no_other_letters() {
    for name in AlgorithmName::ALL.iter().copied() {
        assert_eq!(AlgorithmName::parse(name.as_str()), Some(name));
        assert_eq!(AlgorithmName::parse(&name.as_str().to_lowercase()), None);
        assert_eq!(AlgorithmName::parse(&format!("{} ", name.as_str())), None);
    }
    assert_eq!(AlgorithmName::parse("Ed25519"), Some(AlgorithmName::EdDsa));
    for other in ["none", "", "ES512", "ES256K", "Ed448", "RSA-OAEP", "HS", "A128KW"] {
        assert_eq!(AlgorithmName::parse(other), None, "{other}");
    }
}

#[test]
fn a_signature_of_each_algorithm_holds_and_none_is_one_of_another() {
    for name in AlgorithmName::ALL.iter().copied() {
        let good = signature(name, MESSAGE);
        for other in AlgorithmName::ALL.iter().copied() {
            let expected = if other == name { Ok(()) } else { Err(Rejection::SignatureInvalid) };
            assert_eq!(verify(other, &good), expected, "{} as {}", name.as_str(), other.as_str());
        }
    }
}

#[test]
fn a_signature_that_is_shorter_or_longer_is_none() {
    for name in AlgorithmName::ALL.iter().copied() {
        let good = signature(name, MESSAGE);
        let zeros = vec![0; good.len()];
        for bad in [
            &[],
            &good[..good.len() - 1],
            &good[1..],
            &[good.as_slice(), &[0]].concat(),
            &[&[0], good.as_slice()].concat(),
            &[good.as_slice(), &good].concat(),
            &zeros,
            &vec![0xff; good.len()],
        ] {
            assert_eq!(verify(name, bad), Err(Rejection::SignatureInvalid), "{} {bad:?}", name.as_str());
        }
    }
}

#[test]
fn ecdsa_is_not_taken_in_der() {
    use p256::ecdsa::signature::Signer as _;
    let signature: p256::ecdsa::Signature = p256_key().sign(MESSAGE);
    assert_eq!(verify(AlgorithmName::Es256, &signature.to_bytes()), Ok(()));
    assert_eq!(verify(AlgorithmName::Es256, signature.to_der().as_bytes()), Err(Rejection::SignatureInvalid));
}

#[test]
fn both_values_of_s_that_fit_are_taken() {
    use p256::ecdsa::signature::Signer as _;
    let signature: p256::ecdsa::Signature = p256_key().sign(MESSAGE);
    let (r, s) = signature.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    assert_ne!(other, signature);
    assert_eq!(verify(AlgorithmName::Es256, &other.to_bytes()), Ok(()));
}

#[test]
fn pss_takes_no_salt_that_is_shorter_or_longer_than_the_hash() {
    use rsa::pss::SigningKey;
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
    use sha2::digest::common::getrandom::SysRng;
    for (length, expected) in [
        (32, Ok(())),
        (0, Err(Rejection::SignatureInvalid)),
        (20, Err(Rejection::SignatureInvalid)),
        (31, Err(Rejection::SignatureInvalid)),
        (33, Err(Rejection::SignatureInvalid)),
        (64, Err(Rejection::SignatureInvalid)),
    ] {
        let key = SigningKey::<Sha256>::new_with_salt_len(rsa_key(), length);
        let signature = key.try_sign_with_rng(&mut SysRng, MESSAGE).unwrap();
        assert_eq!(verify(AlgorithmName::Ps256, &signature.to_vec()), expected, "{length}");
    }
}

#[test]
fn an_rsa_signature_is_no_number_beyond_the_modulus() {
    use rsa::BoxedUint;
    use rsa::traits::PublicKeyParts as _;
    for name in [AlgorithmName::Rs256, AlgorithmName::Ps256] {
        let keys = keys_of(name);
        // Of some message the signature is so small that its sum with the modulus has as many bytes.
        let (message, good, sum) = (0..u32::MAX)
            .find_map(|number| {
                let message = number.to_be_bytes();
                let good = signature(name, &message);
                let (sum, carry) =
                    BoxedUint::from_be_slice(&good, 2048).unwrap().overflowing_add(rsa_key().n().as_ref());
                (!carry.to_bool()).then(|| (message, good, sum.to_be_bytes()))
            })
            .unwrap();
        let verify = |signature: &[u8]| keys.verify(None, name, &message, signature, &NoSignatureHost);
        assert_eq!(verify(&good), Ok(()));
        assert_eq!(verify(&sum), Err(Rejection::SignatureInvalid));
    }
}
