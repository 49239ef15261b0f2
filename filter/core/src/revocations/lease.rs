//! Which of a proxy's VMs asks the issuer. It saves requests and nothing else: two that ask at once are harmless.
//!
//! Whoever claims the lease raises its *term*, and compare-and-swap lets one do so; so a term is a name that no two have, and no VM
//! needs another. Trap: a host takes a compare-and-swap with 0 for an unconditional write. So a lease that is not there is
//! created as [`VACANT`], and claimed in a second step by the number that it then has.
//!
//! Whoever serves requests takes the lease from who does not. Envoy's main thread has a VM, too, which would else lead as a rule, being
//! the first; and while that thread reads a configuration and compiles a module, seconds long, nobody would be told anything.

/// How long a lease lasts, by what it is about: longer than some ticks of a VM that does nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// One that is not renewed, in milliseconds: a dead leader is replaced within it.
    pub lease_ms: u64,
    /// How often its holder renews it, in milliseconds.
    pub renewal_ms: u64,
}

/// Of a feed: whatever is revoked while a leader dies is still felt within a second.
pub const FEED_TERM: Term = Term { lease_ms: 750, renewal_ms: 250 };
/// Of a deny list, for whose sake a VM looks once a second.
pub const DENY_LIST_TERM: Term = Term { lease_ms: 2_500, renewal_ms: 500 };

/// The bytes of a lease that nobody has ever held.
pub const VACANT: [u8; LEASE_BYTES] = written(0, 0, false);
const LEASE_BYTES: usize = 18;
/// The version of the bytes.
const VERSION: u8 = 2;

/// What to do about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is not there: create it as [`VACANT`], and look again.
    Create,
    /// It is one's own for a while.
    Held,
    /// Write this by compare-and-swap with the number that was read. Where that succeeds it is one's own, under this term.
    Write {
        /// The bytes.
        bytes: [u8; LEASE_BYTES],
        /// The term.
        term: u64,
    },
    /// Somebody else's.
    Others,
}

/// Who asks for the lease.
#[derive(Clone, Copy, Debug)]
pub struct Claimant {
    /// The term under which it is his own.
    pub own: Option<u64>,
    /// Whether requests come to this VM.
    pub serves: bool,
    /// How long it lasts.
    pub term: Term,
}

/// What a claimant is to do at `now_ms` about what was read.
#[must_use]
pub fn claim(bytes: Option<&[u8]>, claimant: Claimant, now_ms: u64) -> Claim {
    let Some(bytes) = bytes else { return Claim::Create };
    let write = |term| Claim::Write { bytes: written(term, now_ms, claimant.serves), term };
    match read(bytes) {
        // Also where the clock was set back; and what was given back.
        Some(lease) if now_ms.abs_diff(lease.renewed_ms) >= claimant.term.lease_ms => {
            write(lease.term.wrapping_add(1))
        }
        Some(lease) if claimant.own == Some(lease.term) => {
            let is_due = now_ms.abs_diff(lease.renewed_ms) >= claimant.term.renewal_ms;
            if is_due || lease.serves != claimant.serves { write(lease.term) } else { Claim::Held }
        }
        Some(lease) if claimant.serves && !lease.serves => write(lease.term.wrapping_add(1)),
        Some(_) => Claim::Others,
        // Of another version, or rubbish: nobody can hold it for ever.
        None => write(1),
    }
}

/// The bytes that give it back, where it is one's own: the next one need not wait.
#[must_use]
pub fn release(bytes: Option<&[u8]>, own: Option<u64>) -> Option<[u8; LEASE_BYTES]> {
    let lease = read(bytes?)?;
    (own == Some(lease.term)).then_some(written(lease.term, 0, false))
}

/// A lease as it stands there.
struct Lease {
    term: u64,
    renewed_ms: u64,
    serves: bool,
}

fn read(bytes: &[u8]) -> Option<Lease> {
    let bytes = <&[u8; LEASE_BYTES]>::try_from(bytes).ok()?;
    let ([version, serves], rest) = bytes.split_first_chunk::<2>()?;
    let (term, renewed_ms) = rest.split_first_chunk::<8>()?;
    let renewed_ms = u64::from_le_bytes(<[u8; 8]>::try_from(renewed_ms).ok()?);
    let lease = Lease { term: u64::from_le_bytes(*term), renewed_ms, serves: *serves == 1 };
    (*version == VERSION && *serves <= 1).then_some(lease)
}

