//! What the machine can do at all: the same hash, with nothing around it.

use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use rustix::time::{ClockId, clock_gettime};
use xtask::error::Error;

/// As the issuer hashes: 19 MiB, two passes, one lane, 32 bytes.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

pub(super) fn hasher() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes per CPU-second in as many threads as the issuer hashes in, each with its memory used again.
pub(super) fn hashes_per_cpu_second(threads: u32, duration: Duration) -> Result<f64, Error> {
    let parts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| hash_for(duration))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let (mut hashes, mut spent) = (0_u32, Duration::ZERO);
    for part in parts {
        let (more, took): (u32, Duration) = part?;
        hashes += more;
        spent += took;
    }
    Ok(f64::from(hashes) / spent.as_secs_f64())
}

fn hash_for(duration: Duration) -> Result<(u32, Duration), Error> {
    let hasher = hasher()?;
    let mut blocks = vec![Block::new(); hasher.params().block_count()];
    let mut hash = |number: u32| {
        let mut output = [0; OUTPUT_BYTES];
        let salt = [number.to_be_bytes(); 4].concat();
        hasher.hash_password_into_with_memory(b"a password of the benchmark", &salt, &mut output, &mut blocks)
    };
    // The first one also pays for its memory.
    hash(0).map_err(failed)?;
    let (begun, cpu) = (Instant::now(), own_cpu());
    let mut hashes = 0;
    while hashes == 0 || begun.elapsed() < duration {
        hash(hashes).map_err(failed)?;
        hashes += 1;
    }
    Ok((hashes, own_cpu().saturating_sub(cpu)))
}

/// The CPU time of this thread.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

fn failed(error: argon2::Error) -> Error {
    Error::unusable(format!("argon2id: {error}"), "correct the parameters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_counted_against_the_time_that_they_took() {
        let rate = hashes_per_cpu_second(1, Duration::ZERO).unwrap();
        assert!(rate > 0.1 && rate < 10_000.0, "{rate}");
    }
}
