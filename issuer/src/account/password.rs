//! Passwords: never shown, not even by `Debug`, and wiped from memory after use.

use secrecy::{ExposeSecret, SecretString};

use crate::settings::PasswordSettings;

/// The longest password, in characters. NIST SP 800-63B-4 section 3.1.1.2 asks for at least 64; nothing is cut off.
const MAX_CHARS: usize = 128;

/// A password that meets the rules for new ones.
///
/// Length is the only rule: composition rules make passwords worse (NIST SP 800-63B-4 section 3.1.1.2).
#[derive(Debug)]
pub(crate) struct NewPassword(SecretString);

impl NewPassword {
    /// Counts Unicode scalar values, as NIST SP 800-63B-4 does.
    ///
    /// # Errors
    /// A sentence for the client, without the password.
    pub(crate) fn parse(text: String, rules: PasswordSettings) -> Result<Self, String> {
        let secret = SecretString::from(text);
        let chars = secret.expose_secret().chars().count();
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
        if secret.expose_secret().contains('\0') {
            return Err("Password must not contain NUL".to_owned());
        }
        Ok(Self(secret))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// What somebody typed to log in. Held to no rule: rules change, and older passwords still count.
#[derive(Debug)]
pub(crate) struct PresentedPassword(SecretString);

impl PresentedPassword {
    pub(crate) fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
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
    fn a_password_is_not_printed_by_debug() {
        let text = "mypassword123";
        assert!(!format!("{:?}", NewPassword::parse(text.to_owned(), RULES)).contains(text));
        assert!(!format!("{:?}", PresentedPassword::new(text.to_owned())).contains(text));
    }
}
