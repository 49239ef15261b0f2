//! Secrets that stand in files: read once, wiped where they lay.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::keys::seal::{KEY_BYTES, KeyEncryptionKey};

/// The longest file with a secret, in bytes.
const MAX_SECRET_FILE_BYTES: usize = 4 * 1024;
/// The most files of one setting: those of a change, and some that it left behind.
const MAX_FILES: usize = 8;

/// The key-encryption keys out of a list of files.
pub(super) fn key_encryption_keys(text: &str) -> Result<Vec<KeyEncryptionKey>, String> {
    let mut keys: Vec<KeyEncryptionKey> = Vec::new();
    for path in items(text)? {
        let key =
            key_encryption_key(&read(Path::new(path)).map_err(|why| format!("names {path}, which {why}"))?);
        let key = key.map_err(|why| format!("names {path}, which {why}"))?;
        if keys.iter().any(|other| other.expose_secret() == key.expose_secret()) {
            return Err(format!("names {path}, which holds the same key as a file before it"));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// What a list names, item by item.
pub(super) fn items(text: &str) -> Result<Vec<&str>, String> {
    let items: Vec<_> = text.split(',').map(str::trim).collect();
    if items.iter().any(|item| item.is_empty()) {
        return Err("must be a comma separated list without empty places".to_owned());
    }
    if items.len() > MAX_FILES {
        return Err(format!("must hold at most {MAX_FILES} files"));
    }
    Ok(items)
}

/// The text of a file, without one line end.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    // As large as it may become, so that no copy stays behind where it grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_FILE_BYTES + 1));
    let limit = u64::try_from(MAX_SECRET_FILE_BYTES + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > MAX_SECRET_FILE_BYTES {
        return Err(format!("is larger than {MAX_SECRET_FILE_BYTES} bytes"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not text".to_owned())?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(line))
}

fn key_encryption_key(text: &SecretString) -> Result<KeyEncryptionKey, &'static str> {
    let wrong = "must hold 32 random bytes in base64, as `openssl rand -base64 32` prints them";
    let text = text.expose_secret().trim_end_matches('=');
    let decoded = BASE64_STANDARD_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text));
    let decoded = Zeroizing::new(decoded.map_err(|_| wrong)?);
    let bytes: &[u8; KEY_BYTES] = decoded.as_slice().try_into().map_err(|_| wrong)?;
    // 32 random bytes hold fewer than eight different ones once in 10^40 times.
    let mut different = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    if different.len() < 8 {
        return Err(wrong);
    }
    Ok(SecretBox::new(Box::new(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;

    fn key(text: &str) -> Result<[u8; KEY_BYTES], &'static str> {
        key_encryption_key(&SecretString::from(text)).map(|key| *key.expose_secret())
    }

    #[test]
    fn a_key_is_32_random_bytes_in_base64_of_either_alphabet() {
        let bytes: [u8; KEY_BYTES] = std::array::from_fn(|index| 251 - u8::try_from(index).unwrap());
        assert_eq!(key(&BASE64_STANDARD.encode(bytes)), Ok(bytes));
        assert_eq!(key(&BASE64_URL_SAFE_NO_PAD.encode(bytes)), Ok(bytes));
        for wrong in ["", "hunter2", &BASE64_STANDARD.encode(&bytes[1..]), &BASE64_STANDARD.encode([0; 32])] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
