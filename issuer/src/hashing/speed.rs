//! How fast this machine hashes.

use std::time::{Duration, Instant};

use super::argon2id::{self, Memory};
use super::deadline::MAX_DEADLINE;
use super::stored::Cost;
use super::{HashError, bcrypt};

/// The cost at which bcrypt is measured; each step above doubles the time.
const MEASURED_BCRYPT_COST: u32 = 6;
/// How often each is measured. The least counts: what disturbs only adds.
const MEASUREMENTS: usize = 2;
/// What a login needs beside its hashes: its statements, and others that have the core for a moment.
const BESIDE: Duration = Duration::from_millis(50);
/// Deadlines are whole multiples of this.
const GRAIN_MILLIS: u64 = 10;

/// How long the hashes take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speed {
    /// A new hash.
    argon2id: Duration,
    /// bcrypt at the cost that is measured.
    bcrypt: Duration,
}

impl Speed {
    /// Computes some hashes, so it blocks for a few of their times.
    ///
    /// # Errors
    /// [`HashError::Failed`]
    pub(crate) fn measure() -> Result<Self, HashError> {
        let mut memory = Memory::default();
        // The first one also pays for its memory.
        argon2id::hash(b"nobody's", &[7; argon2id::SALT_BYTES], &mut memory).map_err(HashError::Failed)?;
        let mut fastest = Self { argon2id: Duration::MAX, bcrypt: Duration::MAX };
        for _ in 0..MEASUREMENTS {
            let begin = Instant::now();
            argon2id::hash(b"nobody's", &[7; argon2id::SALT_BYTES], &mut memory)
                .map_err(HashError::Failed)?;
            fastest.argon2id = fastest.argon2id.min(begin.elapsed());
            let begin = Instant::now();
            bcrypt::compute(MEASURED_BCRYPT_COST);
            fastest.bcrypt = fastest.bcrypt.min(begin.elapsed());
        }
        Ok(fastest)
    }

    #[cfg(test)]
    pub(crate) fn new(argon2id: Duration, bcrypt: Duration) -> Self {
        Self { argon2id, bcrypt }
    }

    /// How long a hash of this cost takes.
    pub(crate) fn time(&self, cost: Cost) -> Duration {
        match cost {
            Cost::Argon2id(work) => self.argon2id.mul_f64(work as f64 / argon2id::NEW_WORK as f64),
            Cost::Bcrypt(cost) => {
                self.bcrypt.mul_f64(f64::from(cost).exp2() / f64::from(MEASURED_BCRYPT_COST).exp2())
            }
        }
    }

    /// A time above that of every login whose hash costs one of these, or what a new one costs: half as long again as its
    /// hashes, the one that replaces the old one included.
    pub(crate) fn deadline(&self, costs: &[Cost]) -> Duration {
        let outdated = |cost: &Cost| match cost {
            Cost::Argon2id(argon2id::NEW_WORK) => self.argon2id,
            other => self.time(*other) + self.argon2id,
        };
        let slowest = costs.iter().map(outdated).max().unwrap_or_default().max(self.argon2id);
        let needed = (slowest.mul_f64(1.5) + BESIDE).min(MAX_DEADLINE);
        let grains = u64::try_from(needed.as_micros()).unwrap_or(u64::MAX).div_ceil(1_000 * GRAIN_MILLIS);
        Duration::from_millis(grains * GRAIN_MILLIS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_above_the_slowest_hash_in_use_and_its_replacement() {
        let speed = Speed::new(Duration::from_millis(25), Duration::from_millis(4));
        assert_eq!(speed.time(Cost::Bcrypt(12)), Duration::from_millis(256));
        assert_eq!(speed.time(Cost::Argon2id(2 * argon2id::NEW_WORK)), Duration::from_millis(50));
        for (costs, millis) in [
            (&[][..], 90),
            (&[Cost::Argon2id(argon2id::NEW_WORK)], 90),
            (&[Cost::Argon2id(1)], 90),
            (&[Cost::Bcrypt(4), Cost::Bcrypt(12), Cost::Bcrypt(10)], 480),
            (&[Cost::Argon2id(2 * argon2id::NEW_WORK)], 170),
        ] {
            assert_eq!(speed.deadline(costs), Duration::from_millis(millis), "{costs:?}");
        }
        let slow = Speed::new(Duration::from_secs(60), Duration::from_secs(60));
        assert_eq!(slow.deadline(&[]), MAX_DEADLINE);
    }

    #[test]
    fn this_machine_is_measured() {
        let speed = Speed::measure().unwrap();
        assert!(speed.time(Cost::Argon2id(argon2id::NEW_WORK)) > Duration::ZERO);
        assert!(speed.time(Cost::Bcrypt(12)) > speed.time(Cost::Bcrypt(11)));
    }
}
