//! argon2id (RFC 9106) in the form of PHC strings.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};

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

/// The length of a new hash, in bytes: a tag of 256 bits (RFC 9106 section 4).
const OUTPUT_BYTES: usize = 32;

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

impl fmt::Display for UnusableHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "it is malformed",
            Self::Algorithm => "it is not argon2id version 19",
            Self::Parameters => "it asks for more memory, passes or lanes than we spend",
        })
    }
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

/// The memory that one hash works in, used again by the next.
///
/// Allocated for each hash, it would be given back to the allocator and not to the system: one such block would stay
/// behind in every thread that ever hashed.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let count = params.block_count();
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        &mut self.0
    }

    /// How much there is, in KiB.
    #[cfg(test)]
    pub(crate) fn kib(&self) -> usize {
        self.0.len()
    }

    /// Gives back what an unusually large hash needed.
    pub(crate) fn trim(&mut self) {
        let usual = MEMORY_KIB as usize;
        if self.0.len() > usual {
            self.0.truncate(usual);
            self.0.shrink_to_fit();
        }
    }
}

/// # Errors
/// What went wrong; the parameters are constants, so in practice nothing does.
pub(crate) fn hash(
    password: &[u8],
    salt: &[u8; SALT_BYTES],
    memory: &mut Memory,
) -> Result<PasswordHash, &'static str> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(|_| "wrong hash parameters")?;
    let mut output = [0; OUTPUT_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut output, memory.blocks(&params))
        .map_err(|_| "the password could not be hashed")?;
    let hash = phc::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(&params).map_err(|_| "wrong hash parameters")?,
        salt: Some(phc::Salt::new(salt).map_err(|_| "the salt is malformed")?),
        hash: Some(phc::Output::new(&output).map_err(|_| "the hash is malformed")?),
    };
    Ok(PasswordHash(hash.to_string()))
}

/// # Errors
/// [`UnusableHash`]: nothing was computed.
pub(crate) fn verify(
    password: &[u8],
    stored: &PasswordHash,
    memory: &mut Memory,
) -> Result<bool, UnusableHash> {
    if stored.0.len() > MAX_HASH_BYTES {
        return Err(UnusableHash::Malformed);
    }
    let parsed = phc::PasswordHash::new(&stored.0).map_err(|_| UnusableHash::Malformed)?;
    if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
        return Err(UnusableHash::Algorithm);
    }
    let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
        return Err(UnusableHash::Malformed);
    };
    let params = Params::try_from(&parsed).map_err(|_| UnusableHash::Parameters)?;
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
        return Err(UnusableHash::Parameters);
    }
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len()).ok_or(UnusableHash::Malformed)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, &salt, output, memory.blocks(&params))
        .map_err(|_| UnusableHash::Malformed)?;
    // Compared in constant time by `Output` itself.
    Ok(phc::Output::new(output).is_ok_and(|output| output == expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mypassword123`, hashed by the reference implementation.
    const FOREIGN: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$qKV0eT6J9VSE7uFri3RQa+IeHsYeC0nZi4JNzTtxalU";
    const SALT: &str = "c2FsdHNhbHRzYWx0c2FsdA";
    const OUTPUT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn verify_stored(text: &str) -> Result<bool, UnusableHash> {
        verify(b"mypassword123", &PasswordHash::stored(text.to_owned()), &mut Memory::default())
    }

    #[test]
    fn a_hash_of_another_implementation_is_verified_in_memory_that_was_used_before() {
        let foreign = PasswordHash::stored(FOREIGN.to_owned());
        let mut memory = Memory::default();
        assert!(hash(b"another password", &[7; SALT_BYTES], &mut memory).is_ok());
        assert_eq!(verify(b"mypassword123", &foreign, &mut memory), Ok(true));
        assert_eq!(verify(b"mypassword124", &foreign, &mut memory), Ok(false));
    }

    #[test]
    fn memory_that_an_unusual_hash_needed_is_given_back() {
        let large = PasswordHash::stored(format!("$argon2id$v=19$m=20000,t=1,p=1${SALT}${OUTPUT}"));
        let mut memory = Memory::default();
        assert_eq!(verify(b"x", &large, &mut memory), Ok(false));
        assert_eq!(memory.0.len(), 20_000);
        memory.trim();
        assert_eq!(memory.0.len(), MEMORY_KIB as usize);
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
