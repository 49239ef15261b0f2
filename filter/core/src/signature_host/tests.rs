use std::cell::RefCell;

use super::known::KNOWN_ANSWERS;
use super::*;
use crate::fixtures::signers::{keys_of, signature};
use crate::rejection::Rejection;

use AlgorithmName::{Es256, Es384, Rs256, Rs384, Rs512};

const MESSAGE: &[u8] = b"message";
/// What Envoy's function verifies.
const BY_ENVOY: [AlgorithmName; 5] = [Es256, Es384, Rs256, Rs384, Rs512];

/// The algorithm, the key, the signature.
type Question = (AlgorithmName, Vec<u8>, Vec<u8>);

/// Gives the answer of a closure, and keeps the questions.
struct Told<F> {
    answer: F,
    asked: RefCell<Vec<Question>>,
}

fn told<F: Fn(&HostSignature<'_>) -> Option<bool>>(answer: F) -> Told<F> {
    Told { answer, asked: RefCell::default() }
}

impl<F: Fn(&HostSignature<'_>) -> Option<bool>> SignatureHost for Told<F> {
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        let mut list = self.asked.borrow_mut();
        list.push((asked.algorithm, asked.public_key.to_vec(), asked.signature.to_vec()));
        (self.answer)(asked)
    }
}

/// A host that knows the known answers and nothing else.
fn knows(asked: &HostSignature<'_>) -> Option<bool> {
    let is_known = |known: &known::KnownAnswer| {
        known.algorithm == asked.algorithm && known.message.as_bytes() == asked.message
    };
    Some(KNOWN_ANSWERS.iter().any(is_known))
}

