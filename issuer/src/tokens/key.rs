//! One Ed25519 key (RFC 8032), between its stored, its signing and its published form.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bearward_protocol::jwk::Jwk;
use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use crate::random;
use crate::store::StoredKey;

/// A key that can sign. Wiped from memory by its own crate; no `Debug`.
pub(crate) struct SignerKey {
    kid: String,
    key: SigningKey,
}

/// A key in the database is not what was written there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DamagedKey(String);

/// Makes a key.
///
/// # Errors
/// The operating system has no random numbers.
pub(crate) fn new_key() -> Result<StoredKey, getrandom::Error> {
    let seed = SecretBox::new(Box::new(random::bytes::<32>()?));
    let public_key = SigningKey::from_bytes(seed.expose_secret()).verifying_key().to_bytes();
    Ok(StoredKey {
        kid: thumbprint(&public_key),
        private_key: SecretBox::new(Box::new(seed.expose_secret().to_vec())),
        public_key: public_key.to_vec(),
    })
}

impl SignerKey {
    /// # Errors
    /// [`DamagedKey`] where public key or `kid` do not belong to the private key.
    pub(crate) fn parse(stored: &StoredKey) -> Result<Self, DamagedKey> {
        let damaged = || DamagedKey(stored.kid.clone());
        let key =
            SigningKey::try_from(stored.private_key.expose_secret().as_slice()).map_err(|_| damaged())?;
        let public_key = key.verifying_key().to_bytes();
        if public_key.as_slice() != stored.public_key || thumbprint(&public_key) != stored.kid {
            return Err(damaged());
        }
        Ok(Self { kid: stored.kid.clone(), key })
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The public half, to be published.
    pub(crate) fn jwk(&self) -> Jwk {
        Jwk::ed25519(self.kid.clone(), BASE64_URL_SAFE_NO_PAD.encode(self.key.verifying_key().to_bytes()))
    }
}

impl DamagedKey {
    /// There is no usable key at all.
    pub(crate) fn none() -> Self {
        Self("(none)".to_owned())
    }
}

impl fmt::Display for DamagedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the signing key {} in the database is damaged: restore the table signing_keys, or retire the key \
             (set retired_at) and then restart every replica: the first makes a new key, and one that still runs \
             would go on signing with the old one",
            self.0
        )
    }
}

/// The thumbprint of RFC 7638 section 3 with the members that RFC 8037 section 2 asks for, in lexicographic order.
fn thumbprint(public_key: &[u8; 32]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public_key);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let public_key =
            BASE64_URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let public_key: [u8; 32] = public_key.try_into().unwrap();
        assert_eq!(thumbprint(&public_key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_stored_key_whose_parts_do_not_belong_together_is_refused() {
        assert!(SignerKey::parse(&new_key().unwrap()).is_ok());
        let [one, two] = [new_key().unwrap(), new_key().unwrap()];
        let mixed = StoredKey { kid: one.kid, private_key: two.private_key, public_key: one.public_key };
        let damaged = SignerKey::parse(&mixed).err().unwrap();
        assert_eq!(damaged, DamagedKey(mixed.kid));
        assert!(damaged.to_string().contains("then restart every replica"), "{damaged}");
        let short = StoredKey { private_key: SecretBox::new(Box::new(vec![1])), ..new_key().unwrap() };
        assert!(SignerKey::parse(&short).is_err());
    }

    #[test]
    fn a_stored_key_does_not_show_its_private_half() {
        let key = new_key().unwrap();
        let secret = format!("{:?}", key.private_key.expose_secret());
        assert!(!format!("{key:?}").contains(&secret));
    }
}
