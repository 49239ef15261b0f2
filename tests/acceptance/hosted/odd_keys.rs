//! Keys of every size that is taken, and signatures that no signer makes: arithmetic whose sizes input chooses.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_testhost::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::hosted::gate::{plugin, policy, world};

/// In bits: the bounds, what lies between whole words, and the sizes for which libraries have ways of their own.
const MODULI: [usize; 8] = [2_048, 2_049, 2_111, 3_072, 4_095, 4_096, 6_145, 8_192];
/// The smallest, and the greatest that is taken.
const EXPONENTS: [u64; 2] = [3, (1 << 33) - 1];
const ALGORITHMS: [&str; 3] = ["RS256", "PS384", "RS512"];

/// The public key of RFC 7515 appendix A.3, and the order of P-256 (FIPS 186-5).
const P256: (&str, &str) =
    ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
const P256_ORDER: [u128; 2] =
    [0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551];

/// Bytes without any order in them, the same in every run.
fn bytes(count: usize, seed: &str) -> Vec<u8> {
    let block = |number: usize| Sha256::digest(format!("{seed} {number}"));
    (0..count.div_ceil(32)).flat_map(block).take(count).collect()
}

/// An odd number of exactly so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut number = bytes(bits.div_ceil(8), &format!("modulus {bits}"));
    let spare = (8 - bits % 8) % 8;
    number[0] = (number[0] | 0x80) >> spare;
    *number.last_mut().unwrap() |= 1;
    number
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn without_zeros(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// A policy with all of these keys.
fn with_keys(algorithms: &[&str], keys: &[Value]) -> Value {
    let mut policy = policy();
    policy["issuers"]["bearward"]["algorithms"] = json!(algorithms);
    policy["issuers"]["bearward"]["keys"] = json!({ "jwks": { "keys": keys } });
    policy
}

fn token(algorithm: &str, kid: &str, signature: &[u8]) -> String {
    let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid }).to_string();
    let payload = json!({ "iss": "http://issuer.example.com" }).to_string();
    format!("{}.{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()), encode(signature))
}

/// Numbers at the edges, in so many bytes.
fn edges(modulus: &[u8]) -> Vec<Vec<u8>> {
    let size = modulus.len();
    let mut one = vec![0; size];
    *one.last_mut().unwrap() = 1;
    let mut less_by_one = modulus.to_vec();
    *less_by_one.last_mut().unwrap() -= 1;
    let mut small = bytes(size, "small");
    small[0] = 0;
    vec![
        vec![0; size],
        one,
        less_by_one,
        modulus.to_vec(),
        vec![0xff; size],
        small,
        bytes(size - 1, "short"),
        bytes(size + 1, "long"),
        vec![1],
    ]
}

#[test]
fn rsa_keys_of_every_size_and_signatures_of_every_kind_end_in_a_refusal() {
    let mut keys = Vec::new();
    let mut tokens = Vec::new();
    for algorithm in ALGORITHMS {
        for bits in MODULI {
            let modulus = modulus(bits);
            for exponent in EXPONENTS {
                let kid = format!("{algorithm}-{bits}-{exponent}");
                keys.push(json!({
                    "kty": "RSA", "kid": kid, "alg": algorithm, "n": encode(&modulus),
                    "e": encode(&without_zeros(exponent)),
                }));
                tokens.extend(edges(&modulus).iter().map(|signature| token(algorithm, &kid, signature)));
            }
        }
    }
    refused_one_and_all(&with_keys(&ALGORITHMS, &keys), &tokens);
}

#[test]
fn numbers_of_a_curve_at_the_edges_of_its_order_end_in_a_refusal() {
    let key = json!({ "kty": "EC", "crv": "P-256", "kid": "p256", "x": P256.0, "y": P256.1 });
    let order: Vec<u8> = P256_ORDER.iter().flat_map(|half| half.to_be_bytes()).collect();
    let numbers: Vec<_> = edges(&order).into_iter().filter(|number| number.len() == 32).collect();
    let mut tokens = Vec::new();
    for r in &numbers {
        for s in &numbers {
            tokens.push(token("ES256", "p256", &[r.as_slice(), s].concat()));
        }
    }
    refused_one_and_all(&with_keys(&["ES256"], &[key]), &tokens);
}

/// By the filter's own arithmetic and with the host's: a world ends in a panic where the module traps.
fn refused_one_and_all(policy: &Value, tokens: &[String]) {
    for world in [world().without_verify_signature(), world()] {
        let mut world = world.plugin(plugin(policy)).start().unwrap_or_else(|refused| panic!("{refused}"));
        for token in tokens {
            let outcome = world.request(Request::get("/api/orders/1").bearer(token));
            assert_eq!(outcome.local_response().details, "bearward.signature_invalid", "{token}");
        }
        world.request(Request::get("/api/menu")).forwarded();
    }
}
