//! What is counted, as the database sees it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::AddressPrefix;
use crate::account::LoginEmail;

/// The length of the key, in bytes.
const KEY_BYTES: usize = 32;

/// The key of the HMAC (RFC 2104). One for each database and in it, as that of successors is: replicas count together.
///
/// Without it nobody can find out by trying whose e-mail or which address a row is about.
#[derive(Clone)]
pub(crate) struct ThrottleKey(Hmac<Sha256>);

/// What one counter is kept under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    LoginAddress,
    LoginPair,
    LoginAccount,
    SignupAddress,
    RefusedRefreshAddress,
    LinkAddress,
}

impl Scope {
    /// One byte each; never another meaning for one that was used.
    fn tag(self) -> u8 {
        match self {
            Self::LoginAddress => 1,
            Self::LoginPair => 2,
            Self::LoginAccount => 3,
            Self::SignupAddress => 4,
            Self::RefusedRefreshAddress => 5,
            Self::LinkAddress => 6,
        }
    }
}

impl ThrottleKey {
    /// # Errors
    /// The key has a length that HMAC does not take; there is none.
    pub(crate) fn new(bytes: &[u8; KEY_BYTES]) -> Result<Self, hmac::digest::InvalidLength> {
        Ok(Self(Hmac::new_from_slice(bytes)?))
    }

    /// The e-mail comes last and is all that has no fixed length, so that two different inputs never read the same.
    pub(super) fn of(&self, scope: Scope, prefix: AddressPrefix, email: Option<&LoginEmail>) -> Key {
        let mut mac = self.0.clone();
        mac.update(&[scope.tag()]);
        mac.update(&prefix.to_bytes());
        mac.update(email.map_or("", LoginEmail::as_str).as_bytes());
        Key(mac.finalize().into_bytes().into())
    }
}

impl Key {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ThrottleKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ThrottleKey(..)")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> AddressPrefix {
        AddressPrefix::from(text.parse::<std::net::IpAddr>().unwrap())
    }

    #[test]
    fn whatever_differs_is_counted_apart_and_the_spelling_of_an_email_is_no_difference() {
        let key = ThrottleKey::new(&[7; KEY_BYTES]).unwrap();
        let of = |scope, from: &str, email: &str| key.of(scope, prefix(from), Some(&LoginEmail::new(email)));
        let one = of(Scope::LoginPair, "192.0.2.7", "priya@example.com");
        assert_eq!(one, of(Scope::LoginPair, "192.0.2.7", " Priya@Example.COM"));
        assert_ne!(one, of(Scope::LoginPair, "192.0.2.8", "priya@example.com"));
        assert_ne!(one, of(Scope::LoginPair, "192.0.2.7", "priyb@example.com"));
        assert_ne!(one, of(Scope::LoginAccount, "192.0.2.7", "priya@example.com"));
        let other = ThrottleKey::new(&[8; KEY_BYTES]).unwrap();
        let email = LoginEmail::new("priya@example.com");
        assert_ne!(one, other.of(Scope::LoginPair, prefix("192.0.2.7"), Some(&email)));
    }

    #[test]
    fn a_key_is_the_hmac_sha_256_of_another_implementation() {
        let key = ThrottleKey::new(&[7; KEY_BYTES]).unwrap();
        let email = LoginEmail::new("priya@example.com");
        let Key(bytes) = key.of(Scope::LoginPair, prefix("192.0.2.7"), Some(&email));
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, PAIR);
    }

    /// `hmac.new(bytes([7])*32, b"\x02\x04\xc0\x00\x02\x07" + bytes(12) + b"priya@example.com", "sha256")` in Python.
    const PAIR: &str = "6db432ac8099654a3f5927853111f634f13783a3f1c5b91546e53f5a159eed44";

    #[test]
    fn neither_the_key_nor_what_it_made_is_printed_by_debug() {
        let key = ThrottleKey::new(&[7; KEY_BYTES]).unwrap();
        let made = key.of(Scope::LoginAddress, prefix("192.0.2.7"), None);
        assert_eq!(format!("{key:?} {made:?}"), "ThrottleKey(..) Key(..)");
    }
}
