//! One Ed25519 key (RFC 8032), between its stored, its signing and its published form.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bearward_protocol::jwk::Jwk;
use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::Purpose;
use super::seal::KeyEncryption;
use crate::random;
use crate::store::{PrivateForm, StoredKey};

/// A key that can sign. Wiped from memory by its own crate; no `Debug`.
pub(crate) struct SignerKey {
    kid: String,
    key: SigningKey,
}

/// A key in the database is not what was written there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DamagedKey {
    kid: String,
    purpose: Purpose,
}

/// Makes a key that signs from a time on, encrypted where there is something to encrypt with.
///
/// # Errors
/// The operating system has no random numbers.
pub(crate) fn new_key(
    encryption: &KeyEncryption,
    signs_from: i64,
    longest_token_seconds: u32,
) -> Result<StoredKey, getrandom::Error> {
    let seed = SecretBox::new(Box::new(random::bytes::<32>()?));
    let public_key = SigningKey::from_bytes(seed.expose_secret()).verifying_key().to_bytes();
    let kid = thumbprint(&public_key);
    let private = match encryption.seal(&kid, seed.expose_secret())? {
        Some(sealed) => PrivateForm::Sealed(sealed),
        None => PrivateForm::Clear(SecretBox::new(Box::new(seed.expose_secret().to_vec()))),
    };
    Ok(StoredKey { kid, private, public_key: public_key.to_vec(), signs_from, longest_token_seconds })
}

impl SignerKey {
    /// # Errors
    /// [`DamagedKey`] where public key or `kid` do not belong to the private key.
    pub(crate) fn parse(kid: &str, public_key: &[u8], seed: &SecretBox<Vec<u8>>) -> Result<Self, DamagedKey> {
        let damaged = || DamagedKey { kid: kid.to_owned(), purpose: Purpose::Tokens };
        let key = SigningKey::try_from(seed.expose_secret().as_slice()).map_err(|_| damaged())?;
        let own = key.verifying_key().to_bytes();
        if own.as_slice() != public_key || thumbprint(&own) != kid {
            return Err(damaged());
        }
        Ok(Self { kid: kid.to_owned(), key })
    }

    /// Whether this is the key whose public half is stored so.
    pub(crate) fn is(&self, stored: &StoredKey) -> bool {
        self.kid == stored.kid && self.key.verifying_key().to_bytes().as_slice() == stored.public_key
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
    /// Not one of them: together they are no set that a verifier would take.
    pub(super) fn all() -> Self {
        Self { kid: "(all)".to_owned(), purpose: Purpose::Tokens }
    }

    pub(super) fn of(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }
}

impl fmt::Display for DamagedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, purpose } = self;
        let table = purpose.table();
        write!(
            formatter,
            "the signing key {kid} in the database is damaged: restore the table {table}, or retire the key \
             (UPDATE {table} SET retired_at = now() WHERE kid = ...), which ends what it signed: a replica that starts \
             or runs makes a new one"
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

    fn stored() -> StoredKey {
        new_key(&KeyEncryption::default(), 0, 900).unwrap()
    }

    fn parse(stored: &StoredKey) -> Result<SignerKey, DamagedKey> {
        let PrivateForm::Clear(seed) = &stored.private else { panic!("it is encrypted") };
        SignerKey::parse(&stored.kid, &stored.public_key, seed)
    }

    #[test]
    fn a_stored_key_whose_parts_do_not_belong_together_is_refused() {
        assert!(parse(&stored()).is_ok());
        let [one, two] = [stored(), stored()];
        let mixed = StoredKey { private: two.private, ..one };
        let damaged = parse(&mixed).err().unwrap();
        assert_eq!(damaged, DamagedKey { kid: mixed.kid, purpose: Purpose::Tokens });
        assert!(damaged.to_string().contains("retire the key"), "{damaged}");
        let short = PrivateForm::Clear(SecretBox::new(Box::new(vec![1])));
        assert!(parse(&StoredKey { private: short, ..stored() }).is_err());
    }

    #[test]
    fn a_stored_key_does_not_show_its_private_half() {
        let key = stored();
        let PrivateForm::Clear(seed) = &key.private else { panic!("it is encrypted") };
        let secret = format!("{:?}", seed.expose_secret());
        assert!(!format!("{key:?}").contains(&secret));
    }
}
