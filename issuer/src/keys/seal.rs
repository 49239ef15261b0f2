//! Signing keys encrypted at rest: XChaCha20-Poly1305 under keys that lie outside of the database.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::Purpose;
use crate::random;

/// A key that encrypts keys.
pub(crate) type KeyEncryptionKey = SecretBox<[u8; KEY_BYTES]>;

/// The length of a key-encryption key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// The form of what is stored: this byte, the nonce, the ciphertext with its tag.
const VERSION: u8 = 1;
/// Random nonces of this length do not meet, however many keys there are: why the cipher is the one with the X.
const NONCE_BYTES: usize = 24;
/// The key-encryption keys: the first encrypts, all decrypt. Wiped from memory by their own crate.
#[derive(Default)]
pub(crate) struct KeyEncryption {
    purpose: Purpose,
    ciphers: Vec<XChaCha20Poly1305>,
    /// Of all keys together, for whoever compares replicas: see [`KeyEncryption::fingerprints`].
    fingerprints: Vec<String>,
}

/// What was opened, and by which of the keys.
pub(crate) struct Opened {
    pub(crate) seed: SecretBox<Vec<u8>>,
    pub(crate) by: usize,
}

impl KeyEncryption {
    pub(crate) fn new(keys: &[KeyEncryptionKey]) -> Self {
        let cipher = |key: &KeyEncryptionKey| XChaCha20Poly1305::new(key.expose_secret().into());
        Self {
            purpose: Purpose::Tokens,
            ciphers: keys.iter().map(cipher).collect(),
            fingerprints: keys.iter().map(fingerprint).collect(),
        }
    }

    /// With the same keys, for signing keys of this purpose.
    pub(crate) fn of(&self, purpose: Purpose) -> Self {
        Self { purpose, ciphers: self.ciphers.clone(), fingerprints: self.fingerprints.clone() }
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How many keys there are; without any, signing keys lie in the clear.
    pub(crate) fn len(&self) -> usize {
        self.ciphers.len()
    }

    /// Short names of the keys, for the log: to see which files replicas have.
    pub(crate) fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    /// Encrypts the private key of `kid`. `None`: there is nothing to encrypt with.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub(crate) fn seal(&self, kid: &str, seed: &[u8]) -> Result<Option<Vec<u8>>, getrandom::Error> {
        let Some(cipher) = self.ciphers.first() else { return Ok(None) };
        let nonce = random::bytes::<NONCE_BYTES>()?;
        let aad = self.associated_data(kid);
        // It fails for messages of 256 GiB and more.
        let Ok(ciphertext) = cipher.encrypt(&XNonce::from(nonce), Payload { msg: seed, aad: &aad }) else {
            return Err(getrandom::Error::UNEXPECTED);
        };
        Ok(Some([&[VERSION][..], &nonce, &ciphertext].concat()))
    }

    /// Decrypts the private key of `kid` with whichever key opens it.
    pub(crate) fn open(&self, kid: &str, sealed: &[u8]) -> Option<Opened> {
        let (nonce, ciphertext) = sealed.strip_prefix(&[VERSION])?.split_first_chunk::<NONCE_BYTES>()?;
        let aad = self.associated_data(kid);
        let nonce = XNonce::from(*nonce);
        self.ciphers.iter().enumerate().find_map(|(by, cipher)| {
            let seed = cipher.decrypt(&nonce, Payload { msg: ciphertext, aad: &aad }).ok()?;
            Some(Opened { seed: SecretBox::new(Box::new(seed)), by })
        })
    }

    /// What the ciphertext is for. It is authenticated together with the `kid`, so that nothing that was encrypted for
    /// another purpose or another key is taken for this one.
    fn associated_data(&self, kid: &str) -> Vec<u8> {
        let purpose: &[u8] = match self.purpose {
            Purpose::Tokens => b"bearward-issuer signing key v1 EdDSA ",
            Purpose::Feed => b"bearward-issuer feed key v1 EdDSA ",
        };
        [purpose, kid.as_bytes()].concat()
    }
}

impl fmt::Debug for KeyEncryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeyEncryption").field(&self.fingerprints).finish()
    }
}

/// Eight digits of a hash: enough to compare, nothing to guess 32 random bytes from.
fn fingerprint(key: &KeyEncryptionKey) -> String {
    let digest =
        Sha256::new().chain_update(b"bearward-issuer key-encryption key ").chain_update(key.expose_secret());
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(bytes: &[u8]) -> KeyEncryption {
        let keys: Vec<_> = bytes.iter().map(|byte| SecretBox::new(Box::new([*byte; KEY_BYTES]))).collect();
        KeyEncryption::new(&keys)
    }

    #[test]
    fn what_was_sealed_is_opened_by_its_key_wherever_that_stands_in_the_list() {
        let sealed = encryption(&[1]).seal("kid", &[9; 32]).unwrap().unwrap();
        for (keys, by) in [(&[1][..], 0), (&[2, 1], 1), (&[3, 2, 1], 2)] {
            let opened = encryption(keys).open("kid", &sealed).unwrap();
            assert_eq!((opened.seed.expose_secret().as_slice(), opened.by), (&[9; 32][..], by));
        }
        assert!(encryption(&[2]).open("kid", &sealed).is_none());
        assert!(encryption(&[]).open("kid", &sealed).is_none());
        assert!(encryption(&[]).seal("kid", &[9; 32]).unwrap().is_none());
    }

    #[test]
    fn what_was_sealed_for_another_kid_or_changed_in_any_byte_or_cut_is_not_opened() {
        let encryption = encryption(&[1]);
        let sealed = encryption.seal("kid", &[9; 32]).unwrap().unwrap();
        assert!(encryption.open("kie", &sealed).is_none());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(encryption.open("kid", &changed).is_none(), "byte {index}");
            assert!(encryption.open("kid", &sealed[..index]).is_none(), "{index} bytes");
        }
    }

    #[test]
    fn a_key_that_was_sealed_for_the_feed_does_not_open_as_one_for_tokens_nor_the_other_way_round() {
        let tokens = encryption(&[1]);
        let feed = tokens.of(Purpose::Feed);
        let (for_tokens, for_feed) = (tokens.seal("kid", &[9; 32]), feed.seal("kid", &[9; 32]));
        let (for_tokens, for_feed) = (for_tokens.unwrap().unwrap(), for_feed.unwrap().unwrap());
        assert!(feed.open("kid", &for_feed).is_some() && tokens.open("kid", &for_tokens).is_some());
        assert!(feed.open("kid", &for_tokens).is_none());
        assert!(tokens.open("kid", &for_feed).is_none());
    }

    #[test]
    fn no_two_seals_are_alike_and_none_shows_what_is_in_it() {
        let encryption = encryption(&[1]);
        let [one, two] = [encryption.seal("kid", &[9; 32]), encryption.seal("kid", &[9; 32])];
        let (one, two) = (one.unwrap().unwrap(), two.unwrap().unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(4).any(|window| window == [9; 4]));
    }
}
