//! Passwords that are guessed first.
//!
//! NIST SP 800-63B-4 section 3.1.1.2 has the entire password compared, not the words in it: a sentence that holds the
//! user's name is a good password.

use std::sync::LazyLock;

use secrecy::{ExposeSecret, SecretString};

/// In lower case and in the order of bytes; common.LICENSES.txt says where it is from. Passwords of less than 8
/// characters, which no setting allows, are left out.
static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// The shortest part of a name or an address that counts, in characters. Shorter ones are in many words.
const MIN_PART_CHARS: usize = 4;
/// What must be left of a password without such parts, in characters: as much as the shortest password has.
const MIN_REST_CHARS: usize = 8;

/// Whether it is one of the most common, without letter case.
pub(super) fn is_common(password: &str) -> bool {
    let folded = folded(password);
    COMMON.binary_search(&folded.expose_secret()).is_ok()
}

/// Whether it is a part of `personal` and little else, without letter case.
pub(super) fn is_made_of(password: &str, personal: &str) -> bool {
    let personal = personal.to_lowercase();
    let is_between = |c: char| !c.is_alphanumeric();
    // `Al Gore` is no part of four characters and one of three alone.
    let together = personal.replace(is_between, "");
    let mut parts: Vec<&str> = personal.split(is_between).chain([together.as_str()]).collect();
    parts.retain(|part| part.chars().count() >= MIN_PART_CHARS);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let whole = folded(password);
    let mut rest = folded(password);
    for part in parts {
        rest = SecretString::from(rest.expose_secret().replace(part, ""));
    }
    let left = rest.expose_secret();
    left.len() < whole.expose_secret().len() && left.chars().count() < MIN_REST_CHARS
}

fn folded(text: &str) -> SecretString {
    SecretString::from(text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_in_lower_case_and_as_long_as_the_standard_asks() {
        assert!(COMMON.is_sorted());
        // OWASP ASVS 5.0, 6.2.4: the 3,000 most common that the rules would allow.
        assert!(COMMON.len() >= 3_000, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert!(word.chars().count() >= 8 && word.to_lowercase() == **word, "{word}");
        }
        assert!(is_common(COMMON.first().unwrap()) && is_common(COMMON.last().unwrap()));
    }

    #[test]
    fn a_common_password_is_compared_as_a_whole() {
        assert!(is_common("Password") && is_common("qwertyuiop"));
        assert!(!is_common("a password of my own") && !is_common("password "));
    }

    #[test]
    fn a_password_that_is_little_more_than_a_part_is_made_of_it() {
        for (password, personal) in [
            ("priyapriya", "Priya"),
            ("PRIYA2024", "priya@example.com"),
            ("priya@example.com", "priya@example.com"),
            ("example1", "priya@example.com"),
            ("algore1!", "Al Gore"),
            ("12Ünal34", "ünal"),
        ] {
            assert!(is_made_of(password, personal), "{password}");
        }
    }

    #[test]
    fn a_password_that_is_good_without_the_part_is_not_made_of_it() {
        for (password, personal) in [
            ("priya likes mangoes", "Priya"),
            ("mangoes!", "Priya"),
            ("comcomcom", "priya@example.com"),
            ("bobbobbob", "Bob"),
        ] {
            assert!(!is_made_of(password, personal), "{password}");
        }
    }
}
