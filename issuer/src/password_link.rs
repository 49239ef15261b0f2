//! One-time links by which a user sets a password: who holds one needs to know nothing else.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};

use crate::random;
use crate::settings::PasswordLinkSettings;

/// The length of a token, in bytes: nobody guesses it, so it is hashed with SHA-256 and nobody is held up who tries.
const TOKEN_BYTES: usize = 32;

/// The token of a link, as its user holds it. Wiped after use; `Debug` does not show it.
#[derive(Debug)]
pub(crate) struct LinkToken(SecretBox<[u8; TOKEN_BYTES]>);

/// What the database knows a link by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkHash([u8; 32]);

impl LinkToken {
    /// # Errors
    /// The operating system has no random numbers.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBox::new(Box::new(random::bytes()?))))
    }

    /// A token as it was presented. `None`: none that was ever made looks like this.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut token = SecretBox::new(Box::new([0; TOKEN_BYTES]));
        // Strict: one spelling for each token, no padding, no bits left over.
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, token.expose_secret_mut()).ok()?;
        (length == TOKEN_BYTES).then_some(Self(token))
    }

    /// 43 letters of base64url.
    pub(crate) fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }

    /// The link that goes to the user, where it is known which page takes it. The token stands in the fragment, which no
    /// browser sends: it is in no server's log, and in no `Referer`.
    pub(crate) fn link(&self, settings: &PasswordLinkSettings) -> Option<String> {
        settings.url.as_ref().map(|page| format!("{page}#token={}", self.text()))
    }

    pub(crate) fn hash(&self) -> LinkHash {
        LinkHash(Sha256::digest(self.0.expose_secret()).into())
    }
}

impl LinkHash {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_in_no_other_spelling() {
        let token = LinkToken::new().unwrap();
        let text = token.text();
        assert_eq!(text.len(), 43);
        assert!(LinkToken::parse(&text).unwrap().hash() == token.hash());
        assert!(LinkToken::new().unwrap().hash() != token.hash());
        for other in [
            format!("{text}="),
            format!(" {text}"),
            text.chars().skip(1).collect(),
            text.repeat(2),
            String::new(),
        ] {
            assert!(LinkToken::parse(&other).is_none(), "{other}");
        }
        assert!(!format!("{token:?}").contains(&text));
    }

    #[test]
    fn the_token_stands_in_the_fragment_of_the_operators_page() {
        let token = LinkToken::new().unwrap();
        let mut settings = PasswordLinkSettings { url: None, seconds: 60 };
        assert_eq!(token.link(&settings), None);
        settings.url = Some("https://app.example.com/password?lang=en".to_owned());
        let expected = format!("https://app.example.com/password?lang=en#token={}", token.text());
        assert_eq!(token.link(&settings), Some(expected));
    }
}
