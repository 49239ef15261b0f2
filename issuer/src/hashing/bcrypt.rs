//! bcrypt, for users who come from elsewhere: verified, and replaced at the next login.

use std::str::FromStr;

use bcrypt::HashParts;

use super::stored::{Cost, UnusableHash};

/// What a stored hash may ask for at most: 14 takes a core for about a second. A row that somebody planted must not
/// take it for an hour.
const MAX_COST: u32 = 14;
/// The least that bcrypt knows.
const MIN_COST: u32 = 4;

/// Whether this claims to be a hash of bcrypt, of whatever kind.
pub(super) fn is_bcrypt(stored: &str) -> bool {
    stored.starts_with("$2")
}

/// # Errors
/// [`UnusableHash`]
pub(super) fn cost(stored: &str) -> Result<Cost, UnusableHash> {
    // `2x` marks hashes that a broken implementation made of bytes beyond ASCII, and `2` ones without a final NUL.
    if !["$2a$", "$2b$", "$2y$"].iter().any(|kind| stored.starts_with(kind)) {
        return Err(UnusableHash::Algorithm);
    }
    let digits = stored.get(4..6).unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UnusableHash::Malformed);
    }
    let cost = HashParts::from_str(stored).map_err(|_| UnusableHash::Malformed)?.get_cost();
    if (MIN_COST..=MAX_COST).contains(&cost) { Ok(Cost::Bcrypt(cost)) } else { Err(UnusableHash::Parameters) }
}

/// Of a longer password bcrypt reads the first 72 bytes, and so do we: so did bcryptjs when the user chose it, and who
/// is refused here cannot log in any more. It is no lasting weakness: the hash that replaces this one is of all of it. A
/// NUL is a byte like others, as it is to bcryptjs.
///
/// # Errors
/// [`UnusableHash`]: nothing was computed.
pub(super) fn verify(password: &[u8], stored: &str) -> Result<bool, UnusableHash> {
    // Compared in constant time by the crate itself.
    bcrypt::verify(password, stored).map_err(|_| UnusableHash::Malformed)
}

/// Computes a hash of this cost: to measure how long one takes.
pub(super) fn compute(cost: u32) {
    // Kept from being found useless, and left out.
    let _ = std::hint::black_box(bcrypt::bcrypt(cost, [7; 16], b"nobody's\0"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By bcryptjs 3.0.3, all with one salt.
    const SALT: &str = "04$abcdefghijklmnopqrstuu";

    fn fits(password: &str, output: &str) -> bool {
        let stored = format!("$2b${SALT}{output}");
        assert_eq!(cost(&stored), Ok(Cost::Bcrypt(4)));
        verify(password.as_bytes(), &stored).unwrap()
    }

    #[test]
    fn hashes_of_bcryptjs_are_verified_whichever_of_the_three_kinds_they_are() {
        for kind in ["2a", "2b", "2y"] {
            let stored = format!("${kind}${SALT}et7g.oOes3vxc.VL2l0d4CQJPGWF8pK");
            assert_eq!(verify(b"mypassword123", &stored), Ok(true), "{kind}");
            assert_eq!(verify(b"mypassword124", &stored), Ok(false), "{kind}");
        }
        assert!(fits("", "byCG3zY1GIXMyxfivm.ClDiInHzxjiq"));
    }

    #[test]
    fn of_a_password_beyond_72_bytes_the_first_72_count_as_they_do_to_bcryptjs() {
        const OF_72: &str = "bzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
        for length in [72, 73, 200] {
            assert!(fits(&"x".repeat(length), OF_72), "{length}");
        }
        assert!(!fits(&"x".repeat(71), OF_72));
        assert!(fits(&"x".repeat(71), ".gc7UY/21CSNJGJg21jJzx9QiOpJ9bO"));
        assert!(fits(&format!("{}z", "ä".repeat(36)), "Ag/vhymG.zjfOvPuw7BgQPjbFV1.SQW"));
        assert!(fits(&format!("{}äöü", "x".repeat(71)), "BQHqZaO/dlDRZ.TvJ67we2MtFVZUvA2"), "half a letter");
    }

    #[test]
    fn a_nul_is_a_byte_like_others() {
        let output = "1XXjbjD7ZfXxmr5GJxwjyi56IwyctvO";
        assert!(fits("pass\0word", output));
        assert!(!fits("pass", output));
        assert!(!fits("pass\0other", output));
    }

    #[test]
    fn a_hash_that_asks_for_too_much_or_is_of_another_kind_is_refused_before_any_work() {
        let of = |head: &str| format!("{head}abcdefghijklmnopqrstuuet7g.oOes3vxc.VL2l0d4CQJPGWF8pK");
        for (head, why) in [
            ("$2b$15$", UnusableHash::Parameters),
            ("$2b$31$", UnusableHash::Parameters),
            ("$2b$99$", UnusableHash::Parameters),
            ("$2b$03$", UnusableHash::Parameters),
            ("$2b$+9$", UnusableHash::Malformed),
            ("$2b$4$", UnusableHash::Malformed),
            ("$2b$é$", UnusableHash::Malformed),
            ("$2x$04$", UnusableHash::Algorithm),
            ("$2$04$", UnusableHash::Algorithm),
            ("$2", UnusableHash::Algorithm),
        ] {
            assert_eq!(cost(&of(head)), Err(why), "{head}");
        }
        assert_eq!(cost(&of("$2b$14$")), Ok(Cost::Bcrypt(14)));
        assert_eq!(cost(&of("$2b$04$!")), Err(UnusableHash::Malformed));
        assert_eq!(cost("$2b$"), Err(UnusableHash::Malformed));
    }
}
