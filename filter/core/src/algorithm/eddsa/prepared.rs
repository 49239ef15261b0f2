//! Ed25519 with the multiples of a key at hand: what ed25519-dalek's strict verification decides, in half of the time.
//!
//! Of `R = S*B - k*A` (RFC 8032 section 5.1.7) nothing is secret. ed25519-dalek doubles 250 times and adds; here every multiple that a
//! digit of `k` can ask for was computed when the key was read, as curve25519-dalek has them of the base point, so that there is nothing
//! to do but to add. Points and scalars are
//! curve25519-dalek's, by its public interface. Tests hold each verdict against ed25519-dalek's own.

use std::sync::Arc;

use curve25519_dalek::traits::IsIdentity as _;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};

/// Bits of a digit. One more bit saves 9 of 52 additions; what is computed beforehand takes 60 % more time and memory.
const DIGIT_BITS: usize = 5;
/// Digits of a scalar, which has 253 bits, and a carry.
const DIGITS: usize = 52;
/// Multiples that a digit, which has a sign, can ask for.
const MULTIPLES: usize = 1 << (DIGIT_BITS - 1);

/// `multiples[i][j]` is the point times `(j + 1) * 32^i`: 133 kB.
#[derive(Debug)]
struct Table {
    multiples: Vec<[EdwardsPoint; MULTIPLES]>,
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
        Some(Self { key: *key, minus_key: Arc::new(Table::of(-key.to_edwards())) })
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
        let r = self.minus_key.add_times(&k, EdwardsPoint::mul_base(&s));
        // Equal bytes are the same point: `R` of the signature need not be decompressed to see that it is not of small order.
        r.compress().as_bytes() == signature.r_bytes() && !r.mul_by_cofactor().is_identity()
    }
}

impl Table {
    fn of(point: EdwardsPoint) -> Self {
        let mut unit = point;
        let multiples = (0..DIGITS).map(|_| {
            let mut multiple = unit;
            let row = std::array::from_fn(|index| {
                if index > 0 {
                    multiple += unit;
                }
                multiple
            });
            unit = multiple + multiple;
            row
        });
        Self { multiples: multiples.collect() }
    }

    /// The sum and the point times the scalar.
    fn add_times(&self, scalar: &Scalar, mut sum: EdwardsPoint) -> EdwardsPoint {
        for (row, digit) in self.multiples.iter().zip(digits(scalar.as_bytes())) {
            let place = usize::from(digit.unsigned_abs()).checked_sub(1);
            if let Some(multiple) = place.and_then(|place| row.get(place)) {
                if digit > 0 {
                    sum += multiple;
                } else {
                    sum -= multiple;
                }
            }
        }
        sum
    }
}

/// The digits of a number below `2^255` to the base 32, the least first, from -16 to 16.
fn digits(bytes: &[u8; 32]) -> [i8; DIGITS] {
    let bit_at = |bit: usize| {
        let (byte, shift) = (bit / 8, bit % 8);
        let low = bytes.get(byte).copied().unwrap_or(0);
        let high = bytes.get(byte + 1).copied().unwrap_or(0);
        (u16::from_le_bytes([low, high]) >> shift) & 0x1f
    };
    let mut carry = 0;
    std::array::from_fn(|index| {
        let digit = bit_at(index * DIGIT_BITS) + carry;
        carry = u16::from(digit > 16);
        // From 0 to 32, less 32 where it is above 16.
        i8::try_from(digit).unwrap_or(0) - if carry == 1 { 32 } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::traits::Identity as _;
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
    fn digits_are_those_of_the_number() {
        for bytes in
            [[0; 32], [1; 32], [0x7f; 32], std::array::from_fn(|index| u8::try_from(index * 7).unwrap())]
        {
            let mut sum = Scalar::ZERO;
            for digit in digits(&bytes).into_iter().rev() {
                assert!((-16..=16).contains(&digit));
                let part = Scalar::from(u64::from(digit.unsigned_abs()));
                sum = sum * Scalar::from(32_u64) + if digit < 0 { -part } else { part };
            }
            assert_eq!(sum, Scalar::from_bytes_mod_order(bytes));
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
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
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
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
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
