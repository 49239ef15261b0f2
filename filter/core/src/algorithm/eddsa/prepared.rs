//! Ed25519 with the multiples of a key at hand: what ed25519-dalek's strict verification decides, in less than half of the time.
//!
//! Of `R = S*B - k*A` (RFC 8032 section 5.1.7) nothing is secret. ed25519-dalek doubles 250 times and adds; here every multiple that a
//! digit of `k` can ask for was computed when the key was read, and every one that a digit of `S` can ask for once and for all, so that
//! there is nothing to do but to add. Points and scalars are curve25519-dalek's, by its public interface. Tests hold each verdict
//! against ed25519-dalek's own.

use std::sync::{Arc, LazyLock};

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};

/// Bits of a digit of `k`: 43 additions, and 220 kB for each key. One more saves 6 of them, for 72 % more time and memory beforehand.
const KEY_BITS: usize = 6;
/// Bits of a digit of `S`: 32 additions, and 655 kB.
const BASE_BITS: usize = 8;

/// Constants, of which the first is too large to be written down.
static BASE: LazyLock<Table> = LazyLock::new(|| Table::of(ED25519_BASEPOINT_POINT, BASE_BITS));
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

/// The multiples of a point that the digits of a scalar can ask for, to the base `2^bits`, each with a sign.
#[derive(Debug)]
struct Table {
    bits: usize,
    /// A row for each digit, one after the other: the point times `(j + 1) * 2^(bits * i)` at `j` of row `i`.
    multiples: Vec<EdwardsPoint>,
}

/// Computes what all keys share, which takes some milliseconds: else the first key does.
pub(crate) fn make_ready() {
    LazyLock::force(&BASE);
    LazyLock::force(&SMALL_ORDER);
}

/// A key, and what was computed of it.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    key: VerifyingKey,
    minus_key: Arc<Table>,
}

impl Prepared {
    /// `None` for a key of small order, which verifies nothing.
    pub(crate) fn new(key: &VerifyingKey) -> Option<Self> {
        if key.is_weak() {
            return None;
        }
        Some(Self { key: *key, minus_key: Arc::new(Table::of(-key.to_edwards(), KEY_BITS)) })
    }

    /// As [`VerifyingKey::verify_strict`].
    pub(crate) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(*signature.s_bytes())) else {
            return false;
        };
        let hash = Sha512::new()
            .chain_update(signature.r_bytes())
            .chain_update(self.key.as_bytes())
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let r = self.minus_key.add_times(&k, BASE.add_times(&s, None)).unwrap_or_else(EdwardsPoint::identity);
        // Equal bytes are the same point. What `compress` writes is its only form, so that one of small order is told by its bytes.
        r.compress().as_bytes() == signature.r_bytes() && !SMALL_ORDER.contains(signature.r_bytes())
    }
}

impl Table {
    fn of(point: EdwardsPoint, bits: usize) -> Self {
        let (rows, length) = (digits_of(bits), length_of(bits));
        let mut multiples = Vec::with_capacity(rows.saturating_mul(length));
        let mut unit = point;
        for _ in 0..rows {
            let mut multiple = unit;
            multiples.push(multiple);
            for _ in 1..length {
                multiple += unit;
                multiples.push(multiple);
            }
            // Twice the greatest multiple, which is half of the base.
            unit = multiple + multiple;
        }
        Self { bits, multiples }
    }

    /// The sum and the point times the scalar. `None` is nothing, to which nothing has to be added.
    fn add_times(&self, scalar: &Scalar, mut sum: Option<EdwardsPoint>) -> Option<EdwardsPoint> {
        let rows = self.multiples.chunks_exact(length_of(self.bits));
        for (row, digit) in rows.zip(digits(scalar.as_bytes(), self.bits)) {
            let place = usize::from(digit.unsigned_abs()).checked_sub(1);
            if let Some(multiple) = place.and_then(|place| row.get(place)) {
                sum = Some(match sum {
                    None if digit > 0 => *multiple,
                    None => -multiple,
                    Some(sum) if digit > 0 => sum + multiple,
                    Some(sum) => sum - multiple,
                });
            }
        }
        sum
    }
}

/// How many digits of so many bits a number below `2^255` has, and what its last one may carry.
const fn digits_of(bits: usize) -> usize {
    256_usize.div_ceil(bits)
}

/// How many multiples a digit can ask for, but for its sign.
const fn length_of(bits: usize) -> usize {
    1 << (bits - 1)
}