const fn written(term: u64, renewed_ms: u64, serves: bool) -> [u8; LEASE_BYTES] {
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (term.to_le_bytes(), renewed_ms.to_le_bytes());
    [VERSION, serves as u8, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    const LEASE_MS: u64 = FEED_TERM.lease_ms;
    const RENEWAL_MS: u64 = FEED_TERM.renewal_ms;
    const IDLE: Claimant = Claimant { own: None, serves: false, term: FEED_TERM };

    fn write(term: u64, now_ms: u64) -> Claim {
        Claim::Write { bytes: written(term, now_ms, false), term }
    }

    fn holder(term: u64) -> Claimant {
        Claimant { own: Some(term), ..IDLE }
    }

    #[test]
    fn a_lease_that_is_not_there_is_created_vacant_and_then_claimed() {
        assert_eq!(claim(None, IDLE, NOW), Claim::Create);
        assert_eq!(claim(Some(&VACANT), IDLE, NOW), write(1, NOW));
    }

    #[test]
    fn a_lease_of_somebody_else_is_left_alone_until_it_is_over_and_then_has_another_term() {
        let lease = written(1, NOW, false);
        for own in [None, Some(0), Some(2)] {
            assert_eq!(claim(Some(&lease), Claimant { own, ..IDLE }, NOW + LEASE_MS - 1), Claim::Others);
            assert_eq!(
                claim(Some(&lease), Claimant { own, ..IDLE }, NOW + LEASE_MS),
                write(2, NOW + LEASE_MS)
            );
        }
    }

    #[test]
    fn its_holder_renews_it_in_time_under_the_same_term() {
        let lease = written(1, NOW, false);
        assert_eq!(claim(Some(&lease), holder(1), NOW + RENEWAL_MS - 1), Claim::Held);
        assert_eq!(claim(Some(&lease), holder(1), NOW + RENEWAL_MS), write(1, NOW + RENEWAL_MS));
        assert_eq!(
            claim(Some(&lease), holder(1), NOW + LEASE_MS),
            write(2, NOW + LEASE_MS),
            "too late for that"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_leave_a_lease_to_a_dead_holder() {
        assert_eq!(claim(Some(&written(1, NOW, false)), IDLE, 5), write(2, 5));
    }

    #[test]
    fn whoever_serves_takes_it_from_who_does_not_and_from_nobody_else() {
        let serving = Claimant { serves: true, ..IDLE };
        let taken = Claim::Write { bytes: written(2, NOW, true), term: 2 };
        assert_eq!(claim(Some(&written(1, NOW, false)), serving, NOW), taken);
        assert_eq!(claim(Some(&written(1, NOW, true)), serving, NOW), Claim::Others);
        for idle in [IDLE, holder(1)] {
            assert_eq!(
                claim(Some(&written(2, NOW, true)), idle, NOW),
                Claim::Others,
                "the one before lets it be"
            );
        }
        let now_serving = Claimant { own: Some(1), ..serving };
        let said = Claim::Write { bytes: written(1, NOW, true), term: 1 };
        assert_eq!(
            claim(Some(&written(1, NOW, false)), now_serving, NOW),
            said,
            "at once, so that nobody takes it"
        );
    }

    #[test]
    fn rubbish_is_nobody_s_lease() {
        for bytes in [&b""[..], b"rubbish", &[3; LEASE_BYTES], &[2; LEASE_BYTES], &[2; LEASE_BYTES + 1]] {
            assert_eq!(claim(Some(bytes), holder(1), NOW), write(1, NOW));
        }
    }

    #[test]
    fn only_its_holder_gives_it_back_and_the_next_term_is_another() {
        let lease = written(1, NOW, false);
        let given_back = release(Some(&lease), Some(1)).unwrap();
        assert_eq!(claim(Some(&given_back), IDLE, NOW + 1), write(2, NOW + 1));
        assert_eq!(claim(Some(&given_back), holder(1), NOW + 1), write(2, NOW + 1));
        for (bytes, own) in [(Some(&lease[..]), Some(2)), (Some(&lease[..]), None), (None, Some(1))] {
            assert_eq!(release(bytes, own), None);
        }
    }
}
