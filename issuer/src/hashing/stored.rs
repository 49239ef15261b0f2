//! Password hashes as they are stored: each names its own algorithm and parameters.

use std::fmt;

use super::argon2id::{self, Memory};
use super::bcrypt;

/// The longest stored hash, in bytes.
const MAX_HASH_BYTES: usize = 512;

/// What is stored of a user who has no password: well formed, at the cost of a hash that was made when this was written,
/// and of a salt and an output that are all zero. Nobody finds a password that fits (that would be a preimage of zero), and
/// a login takes the steps and the time of every other: nothing to log, nothing to measure. It never changes, so that it is
/// recognized in every database.
pub(crate) const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password hash as a PHC string, or in the form of bcrypt. `Debug` does not show it: it can be guessed against.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

/// Why a stored hash cannot be verified: for the log, and without any of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableHash {
    /// No hash at all, or one without its salt.
    Malformed,
    /// Not argon2id version 19, and not bcrypt 2a, 2b or 2y.
    Algorithm,
    /// Asks for more than we spend, or for less than its algorithm has.
    Parameters,
}

/// What verifying a password against a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Blocks of memory, in KiB, times passes.
    Argon2id(u64),
    /// The logarithm of the number of rounds.
    Bcrypt(u32),
}

impl Cost {
    /// What a new hash costs.
    pub(crate) const NEW: Self = Self::Argon2id(argon2id::NEW_WORK);
}

impl PasswordHash {
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// What a user has who cannot log in before choosing a password.
    pub(crate) fn of_no_password() -> Self {
        Self(NO_PASSWORD.to_owned())
    }

    /// A hash that can be verified, from somebody who is not trusted to know which those are.
    ///
    /// # Errors
    /// [`UnusableHash`]
    pub(crate) fn parse(text: String) -> Result<Self, UnusableHash> {
        let hash = Self(text);
        hash.cost().map(|_| hash)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing is computed.
    ///
    /// # Errors
    /// [`UnusableHash`]: it is never computed.
    pub(crate) fn cost(&self) -> Result<Cost, UnusableHash> {
        if self.0.len() > MAX_HASH_BYTES {
            return Err(UnusableHash::Malformed);
        }
        if bcrypt::is_bcrypt(&self.0) { bcrypt::cost(&self.0) } else { argon2id::cost(&self.0) }
    }

    /// One with this head, which says what it costs; none that any password fits.
    pub(crate) fn of_head(head: &str) -> Self {
        let tail = if bcrypt::is_bcrypt(head) {
            ".".repeat(53)
        } else {
            format!("{}${}", "A".repeat(22), "A".repeat(43))
        };
        Self(format!("{head}{tail}"))
    }

    /// Whether it is what a new hash would be; otherwise the next login replaces it.
    pub(crate) fn is_current(&self) -> bool {
        !bcrypt::is_bcrypt(&self.0) && argon2id::is_current(&self.0)
    }

    /// Computes one hash.
    ///
    /// # Errors
    /// [`UnusableHash`]: nothing was computed.
    pub(super) fn verify(&self, password: &[u8], memory: &mut Memory) -> Result<bool, UnusableHash> {
        self.cost()?;
        if bcrypt::is_bcrypt(&self.0) {
            memory.count();
            bcrypt::verify(password, &self.0)
        } else {
            argon2id::verify(password, &self.0, memory)
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(..)")
    }
}

impl fmt::Display for UnusableHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "it is malformed",
            Self::Algorithm => "it is neither argon2id version 19 nor bcrypt 2a, 2b or 2y",
            Self::Parameters => "it asks for more work than we spend, or for less than its algorithm knows",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuet7g.oOes3vxc.VL2l0d4CQJPGWF8pK";
    const ARGON2ID: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$qKV0eT6J9VSE7uFri3RQa+IeHsYeC0nZi4JNzTtxalU";

    fn stored(text: &str) -> PasswordHash {
        PasswordHash::stored(text.to_owned())
    }

    #[test]
    fn a_hash_is_verified_by_the_algorithm_that_it_names() {
        for text in [BCRYPT, ARGON2ID] {
            let mut memory = Memory::default();
            assert_eq!(stored(text).verify(b"mypassword123", &mut memory), Ok(true), "{text}");
            assert_eq!(stored(text).verify(b"mypassword124", &mut memory), Ok(false), "{text}");
            assert_eq!(memory.computed(), 2);
        }
    }

    #[test]
    fn a_head_tells_the_cost() {
        for (head, text) in [("$2b$04$", BCRYPT), ("$argon2id$v=19$m=19456,t=2,p=1$", ARGON2ID)] {
            assert_eq!(PasswordHash::of_head(head).cost(), stored(text).cost());
            assert!(stored(text).cost().is_ok());
        }
    }

    #[test]
    fn only_argon2id_with_our_own_parameters_is_current() {
        assert!(stored(ARGON2ID).is_current());
        for outdated in [BCRYPT, &ARGON2ID.replace("t=2", "t=1"), &ARGON2ID.replace("m=19456", "m=4096"), "x"]
        {
            assert!(!stored(outdated).is_current(), "{outdated}");
        }
    }

    #[test]
    fn no_password_fits_the_hash_of_none_which_costs_what_a_new_one_costs() {
        let none = PasswordHash::of_no_password();
        assert_eq!((none.cost(), none.is_current()), (Ok(Cost::NEW), true));
        for password in [&b""[..], &[0; 32], b"AAAAAAAAAAAAAAAAAAAAAA", NO_PASSWORD.as_bytes()] {
            let mut memory = Memory::default();
            assert_eq!(none.verify(password, &mut memory), Ok(false));
            assert_eq!(memory.computed(), 1);
        }
    }

    #[test]
    fn what_is_unusable_is_not_parsed_and_never_computed() {
        let long = "x".repeat(1000);
        let costly = BCRYPT.replace("$04$", "$15$");
        for (text, why) in [
            (long.as_str(), UnusableHash::Malformed),
            ("mypassword123", UnusableHash::Malformed),
            ("", UnusableHash::Malformed),
            (costly.as_str(), UnusableHash::Parameters),
        ] {
            let mut memory = Memory::default();
            assert_eq!(PasswordHash::parse(text.to_owned()), Err(why));
            assert_eq!(stored(text).verify(b"mypassword123", &mut memory), Err(why));
            assert_eq!(memory.computed(), 0);
        }
        assert_eq!(format!("{:?}", stored(BCRYPT)), "PasswordHash(..)");
    }
}
