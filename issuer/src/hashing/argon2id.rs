//! argon2id (RFC 9106) in the form of PHC strings.

use argon2::password_hash::phc;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};

use super::stored::{Cost, PasswordHash, UnusableHash};

/// 19 MiB, two passes, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a new hash costs: blocks of memory times passes.
pub(super) const NEW_WORK: u64 = MEMORY_KIB as u64 * PASSES as u64;

/// What a stored hash may ask for at most. A row that somebody planted must not eat the memory of the process.
const MAX_MEMORY_KIB: u32 = 65_536;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;
/// The length of a new hash, in bytes: a tag of 256 bits (RFC 9106 section 4).
const OUTPUT_BYTES: usize = 32;

/// The length of a salt, in bytes (RFC 9106 section 3.1: 16 is recommended).
pub(crate) const SALT_BYTES: usize = 16;

/// The memory that one hash works in, used again by the next.
///
/// Allocated for each hash, it would be given back to the allocator and not to the system: one such block would stay
/// behind in every thread that ever hashed.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Block>,
    /// How many hashes were computed with this at hand, those of bcrypt, which need none of it, included.
    #[cfg(test)]
    computed: usize,
}

impl Memory {
    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let count = params.block_count();
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::new());
        }
        &mut self.blocks
    }

    /// One more hash is computed: counted for tests alone.
    pub(super) fn count(&mut self) {
        #[cfg(test)]
        {
            self.computed += 1;
        }
    }

    #[cfg(test)]
    pub(crate) fn computed(&self) -> usize {
        self.computed
    }

    /// How much there is, in KiB.
    #[cfg(test)]
    pub(crate) fn kib(&self) -> usize {
        self.blocks.len()
    }

    /// Gives back what an unusually large hash needed.
    pub(crate) fn trim(&mut self) {
        let usual = MEMORY_KIB as usize;
        if self.blocks.len() > usual {
            self.blocks.truncate(usual);
            self.blocks.shrink_to_fit();
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
    memory.count();
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
    Ok(PasswordHash::stored(hash.to_string()))
}

/// # Errors
/// [`UnusableHash`]
pub(super) fn cost(stored: &str) -> Result<Cost, UnusableHash> {
    let params = Parsed::new(stored)?.params;
    Ok(Cost::Argon2id(u64::from(params.m_cost()) * u64::from(params.t_cost())))
}

/// Whether a new hash would have the same parameters.
pub(super) fn is_current(stored: &str) -> bool {
    Parsed::new(stored).is_ok_and(|Parsed { params, expected, .. }| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
            && expected.len() == OUTPUT_BYTES
    })
}

/// # Errors
/// [`UnusableHash`]: nothing was computed.
pub(super) fn verify(password: &[u8], stored: &str, memory: &mut Memory) -> Result<bool, UnusableHash> {
    let Parsed { params, salt, expected } = Parsed::new(stored)?;
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len()).ok_or(UnusableHash::Malformed)?;
    memory.count();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, &salt, output, memory.blocks(&params))
        .map_err(|_| UnusableHash::Malformed)?;
    // Compared in constant time by `Output` itself.
    Ok(phc::Output::new(output).is_ok_and(|output| output == expected))
}

/// A stored hash that we would compute.
struct Parsed {
    params: Params,
    salt: phc::Salt,
    expected: phc::Output,
}

impl Parsed {
    fn new(stored: &str) -> Result<Self, UnusableHash> {
        let parsed = phc::PasswordHash::new(stored).map_err(|_| UnusableHash::Malformed)?;
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
        Ok(Self { params, salt, expected })
    }
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
        verify(b"mypassword123", text, &mut Memory::default())
    }

    #[test]
    fn a_hash_of_another_implementation_is_verified_in_memory_that_was_used_before() {
        let mut memory = Memory::default();
        assert!(hash(b"another password", &[7; SALT_BYTES], &mut memory).is_ok());
        assert_eq!(verify(b"mypassword123", FOREIGN, &mut memory), Ok(true));
        assert_eq!(verify(b"mypassword124", FOREIGN, &mut memory), Ok(false));
    }

    #[test]
    fn memory_that_an_unusual_hash_needed_is_given_back() {
        let large = format!("$argon2id$v=19$m=20000,t=1,p=1${SALT}${OUTPUT}");
        let mut memory = Memory::default();
        assert_eq!(verify(b"x", &large, &mut memory), Ok(false));
        assert_eq!(memory.kib(), 20_000);
        memory.trim();
        assert_eq!(memory.kib(), MEMORY_KIB as usize);
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
        let halves = ["$argon2id$v=19$m=64,t=1,p=1", &format!("$argon2id$v=19$m=64,t=1,p=1${SALT}")]
            .map(str::to_owned);
        for stored in ["", "x", "!", "$2b$12$abcdefghijklmnopqrstuv"]
            .into_iter()
            .chain(halves.iter().map(String::as_str))
        {
            assert!(verify_stored(stored).is_err(), "{stored:?}");
        }
    }
}
