//! Which of a proxy's VMs asks the issuer. It saves requests and nothing else: two that ask at once are harmless.
//!
//! Trap: a host takes a compare-and-swap with 0 for an unconditional write. So a lease that is not there is created as
//! [`VACANT`], and claimed in a second step by the number that it then has.

/// How long a lease lasts that is not renewed, in milliseconds: a dead leader is replaced within it.
pub const LEASE_MS: u64 = 2_000;
/// How often its holder renews it, in milliseconds.
pub const RENEWAL_MS: u64 = 500;

/// The bytes of a lease that nobody holds.
pub const VACANT: [u8; LEASE_BYTES] = [0; LEASE_BYTES];
const LEASE_BYTES: usize = 17;
/// The version of the bytes.
const VERSION: u8 = 1;

/// What to do about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is not there: create it as [`VACANT`], and look again.
    Create,
    /// It is one's own for a while.
    Held,
    /// Write this by compare-and-swap with the number that was read. Where that succeeds it is one's own.
    Write([u8; LEASE_BYTES]),
    /// Somebody else's.
    Others,
}

/// What `holder`, who is nobody else, is to do at `now_ms` about what was read.
#[must_use]
pub fn claim(bytes: Option<&[u8]>, holder: u64, now_ms: u64) -> Claim {
    let Some(bytes) = bytes else { return Claim::Create };
    let write = Claim::Write(written(holder, now_ms));
    match read(bytes) {
        // Also where the clock was set back.
        Some((_, renewed_ms)) if now_ms.abs_diff(renewed_ms) >= LEASE_MS => write,
        Some((own, renewed_ms)) if own == holder => {
            if now_ms.abs_diff(renewed_ms) >= RENEWAL_MS {
                write
            } else {
                Claim::Held
            }
        }
        Some(_) => Claim::Others,
        // Vacant, of another version, or rubbish: nobody can hold it for ever.
        None => write,
    }
}

/// The bytes that give it back, where it is one's own: the next one need not wait.
#[must_use]
pub fn release(bytes: Option<&[u8]>, holder: u64) -> Option<[u8; LEASE_BYTES]> {
    let (own, _) = read(bytes?)?;
    (own == holder).then_some(VACANT)
}

fn read(bytes: &[u8]) -> Option<(u64, u64)> {
    let ([version], rest) = bytes.split_first_chunk::<1>()?;
    let (holder, renewed_ms) = rest.split_first_chunk::<8>()?;
    let renewed_ms = <[u8; 8]>::try_from(renewed_ms).ok()?;
    (*version == VERSION).then_some((u64::from_le_bytes(*holder), u64::from_le_bytes(renewed_ms)))
}

fn written(holder: u64, now_ms: u64) -> [u8; LEASE_BYTES] {
    let mut bytes = VACANT;
    let parts = [VERSION].into_iter().chain(holder.to_le_bytes()).chain(now_ms.to_le_bytes());
    bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    #[test]
    fn a_lease_that_is_not_there_is_created_vacant_and_then_claimed() {
        assert_eq!(claim(None, 1, NOW), Claim::Create);
        assert_eq!(claim(Some(&VACANT), 1, NOW), Claim::Write(written(1, NOW)));
    }

    #[test]
    fn a_lease_of_somebody_else_is_left_alone_until_it_is_over() {
        let lease = written(1, NOW);
        assert_eq!(claim(Some(&lease), 2, NOW + LEASE_MS - 1), Claim::Others);
        assert_eq!(claim(Some(&lease), 2, NOW + LEASE_MS), Claim::Write(written(2, NOW + LEASE_MS)));
    }

    #[test]
    fn its_holder_renews_it_in_time() {
        let lease = written(1, NOW);
        assert_eq!(claim(Some(&lease), 1, NOW + RENEWAL_MS - 1), Claim::Held);
        assert_eq!(claim(Some(&lease), 1, NOW + RENEWAL_MS), Claim::Write(written(1, NOW + RENEWAL_MS)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_leave_a_lease_to_a_dead_holder() {
        let lease = written(1, NOW);
        assert_eq!(claim(Some(&lease), 2, 5), Claim::Write(written(2, 5)));
    }

    #[test]
    fn rubbish_is_nobody_s_lease() {
        for bytes in [&b""[..], b"rubbish", &[2; LEASE_BYTES], &[1; LEASE_BYTES + 1]] {
            assert_eq!(claim(Some(bytes), 1, NOW), Claim::Write(written(1, NOW)));
        }
    }

    #[test]
    fn only_its_holder_gives_it_back() {
        let lease = written(1, NOW);
        assert_eq!(release(Some(&lease), 1), Some(VACANT));
        assert_eq!(release(Some(&lease), 2), None);
        assert_eq!(release(None, 1), None);
    }
}
