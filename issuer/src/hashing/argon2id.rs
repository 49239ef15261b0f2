//! argon2id (RFC 9106) in the form of PHC strings.

use std::fmt;

use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier, phc};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};

/// 19 MiB, two passes, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a stored hash may ask for at most. A row that somebody planted must not eat the memory of the process.
const MAX_MEMORY_KIB: u32 = 65_536;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;
/// The longest stored hash, in bytes.
const MAX_HASH_BYTES: usize = 512;

/// The length of a salt, in bytes (RFC 9106 section 3.1: 16 is recommended).
pub(crate) const SALT_BYTES: usize = 16;

/// A password hash as a PHC string. `Debug` does not show it: it can be guessed against.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

/// Why a stored hash cannot be verified: for the log, and without any of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableHash {
    /// Not a PHC string with salt and hash.
    Malformed,
    /// Not argon2id version 19.
    Algorithm,
    /// Asks for more memory, passes or lanes than we spend.
    Parameters,
}

impl PasswordHash {
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(..)")
    }
}

/// # Errors
/// What went wrong; in practice, no memory.
pub(crate) fn hash(password: &[u8], salt: &[u8; SALT_BYTES]) -> Result<PasswordHash, &'static str> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| "the hash parameters are invalid")?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password, salt)
        .map_err(|_| "the password could not be hashed")?;
    Ok(PasswordHash(hash.to_string()))
}

/// # Errors
/// [`UnusableHash`]: nothing was computed.
pub(crate) fn verify(password: &[u8], stored: &PasswordHash) -> Result<bool, UnusableHash> {
    if stored.0.len() > MAX_HASH_BYTES {
        return Err(UnusableHash::Malformed);
    }
    let parsed = phc::PasswordHash::new(&stored.0).map_err(|_| UnusableHash::Malformed)?;
    if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
        return Err(UnusableHash::Algorithm);
    }
    if parsed.salt.is_none() || parsed.hash.is_none() {
        return Err(UnusableHash::Malformed);
    }
    let params = Params::try_from(&parsed).map_err(|_| UnusableHash::Parameters)?;
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
        return Err(UnusableHash::Parameters);
    }
    match Argon2::default().verify_password(password, &parsed) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(UnusableHash::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c2FsdHNhbHRzYWx0c2FsdA";
    const OUTPUT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn verify_stored(text: &str) -> Result<bool, UnusableHash> {
        verify(b"mypassword123", &PasswordHash::stored(text.to_owned()))
    }

    #[test]
    fn a_stored_hash_that_asks_for_too_much_is_refused_before_any_work() {
        for cost in ["m=65537,t=1,p=1", "m=4194304,t=1,p=1", "m=64,t=9,p=1", "m=64,t=1,p=5"] {
            let stored = format!("$argon2id$v=19${cost}${SALT}${OUTPUT}");
            assert_eq!(verify_stored(&stored), Err(UnusableHash::Parameters), "{cost}");
        }
        assert_eq!(verify_stored(&format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${OUTPUT}")), Ok(false));
    }

    #[test]
    fn another_algorithm_or_version_is_refused() {
        for kind in ["argon2i$v=19", "argon2d$v=19", "argon2id$v=16", "argon2id"] {
            let stored = format!("${kind}$m=64,t=1,p=1${SALT}${OUTPUT}");
            assert_eq!(verify_stored(&stored), Err(UnusableHash::Algorithm), "{kind}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let long = "x".repeat(1000);
        let halves = ["$argon2id$v=19$m=64,t=1,p=1", &format!("$argon2id$v=19$m=64,t=1,p=1${SALT}")]
            .map(str::to_owned);
        for stored in ["", "x", "!", "$2b$12$abcdefghijklmnopqrstuv", &long]
            .into_iter()
            .chain(halves.iter().map(String::as_str))
        {
            assert!(verify_stored(stored).is_err(), "{stored:?}");
        }
    }
}
