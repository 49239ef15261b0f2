//! Passwords: never shown, not even by `Debug`, and wiped from memory after use.

mod blocklist;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::{Email, Name};
use crate::settings::PasswordSettings;

/// The longest password, in characters. NIST SP 800-63B-4 section 3.1.1.2 asks for at least 64; nothing is cut off. Twice
/// that is more than anybody chooses who is not looking for what we do with it.
const MAX_CHARS: usize = 128;

/// A password that meets the rules for new ones, in NFC.
///
/// Length and the blocklist are the only rules: composition rules make passwords worse (NIST SP 800-63B-4 section
/// 3.1.1.2). That section asks for normalization, too: one password is other bytes on another keyboard. NFC, because NFKC
/// makes one password of several.
#[derive(Debug)]
pub(crate) struct NewPassword(SecretString);

impl NewPassword {
    /// Counts Unicode scalar values, as NIST SP 800-63B-4 does, after normalization.
    ///
    /// # Errors
    /// A sentence for the client, without the password.
    pub(crate) fn parse(text: String, rules: PasswordSettings) -> Result<Self, String> {
        let sent = SecretString::from(text);
        let secret = nfc(&sent);
        let text = secret.expose_secret();
        let chars = text.chars().count();
        if chars == 0 {
            return Err("Password is required".to_owned());
        }
        if chars < rules.min_length as usize {
            return Err(format!("Password must be at least {} characters", rules.min_length));
        }
        if chars > MAX_CHARS {
            return Err(format!("Password must be at most {MAX_CHARS} characters"));
        }
        // Some hashes end at NUL; a password must mean the same to whatever verifies it after us.
        if text.contains('\0') {
            return Err("Password must not contain NUL".to_owned());
        }
        if blocklist::is_common(text) {
            return Err("Password is one of the most common: choose one that nobody else would".to_owned());
        }
        Ok(Self(secret))
    }

    /// Holds it against what everybody knows of its user. A part that is not known, because it was not acceptable
    /// itself, is passed over.
    ///
    /// # Errors
    /// A sentence for the client, without the password.
    pub(crate) fn apart_from(self, name: Option<&Name>, email: Option<&Email>) -> Result<Self, String> {
        let text = self.0.expose_secret();
        if name.is_some_and(|name| blocklist::is_made_of(text, name.as_str())) {
            return Err("Password is little more than the name: choose one that is not made of it".to_owned());
        }
        if email.is_some_and(|email| blocklist::is_made_of(text, email.as_str())) {
            return Err(
                "Password is little more than the email: choose one that is not made of it".to_owned()
            );
        }
        Ok(self)
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// What somebody typed to log in. Held to no rule: rules change, and older passwords still count.
///
/// New hashes are of the normalized form. Those from before, and those of imported users, are of what was sent then.
#[derive(Clone, Debug)]
pub(crate) struct PresentedPassword {
    normalized: SecretString,
    /// Where it is another.
    as_sent: Option<SecretString>,
}

impl PresentedPassword {
    pub(crate) fn new(text: String) -> Self {
        let sent = SecretString::from(text);
        let normalized = nfc(&sent);
        let differs = normalized.expose_secret() != sent.expose_secret();
        Self { normalized, as_sent: differs.then_some(sent) }
    }

    /// In NFC.
    pub(crate) fn normalized(&self) -> &[u8] {
        self.normalized.expose_secret().as_bytes()
    }

    /// As it was sent, where that is not in NFC.
    pub(crate) fn as_sent(&self) -> Option<&[u8]> {
        self.as_sent.as_ref().map(|sent| sent.expose_secret().as_bytes())
    }
}

fn nfc(text: &SecretString) -> SecretString {
    let text = text.expose_secret();
    // Room for all of it from the start (no character grows to more than three times its bytes): a string that grows
    // leaves copies behind, which nobody wipes.
    let mut normalized = String::with_capacity(3 * text.len());
    normalized.extend(text.nfc());
    SecretString::from(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: PasswordSettings = PasswordSettings { min_length: 8 };

    #[test]
    fn length_is_counted_in_characters_not_in_bytes() {
        assert!(NewPassword::parse("pässwörd".to_owned(), RULES).is_ok());
        let seven = NewPassword::parse("pässwör".to_owned(), RULES);
        assert_eq!(seven.unwrap_err(), "Password must be at least 8 characters");
    }

    #[test]
    fn a_password_of_64_characters_and_more_is_accepted_whole() {
        for length in [64, 100, 128] {
            assert_eq!(NewPassword::parse("x".repeat(length), RULES).unwrap().expose().len(), length);
        }
        assert!(NewPassword::parse("x".repeat(129), RULES).is_err());
    }

    #[test]
    fn spaces_count_and_stay_and_nul_is_refused() {
        assert_eq!(NewPassword::parse("  8 char ".to_owned(), RULES).unwrap().expose(), b"  8 char ");
        assert_eq!(
            NewPassword::parse("12345678\0".to_owned(), RULES).unwrap_err(),
            "Password must not contain NUL"
        );
        assert_eq!(NewPassword::parse(String::new(), RULES).unwrap_err(), "Password is required");
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_are_composed() {
        let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rds", "pa\u{308}sswo\u{308}rds");
        for text in [composed, decomposed] {
            assert_eq!(NewPassword::parse(text.to_owned(), RULES).unwrap().expose(), composed.as_bytes());
            assert_eq!(PresentedPassword::new(text.to_owned()).normalized(), composed.as_bytes());
        }
        assert_eq!(PresentedPassword::new(composed.to_owned()).as_sent(), None);
        assert_eq!(PresentedPassword::new(decomposed.to_owned()).as_sent(), Some(decomposed.as_bytes()));
        let seven = NewPassword::parse("a\u{308}bcdefg".to_owned(), RULES);
        assert_eq!(
            seven.unwrap_err(),
            "Password must be at least 8 characters",
            "counted after normalization"
        );
    }

    #[test]
    fn a_common_password_is_refused_with_the_reason_in_whatever_case() {
        for text in ["password", "PassWord1", "iloveyou1", "12345678"] {
            let refused = NewPassword::parse(text.to_owned(), RULES).unwrap_err();
            assert_eq!(
                refused, "Password is one of the most common: choose one that nobody else would",
                "{text}"
            );
        }
        assert!(NewPassword::parse("mypassword123".to_owned(), RULES).is_ok(), "the tutorial's");
    }

    #[test]
    fn a_password_made_of_name_or_email_is_refused_with_the_reason() {
        let name = Name::parse("Priya Sharma").unwrap();
        let email = Email::parse("p.kitchen@example.com").unwrap();
        let refused = |text: &str| {
            let password = NewPassword::parse(text.to_owned(), RULES).unwrap();
            password.apart_from(Some(&name), Some(&email)).err()
        };
        assert!(refused("PriyaSharma1").unwrap().contains("the name"));
        assert!(refused("p.Kitchen2024").unwrap().contains("the email"));
        assert_eq!(refused("what priya never cooks"), None, "more than the name");
        let unknown = NewPassword::parse("PriyaSharma1".to_owned(), RULES).unwrap();
        assert!(unknown.apart_from(None, None).is_ok());
    }

    #[test]
    fn a_password_is_not_printed_by_debug() {
        let text = "mypassword123";
        assert!(!format!("{:?}", NewPassword::parse(text.to_owned(), RULES)).contains(text));
        assert!(!format!("{:?}", PresentedPassword::new(text.to_owned())).contains(text));
    }
}
