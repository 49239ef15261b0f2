//! Refresh tokens: random bytes that mean something to the database alone, which knows their hashes.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};

use crate::random;

/// The length of a token, in bytes: twice the 128 bits that OWASP ASVS 5.0 asks for (7.2.3).
const TOKEN_BYTES: usize = 32;

/// The length of a key from which successors are derived, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// A refresh token as its client holds it. Wiped after use; `Debug` does not show it.
#[derive(Debug)]
pub(crate) struct RefreshToken(SecretBox<[u8; TOKEN_BYTES]>);

/// What the database knows a token by.
///
/// SHA-256 alone: the slow hash that a password needs is against guessing, and 256 random bits are guessed by nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshHash([u8; 32]);

/// The key from which successors are derived.
///
/// One for each database and in it, made by the first process that needs one: replicas agree without a setting, and a
/// restored database brings the key that fits its tokens. Alone it opens nothing: a successor is derived from a token,
/// and tokens are not in the database.
#[derive(Debug)]
pub(crate) struct SuccessorKey(SecretBox<[u8; KEY_BYTES]>);

impl RefreshToken {
    /// The first token of a session.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBox::new(Box::new(random::bytes()?))))
    }

    /// A token as it was presented. `None`: none that was ever made looks like this.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut token = SecretBox::new(Box::new([0; TOKEN_BYTES]));
        let bytes = token.expose_secret_mut();
        // Strict: one spelling for each token, no padding, no bits left over.
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, bytes).ok()?;
        (length == TOKEN_BYTES).then_some(Self(token))
    }

    /// As the client gets it: 43 letters of base64url.
    pub(crate) fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }

    pub(crate) fn hash(&self) -> RefreshHash {
        RefreshHash(Sha256::digest(self.0.expose_secret()).into())
    }

    /// The token that follows this one: the same whenever it is asked for, so that a client whose answer was lost can
    /// ask again, and known to nobody who has only one of token and key (HMAC-SHA-256, RFC 2104).
    ///
    /// # Errors
    /// The key has a length that HMAC does not take; there is none.
    pub(crate) fn successor(&self, key: &SuccessorKey) -> Result<Self, hmac::digest::InvalidLength> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.0.expose_secret())?;
        mac.update(self.0.expose_secret());
        Ok(Self(SecretBox::new(Box::new(mac.finalize().into_bytes().into()))))
    }
}

impl RefreshHash {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RefreshHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RefreshHash(..)")
    }
}

impl SuccessorKey {
    /// # Errors
    /// The operating system has no random numbers.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBox::new(Box::new(random::bytes()?))))
    }

    pub(crate) fn stored(bytes: [u8; KEY_BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_in_no_other_spelling() {
        let token = RefreshToken::new().unwrap();
        let text = token.text();
        assert_eq!(text.len(), 43);
        assert_eq!(RefreshToken::parse(&text).unwrap().hash(), token.hash());
        let (begin, last) = text.split_at(42);
        let other_last = "AEIMQUYcgkosw048".chars().find(|c| !last.starts_with(*c)).unwrap();
        assert_ne!(RefreshToken::parse(&format!("{begin}{other_last}")).unwrap().hash(), token.hash());
        for other in [
            format!("{text}="),
            format!(" {text}"),
            format!("{begin}B"), // bits left over
            begin.to_owned(),
            format!("{text}{text}"),
            "x".repeat(8000),
            String::new(),
        ] {
            assert!(RefreshToken::parse(&other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_successor_follows_from_token_and_key_alone() {
        let (token, key) = (RefreshToken::new().unwrap(), SuccessorKey::new().unwrap());
        let successor = |token: &RefreshToken, key: &SuccessorKey| token.successor(key).unwrap().text();
        assert_eq!(successor(&token, &key), successor(&token, &key));
        assert_ne!(successor(&token, &key), token.text());
        assert_ne!(successor(&token, &key), successor(&token, &SuccessorKey::new().unwrap()));
        assert_ne!(successor(&token, &key), successor(&RefreshToken::new().unwrap(), &key));
    }

    #[test]
    fn the_derivation_is_the_hmac_sha_256_of_another_implementation() {
        let key = SuccessorKey::stored([7; KEY_BYTES]);
        let token = RefreshToken(SecretBox::new(Box::new([9; TOKEN_BYTES])));
        assert_eq!(token.successor(&key).unwrap().text(), SUCCESSOR);
    }

    /// `hmac.new(bytes([7])*32, bytes([9])*32, "sha256")` in Python, as base64url.
    const SUCCESSOR: &str = "ZQybz5l_v-FyhNSXfIlUXRO-U-9G9ntzhQYcvpk8voQ";

    #[test]
    fn neither_token_nor_hash_nor_key_is_printed_by_debug() {
        let (token, key) = (RefreshToken::new().unwrap(), SuccessorKey::new().unwrap());
        let printed = format!("{token:?} {:?} {key:?}", token.hash());
        for secret in [token.text(), format!("{:?}", token.0.expose_secret()), format!("{:?}", key.expose())]
        {
            assert!(!printed.contains(&secret), "{printed}");
        }
        assert_eq!(printed.matches("RefreshHash(..)").count(), 1, "{printed}");
    }
}
