//! Many bytes at a time: what is asked of every byte of a token.
//!
//! Plain loops over blocks, which the compiler makes into vector instructions where it is told that there are some, as it is
//! for the module (`xtask/src/verb/build/toolchain.rs`).

use subtle::{Choice, ConstantTimeEq as _};

const LANES: usize = 16;

/// Whether all bytes may stand in a `b64token` before its padding (RFC 6750 section 2.1):
/// `ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/"`.
pub(crate) fn are_b64(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<LANES>();
    let mut odd = [0; LANES];
    for block in blocks {
        for (odd, byte) in odd.iter_mut().zip(block) {
            *odd |= u8::from(!is_b64(*byte));
        }
    }
    odd == [0; LANES] && rest.iter().all(|byte| is_b64(*byte))
}

/// The letters of a block of base64url, and how many bytes they stand for.
pub(crate) const BLOCK_LETTERS: usize = 64;
const BLOCK_BYTES: usize = BLOCK_LETTERS / 4 * 3;

/// What blocks of base64url stand for (RFC 4648 section 5); `None` for a byte that it does not have.
pub(crate) fn sextets_joined(blocks: &[[u8; BLOCK_LETTERS]], last: &[u8; BLOCK_LETTERS]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; blocks.len().saturating_add(1).saturating_mul(BLOCK_BYTES)];
    let mut all = [0; BLOCK_LETTERS];
    let (places, _) = bytes.as_chunks_mut();
    let (place_of_last, places) = places.split_last_mut()?;
    for (block, place) in blocks.iter().zip(places) {
        join(block, place, &mut all);
    }
    join(last, place_of_last, &mut all);
    (all.iter().fold(0, |all, each| all | each) < NO_SEXTET).then_some(bytes)
}

/// One block; `all` gathers what is set in any of its sextets.
fn join(block: &[u8; BLOCK_LETTERS], place: &mut [u8; BLOCK_BYTES], all: &mut [u8; BLOCK_LETTERS]) {
    let mut sextets = [0; BLOCK_LETTERS];
    for ((sextet, all), byte) in sextets.iter_mut().zip(all).zip(block) {
        *sextet = sextet_of(*byte);
        *all |= *sextet;
    }
    let mut triples = [0; BLOCK_LETTERS / 4];
    for (triple, four) in triples.iter_mut().zip(sextets.as_chunks().0) {
        *triple = triple_of(u32::from_le_bytes(*four));
    }
    for (four, words) in triples.as_chunks().0.iter().zip(place.as_chunks_mut::<12>().0) {
        for (word, place) in triples_joined(*four).iter().zip(words.as_chunks_mut().0) {
            *place = word.to_le_bytes();
        }
    }
}

/// The three bytes of four sextets: the first has six bits of the first and two of the second, and so on.
const fn triple_of(sextets: u32) -> u32 {
    (sextets << 2 & 0xfc | sextets >> 12 & 0x03)
        | (sextets << 4 & 0xf000 | sextets >> 10 & 0x0f00)
        | (sextets << 6 & 0x00c0_0000 | sextets >> 8 & 0x003f_0000)
}

/// Without the fourth byte of each, which is none.
const fn triples_joined([first, second, third, fourth]: [u32; 4]) -> [u32; 3] {
    [first | second << 24, second >> 8 | third << 16, third >> 16 | fourth << 8]
}

/// What stands for no sextet.
const NO_SEXTET: u8 = 0x40;

/// What a letter of base64url stands for.
const fn sextet_of(byte: u8) -> u8 {
    let upper = if byte.wrapping_sub(b'A') < 26 { byte.wrapping_sub(b'A') } else { NO_SEXTET };
    let letter = if byte.wrapping_sub(b'a') < 26 { byte.wrapping_sub(b'a' - 26) } else { upper };
    let digit = if byte.wrapping_sub(b'0') < 10 { byte.wrapping_add(52 - b'0') } else { letter };
    let minus = if byte == b'-' { 62 } else { digit };
    if byte == b'_' { 63 } else { minus }
}

const fn is_b64(byte: u8) -> bool {
    // `-`, `.`, `/` and the digits stand side by side.
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit_or_mark = byte.wrapping_sub(b'-') < 13;
    is_letter | is_digit_or_mark | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// Whether they are the same, word by word where they are short, as names are: `==` would call a function that goes byte by byte.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // Of two chunks that may overlap, all of it.
    if let (Some(begin), Some(end)) = (one.first_chunk(), one.last_chunk()) {
        let is_short = one.len() <= 16;
        let differs = |own: &[u8; 8], others: Option<&[u8; 8]>| {
            others.is_none_or(|others| u64::from_ne_bytes(*own) != u64::from_ne_bytes(*others))
        };
        if differs(begin, other.first_chunk()) || differs(end, other.last_chunk()) {
            return false;
        }
        return is_short || one == other;
    }
    one.iter().zip(other).all(|(one, other)| one == other)
}

/// The same but for the case of ASCII letters, which few write otherwise.
pub(crate) fn is_same_but_for_case(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (is_same(one, other) || one.eq_ignore_ascii_case(other))
}

/// Whether they are the same, in a time that only their lengths tell: all differences are gathered before one is looked at.
pub(crate) fn are_same(one: &[u8], other: &[u8]) -> Choice {
    let ((blocks, rest), (other_blocks, other_rest)) = (one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
    if blocks.len() != other_blocks.len() {
        return Choice::from(0);
    }
    let mut differences = [0_u8; LANES];
    for (block, other_block) in blocks.iter().zip(other_blocks) {
        for (difference, (byte, other)) in differences.iter_mut().zip(block.iter().zip(other_block)) {
            *difference |= byte ^ other;
        }
    }
    u128::from_ne_bytes(differences).ct_eq(&0) & rest.ct_eq(other_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 6750 has it, letter by letter.
    fn as_written(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
    }

    #[test]
    fn a_byte_that_no_b64token_has_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for length in [1, 15, 16, 17, 40] {
                for place in 0..length {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(are_b64(&bytes), as_written(byte), "{byte} at {place} of {length}");
                }
            }
        }
        assert!(are_b64(b""));
    }

    #[test]
    fn texts_are_the_same_if_each_byte_is_however_long_they_are() {
        for length in 0..40_u8 {
            let one: Vec<u8> = (0..length).map(|byte| byte + b'a').collect();
            assert!(is_same(&one, &one.clone()) && is_same_but_for_case(&one, &one.to_ascii_uppercase()));
            assert!(!is_same(&one, &[one.as_slice(), b"x"].concat()));
            assert_eq!(is_same(&one, &one.to_ascii_uppercase()), one.is_empty());
            for place in 0..one.len() {
                let mut other = one.clone();
                other[place] ^= 1;
                assert!(!is_same(&one, &other) && !is_same(&other, &one), "{place} of {length}");
                assert!(!is_same_but_for_case(&one, &other), "{place} of {length}");
            }
        }
    }

    #[test]
    fn bytes_are_the_same_only_if_each_is_and_there_are_as_many() {
        let same = |one: &[u8], other: &[u8]| bool::from(are_same(one, other));
        for length in [0, 1, 15, 16, 17, 48, 100] {
            let one: Vec<u8> = (0..length).collect();
            assert!(same(&one, &one.clone()), "{length}");
            assert!(!same(&one, &[one.as_slice(), &[0]].concat()), "{length}");
            for place in 0..one.len() {
                for bit in 0..8 {
                    let mut other = one.clone();
                    other[place] ^= 1 << bit;
                    assert!(!same(&one, &other), "bit {bit} at {place} of {length}");
                }
            }
        }
    }
}