/// The digits of a number below `2^255`, the least first, each of at most eight bits and with a sign: above minus half of the base, and
/// up to half of it.
fn digits(bytes: &[u8; 32], bits: usize) -> impl Iterator<Item = i16> {
    let half: i16 = 1 << (bits - 1);
    let mask = (1_u16 << bits) - 1;
    let mut carry = 0;
    (0..digits_of(bits)).map(move |index| {
        let (byte, shift) = (index * bits / 8, index * bits % 8);
        let low = bytes.get(byte).copied().unwrap_or(0);
        let high = bytes.get(byte + 1).copied().unwrap_or(0);
        let digit = i16::try_from((u16::from_le_bytes([low, high]) >> shift) & mask).unwrap_or(0) + carry;
        carry = i16::from(digit > half);
        digit - carry * 2 * half
    })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    use super::*;

    fn prepared(seed: u8) -> (SigningKey, Prepared) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let prepared = Prepared::new(&key.verifying_key()).unwrap();
        (key, prepared)
    }

    fn is_same(prepared: &Prepared, message: &[u8], signature: &Signature) -> bool {
        let verdict = prepared.verifies(message, signature);
        assert_eq!(verdict, prepared.key.verify_strict(message, signature).is_ok(), "{signature:?}");
        verdict
    }

    #[test]
    fn digits_are_those_of_the_number_however_many_bits_they_have() {
        for bits in [5, KEY_BITS, 7, BASE_BITS] {
            let half: i16 = 1 << (bits - 1);
            for bytes in [
                [0; 32],
                [1; 32],
                std::array::from_fn(|index| if index == 31 { 0x7f } else { 0xff }),
                [0x7f; 32],
                std::array::from_fn(|index| if index == 31 { 0 } else { 0x80 }),
                std::array::from_fn(|index| u8::try_from(index * 7).unwrap() & 0x7f),
            ] {
                let mut sum = Scalar::ZERO;
                let all: Vec<i16> = digits(&bytes, bits).collect();
                for digit in all.into_iter().rev() {
                    assert!(digit > -half && digit <= half, "{digit} of {bits} bits");
                    let part = Scalar::from(u64::from(digit.unsigned_abs()));
                    let base = Scalar::from(u64::from(half.unsigned_abs()) * 2);
                    sum = sum * base + if digit < 0 { -part } else { part };
                }
                assert_eq!(sum, Scalar::from_bytes_mod_order(bytes), "{bits} bits");
            }
        }
    }

    #[test]
    fn a_scalar_times_the_base_point_is_what_the_library_says() {
        for number in [0, 1, 2, 127, 128, 129, 255, 256, u64::MAX] {
            for scalar in [Scalar::from(number), -Scalar::from(number)] {
                let sum = BASE.add_times(&scalar, None).unwrap_or_else(EdwardsPoint::identity);
                assert_eq!(sum, EdwardsPoint::mul_base(&scalar), "{scalar:?}");
            }
        }
    }

    #[test]
    fn every_digit_of_every_row_adds_what_it_should() {
        let (_, prepared) = prepared(2);
        let tables = [(ED25519_BASEPOINT_POINT, &*BASE), (-prepared.key.to_edwards(), &*prepared.minus_key)];
        for (point, table) in tables {
            let base = 1_u64 << table.bits;
            assert_eq!(table.multiples.len(), digits_of(table.bits) * length_of(table.bits));
            // What a row stands for, and a multiple of it, found by nothing but additions.
            let mut unit = (point, Scalar::ONE);
            for row in 0..digits_of(table.bits) {
                let mut multiple = EdwardsPoint::identity();
                let mut scalar = Scalar::ZERO;
                // Above half they carry.
                for digit in 1..base {
                    multiple += unit.0;
                    scalar += unit.1;
                    let sum = table.add_times(&scalar, None).unwrap_or_else(EdwardsPoint::identity);
                    assert_eq!(sum, multiple, "digit {digit} of row {row}");
                }
                unit = (multiple + unit.0, scalar + unit.1);
            }
        }
    }

    #[test]
    fn an_r_of_small_order_is_refused_though_the_equation_holds() {
        use ed25519_dalek::Verifier as _;

        let (key, _) = prepared(6);
        let mixed = (key.verifying_key().to_edwards() + EIGHT_TORSION[1]).compress();
        let mixed = VerifyingKey::from_bytes(mixed.as_bytes()).unwrap();
        let prepared = Prepared::new(&mixed).unwrap();
        for r in EIGHT_TORSION {
            let bytes = r.compress().to_bytes();
            let holds = (0..=255_u8).filter(|number| {
                let hash =
                    Sha512::new().chain_update(bytes).chain_update(mixed.as_bytes()).chain_update([*number]);
                let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
                let signature = Signature::from_components(bytes, (k * key.to_scalar()).to_bytes());
                assert!(!is_same(&prepared, &[*number], &signature));
                mixed.verify(&[*number], &signature).is_ok()
            });
            assert!(holds.count() > 0, "the equation never holds for {bytes:?}");
        }
    }

    #[test]
    fn an_r_that_is_the_right_point_in_other_bytes_is_refused_as_by_the_library() {
        let (key, prepared) = prepared(7);
        let one_and = |sign: u8| {
            std::array::from_fn(|index| {
                [1, sign][usize::from(index == 31)] * u8::from(index == 0 || index == 31)
            })
        };
        let and_the_prime = |sign: u8| {
            std::array::from_fn(|index| match index {
                0 => 0xee,
                31 => 0x7f | sign,
                _ => 0xff,
            })
        };
        // The identity, whose `y` is 1: with a sign that it has not, and with the prime added.
        for bytes in [one_and(0), one_and(0x80), and_the_prime(0), and_the_prime(0x80)] {
            let hash = Sha512::new()
                .chain_update(bytes)
                .chain_update(key.verifying_key().as_bytes())
                .chain_update(b"message");
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let signature = Signature::from_components(bytes, (k * key.to_scalar()).to_bytes());
            assert!(!is_same(&prepared, b"message", &signature));
        }
    }

    #[test]
    fn a_key_of_small_order_is_not_prepared() {
        let identity = VerifyingKey::from_bytes(&EdwardsPoint::identity().compress().to_bytes()).unwrap();
        assert!(Prepared::new(&identity).is_none());
    }

    #[test]
    fn a_signature_whose_r_is_of_small_order_or_not_spelled_as_it_should_be_is_refused_as_by_the_library() {
        let (key, prepared) = prepared(3);
        let message = b"message";
        for torsion in EIGHT_TORSION {
            let r = torsion.compress();
            let hash = Sha512::new()
                .chain_update(r.as_bytes())
                .chain_update(key.verifying_key().as_bytes())
                .chain_update(message);
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let s = k * key.to_scalar();
            let signature = Signature::from_components(r.to_bytes(), s.to_bytes());
            assert!(!is_same(&prepared, message, &signature));
        }
        for r in [
            [0xff; 32],
            [0; 32],
            std::array::from_fn(|index| {
                if index == 0 {
                    1
                } else if index == 31 {
                    0x80
                } else {
                    0
                }
            }),
        ] {
            assert!(!is_same(&prepared, message, &Signature::from_components(r, [0; 32])));
        }
    }

    #[test]
    fn an_s_that_is_not_reduced_is_refused() {
        let (key, prepared) = prepared(4);
        let signature = key.sign(b"message");
        assert!(is_same(&prepared, b"message", &signature));
        // The order of the base point, least byte first.
        let order = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10_u8,
        ];
        let mut carry = 0;
        let s = std::array::from_fn(|index| {
            let sum = u16::from(signature.s_bytes()[index]) + u16::from(order[index]) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        });
        assert!(!is_same(&prepared, b"message", &Signature::from_components(*signature.r_bytes(), s)));
    }

    #[test]
    fn a_key_with_a_part_of_small_order_is_judged_as_by_the_library() {
        let (key, _) = prepared(5);
        for torsion in EIGHT_TORSION {
            let mixed = (key.verifying_key().to_edwards() + torsion).compress();
            let mixed = VerifyingKey::from_bytes(mixed.as_bytes()).unwrap();
            let prepared = Prepared::new(&mixed).unwrap();
            let mut accepted = 0;
            // Of eight messages one or so has a `k` that makes the part vanish.
            for number in 0..32_u8 {
                let nonce = Scalar::from(u64::from(number) + 1);
                let r = (EdwardsPoint::mul_base(&nonce)).compress();
                let hash = Sha512::new()
                    .chain_update(r.as_bytes())
                    .chain_update(mixed.as_bytes())
                    .chain_update([number]);
                let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
                let s = nonce + k * key.to_scalar();
                accepted += usize::from(is_same(
                    &prepared,
                    &[number],
                    &Signature::from_components(r.to_bytes(), s.to_bytes()),
                ));
            }
            assert!(accepted > 0);
        }
    }

    proptest! {
        #[test]
        fn every_verdict_is_that_of_the_library(
            message in any::<Vec<u8>>(), seed in 0..4_u8, at in 0..64_usize, bit in 0..8_u32, changes in any::<bool>()
        ) {
            let (key, prepared) = prepared(seed);
            let mut bytes = key.sign(&message).to_bytes();
            if changes {
                bytes[at] ^= 1 << bit;
            }
            prop_assert_eq!(is_same(&prepared, &message, &Signature::from_bytes(&bytes)), !changes);
        }

        #[test]
        fn rubbish_is_judged_as_by_the_library(r in any::<[u8; 32]>(), s in any::<[u8; 32]>()) {
            let (_, prepared) = prepared(1);
            prop_assert!(!is_same(&prepared, b"message", &Signature::from_components(r, s)));
        }
    }
}