#[test]
fn every_known_answer_holds_by_the_filter_itself() {
    for known in KNOWN_ANSWERS {
        let set = format!(r#"{{"keys":[{}]}}"#, known.jwk);
        let keys = crate::keys::KeySet::parse(set.as_bytes(), &[known.algorithm]).unwrap();
        let signature = crate::base64url::decode(known.signature.as_bytes()).unwrap();
        let verify = |message: &str| {
            keys.verify(None, known.algorithm, message.as_bytes(), &signature, &NoSignatureHost)
        };
        assert_eq!(verify(known.message), Ok(()), "{}", known.algorithm.as_str());
        assert_eq!(verify("another"), Err(Rejection::SignatureInvalid), "{}", known.algorithm.as_str());
    }
}

#[test]
fn a_host_is_trusted_with_what_it_knows_of_what_is_wanted() {
    assert_eq!(ProvenHost::probe(told(knows), AlgorithmName::ALL).algorithms(), BY_ENVOY);
    assert_eq!(ProvenHost::probe(told(knows), &[AlgorithmName::EdDsa, Rs256]).algorithms(), [Rs256]);
    let only = |asked: &HostSignature<'_>| (asked.algorithm == Es384).then(|| knows(asked)).flatten();
    assert_eq!(ProvenHost::probe(told(only), AlgorithmName::ALL).algorithms(), [Es384]);
}

#[test]
fn a_host_that_says_the_same_of_everything_or_nothing_at_all_is_not_trusted() {
    for answer in [Some(true), Some(false), None] {
        let host = ProvenHost::probe(told(|_| answer), AlgorithmName::ALL);
        assert_eq!(host.algorithms(), [], "{answer:?}");
        assert!(!host.host.asked.borrow().is_empty());
        host.host.asked.borrow_mut().clear();
        for algorithm in BY_ENVOY {
            let good = signature(algorithm, MESSAGE);
            let keys = keys_of(algorithm);
            assert_eq!(keys.verify(Some("k1"), algorithm, MESSAGE, &good, &host), Ok(()));
            let forged = keys.verify(Some("k1"), algorithm, b"other", &good, &host);
            assert_eq!(forged, Err(Rejection::SignatureInvalid));
        }
        assert!(host.host.asked.borrow().is_empty(), "it is not asked again");
    }
    let reversed = told(|asked| knows(asked).map(|good| !good));
    assert_eq!(ProvenHost::probe(reversed, AlgorithmName::ALL).algorithms(), []);
}

#[test]
fn what_is_not_wanted_is_not_asked_about() {
    let host = ProvenHost::probe(told(knows), &[AlgorithmName::EdDsa, AlgorithmName::Ps256]);
    assert!(host.host.asked.borrow().is_empty());
}

#[test]
fn the_hosts_word_counts_where_it_gives_one_and_the_filters_own_where_not() {
    for algorithm in BY_ENVOY {
        let (keys, good) = (keys_of(algorithm), signature(algorithm, MESSAGE));
        let verify = |host: &dyn SignatureHost, message: &[u8]| {
            keys.verify(Some("k1"), algorithm, message, &good, host)
        };
        assert_eq!(verify(&told(|_| Some(true)), b"other"), Ok(()));
        assert_eq!(verify(&told(|_| Some(false)), MESSAGE), Err(Rejection::SignatureInvalid));
        assert_eq!(verify(&told(|_| None), MESSAGE), Ok(()));
        assert_eq!(verify(&told(|_| None), b"other"), Err(Rejection::SignatureInvalid));
    }
}

#[test]
fn a_host_is_asked_for_the_algorithm_of_the_key_with_key_and_signature_in_der() {
    for algorithm in AlgorithmName::ALL.iter().copied() {
        let host = told(|_| None);
        let good = signature(algorithm, MESSAGE);
        assert_eq!(keys_of(algorithm).verify(Some("k1"), algorithm, MESSAGE, &good, &host), Ok(()));
        let asked = host.asked.into_inner();
        assert_eq!(asked.len(), usize::from(BY_ENVOY.contains(&algorithm)), "{}", algorithm.as_str());
        for (name, key, sent) in asked {
            assert_eq!(name, algorithm);
            match algorithm {
                Es256 => {
                    use p256::pkcs8::DecodePublicKey as _;
                    let key = p256::ecdsa::VerifyingKey::from_public_key_der(&key).unwrap();
                    assert_eq!(&key, crate::fixtures::signers::p256_key().verifying_key());
                    let signature = p256::ecdsa::Signature::from_der(&sent).unwrap();
                    assert_eq!(signature.to_bytes().as_slice(), good);
                }
                Es384 => {
                    use p384::pkcs8::DecodePublicKey as _;
                    let key = p384::ecdsa::VerifyingKey::from_public_key_der(&key).unwrap();
                    assert_eq!(&key, crate::fixtures::signers::p384_key().verifying_key());
                    let signature = p384::ecdsa::Signature::from_der(&sent).unwrap();
                    assert_eq!(signature.to_bytes().as_slice(), good);
                }
                _ => {
                    use rsa::pkcs8::DecodePublicKey as _;
                    let key = rsa::PublicKey::from_public_key_der(&key).unwrap();
                    assert_eq!(key, rsa::PublicKey::from(crate::fixtures::signers::rsa_key()));
                    assert_eq!(sent, good);
                }
            }
        }
    }
}

#[test]
fn a_host_is_not_asked_about_a_signature_of_the_wrong_form() {
    for algorithm in BY_ENVOY {
        let (keys, good) = (keys_of(algorithm), signature(algorithm, MESSAGE));
        let mut zero = good.clone();
        zero.iter_mut().take(good.len() / 2).for_each(|byte| *byte = 0);
        let host = told(|_| Some(true));
        let mut bad =
            vec![good[1..].to_vec(), [good.as_slice(), &[0]].concat(), [&[0], good.as_slice()].concat()];
        if matches!(algorithm, Es256 | Es384) {
            bad.extend([zero, vec![0; good.len()], vec![0xff; good.len()]]);
        }
        for bad in bad {
            let verdict = keys.verify(Some("k1"), algorithm, MESSAGE, &bad, &host);
            assert_eq!(verdict, Err(Rejection::SignatureInvalid), "{}", algorithm.as_str());
        }
        assert_eq!(host.asked.into_inner(), []);
    }
}
