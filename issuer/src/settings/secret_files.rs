//! Secrets that stand in files: read once, wiped where they lay.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use bearward_protocol::bounds::MAX_KEY_ID_BYTES;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::keys::ring::NamedSecret;
use crate::keys::seal::{KEY_BYTES, KeyEncryptionKey};

/// The longest file with a secret, in bytes.
const MAX_SECRET_FILE_BYTES: usize = 4 * 1024;
/// The most files of one setting: those of a change, and some that it left behind.
const MAX_FILES: usize = 8;

/// The most secrets that tokens are verified with: as many as a policy may name.
const MAX_SECRETS: usize = 4;
/// The most credentials for the feed: the new one and the one before, and some.
const MAX_CREDENTIALS: usize = 4;
/// The shortest secret (RFC 7518 section 3.2), in bytes.
const MIN_SECRET_BYTES: usize = 32;
/// Fewer different bytes than this are no random secret.
const MIN_DISTINCT_BYTES: usize = 8;
/// What stands in secrets that people write, in lower case. A random text of 64 characters has one of these six letters
/// once in many millions. The last is the key of RFC 7515 appendix A.1.
const KNOWN: [&str; 9] = [
    "secret",
    "password",
    "change",
    "example",
    "qwerty",
    "123456",
    "abcdef",
    "bearward",
    "aym1sysppbydfgzld3umj1qzkobwvmkoqq-estjqlr_t",
];

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

/// The secrets out of a list of names with their files: the filter's policy has the same ones as `secrets_env`.
pub(super) fn named_secrets(text: &str) -> Result<Vec<NamedSecret>, String> {
    let mut secrets: Vec<NamedSecret> = Vec::new();
    for item in items(text)? {
        let (kid, path) = item.split_once('=').ok_or("must be a comma separated list of KID=PATH")?;
        if !is_kid(kid) {
            let form = "must begin with a name of at most 128 letters, digits and any of ._-";
            return Err(format!("names {path} with a KID that is none: each place {form}"));
        }
        let secret = strong(path)?;
        if secrets.iter().any(|other| other.kid == kid) {
            return Err(format!("names {kid} twice"));
        }
        if secrets.iter().any(|other| other.secret.expose_secret() == secret.expose_secret()) {
            return Err(format!("names {path}, which holds the same secret as a file before it"));
        }
        secrets.push(NamedSecret { kid: kid.to_owned(), secret });
    }
    if secrets.len() > MAX_SECRETS {
        return Err(format!("must hold at most {MAX_SECRETS} secrets, as many as a policy may name"));
    }
    Ok(secrets)
}

/// The credentials for the feed out of a list of files.
pub(super) fn feed_credentials(text: &str) -> Result<Vec<SecretString>, String> {
    let mut credentials: Vec<SecretString> = Vec::new();
    for path in items(text)? {
        let secret = strong(path)?;
        if credentials.iter().any(|other| other.expose_secret() == secret.expose_secret()) {
            return Err(format!("names {path}, which holds the same credential as a file before it"));
        }
        credentials.push(secret);
    }
    if credentials.len() > MAX_CREDENTIALS {
        return Err(format!("must hold at most {MAX_CREDENTIALS} files"));
    }
    Ok(credentials)
}

fn is_kid(text: &str) -> bool {
    (1..=MAX_KEY_ID_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The secret in a file, unless it is weak.
fn strong(path: &str) -> Result<SecretString, String> {
    let secret = read(Path::new(path)).map_err(|why| format!("names {path}, which {why}"))?;
    if let Some(why) = weakness(secret.expose_secret()) {
        let advice = "write one anew, for example with `openssl rand -base64 48`";
        return Err(format!("names {path}, which {why}: {advice}"));
    }
    Ok(secret)
}

/// Why a secret is none. It guesses nothing of entropy: what it refuses nobody made by chance.
fn weakness(secret: &str) -> Option<&'static str> {
    let bytes = secret.as_bytes();
    if bytes.len() < MIN_SECRET_BYTES {
        return Some("is shorter than 32 bytes (RFC 7518 section 3.2)");
    }
    // Envoy's environment must be able to hold it, byte for byte.
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return Some("holds other than visible ASCII characters");
    }
    if distinct(bytes) < MIN_DISTINCT_BYTES {
        return Some("holds too few different characters");
    }
    let repeats = |period: usize| bytes.iter().zip(bytes.iter().skip(period)).all(|(one, two)| one == two);
    if (1..=bytes.len() / 2).any(repeats) {
        return Some("repeats one shorter text");
    }
    let lower = secret.to_ascii_lowercase();
    KNOWN.iter().any(|word| lower.contains(word)).then_some("holds words of documentation and not of chance")
}

fn distinct(bytes: &[u8]) -> usize {
    let mut different = Zeroizing::new(bytes.to_vec());
    different.sort_unstable();
    different.dedup();
    different.len()
}

/// What a list names, item by item.
fn items(text: &str) -> Result<Vec<&str>, String> {
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
fn read(path: &Path) -> Result<SecretString, String> {
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
    if distinct(bytes) < MIN_DISTINCT_BYTES {
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

    #[test]
    fn a_secret_that_nobody_made_by_chance_is_weak() {
        for (weak, why) in [
            ("x", "shorter than 32"),
            ("dG9vIHNob3J0IHRvIGJlIHNhZmUsIDMx", "x"),
            ("0Zq8vX1mK7pR3tYw 9uC5eH2jN6bL4sG", "visible ASCII"),
            (&"aB3".repeat(20), "too few"),
            (&"aB3dE5gH9".repeat(5), "repeats"),
            ("a-string-secret-at-least-256-bits-long", "documentation"),
            ("ChangeMe-0Zq8vX1mK7pR3tYw9uC5eH2jN", "documentation"),
            (
                "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
                "documentation",
            ),
        ] {
            if why == "x" {
                assert_eq!(weakness(weak), None, "32 bytes are enough");
            } else {
                assert!(weakness(weak).unwrap().contains(why), "{weak}: {:?}", weakness(weak));
            }
        }
    }

    #[test]
    fn secrets_are_read_with_their_names_and_what_is_wrong_is_said_without_them() {
        let file = |text: &str| {
            let name = format!("bearward-hs256-{:016x}", crate::random::u64());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (one, two) = ("0Zq8vX1mK7pR3tYw9uC5eH2jN6bL4sGd\n", "Qw7eR2tY6uI1oP5aS9dF3gH8jK4lZ0xC");
        let (one, two, weak) = (file(one), file(two), file("hunter2"));
        let secrets = named_secrets(&format!("new={one}, old={two}")).unwrap();
        let kids: Vec<_> = secrets.iter().map(|named| named.kid.as_str()).collect();
        assert_eq!(kids, ["new", "old"]);
        assert_eq!(secrets[0].secret.expose_secret(), "0Zq8vX1mK7pR3tYw9uC5eH2jN6bL4sGd");
        for (wrong, why) in [
            (one.clone(), "KID=PATH"),
            (format!("a b={one}"), "letters, digits"),
            (format!("a={weak}"), "shorter than 32"),
            (format!("a={one},a={two}"), "a twice"),
            (format!("a={one},b={one}"), "the same secret"),
        ] {
            let said = named_secrets(&wrong).unwrap_err();
            assert!(said.contains(why) && !said.contains("hunter2") && !said.contains("0Zq8"), "{said}");
        }
        for path in [one, two, weak] {
            std::fs::remove_file(path).unwrap();
        }
    }
}
