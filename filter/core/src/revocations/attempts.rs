//! Whether a VM that knows nothing may read what stands in shared data: not where two have trapped on it.
//!
//! Whoever begins to read an object leaves a mark, and takes it away when he is done, in the same callback. A mark that stays is that of
//! a VM that has not come back. The bytes are untrusted: rubbish is no mark, and at worst a snapshot is taken that nobody needed.

/// So many marks that stayed are enough.
const TRAPPED: usize = 2;
/// A callback is over by then, in milliseconds: a mark that is older has stayed.
const LONGEST_CALLBACK_MS: u64 = 500;
/// What trapped longer ago than this has nothing to do with what stands there now, in milliseconds.
const FORGOTTEN_MS: u64 = 10 * 60 * 1_000;
/// The most marks at once: more VMs than read at the same moment.
const MAX_MARKS: usize = 64;

const VERSION: u8 = 1;
/// The bytes of no mark.
pub const NONE: [u8; 1] = [VERSION];

/// What to do before an object is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Write this by compare-and-swap, and read.
    Enter(Vec<u8>),
    /// Read nothing. Write this instead: there are no marks any more.
    GiveUp(Vec<u8>),
}

/// What whoever calls himself `id`, as nobody else does, is to do about the marks that were read.
#[must_use]
pub fn enter(bytes: &[u8], id: u64, now_ms: u64) -> Entry {
    let mut marks = read(bytes);
    marks.retain(|mark| now_ms.abs_diff(mark.at_ms) < FORGOTTEN_MS);
    let stayed = marks.iter().filter(|mark| now_ms.abs_diff(mark.at_ms) >= LONGEST_CALLBACK_MS).count();
    if stayed >= TRAPPED {
        return Entry::GiveUp(NONE.to_vec());
    }
    marks.truncate(MAX_MARKS - 1);
    marks.push(Mark { id, at_ms: now_ms });
    Entry::Enter(written(&marks))
}

/// The marks without one's own; `None` where it is not there.
#[must_use]
pub fn leave(bytes: &[u8], id: u64) -> Option<Vec<u8>> {
    let mut marks = read(bytes);
    let before = marks.len();
    marks.retain(|mark| mark.id != id);
    (marks.len() < before).then(|| written(&marks))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    id: u64,
    at_ms: u64,
}

fn read(bytes: &[u8]) -> Vec<Mark> {
    let Some((&[VERSION], rest)) = bytes.split_first_chunk::<1>() else { return Vec::new() };
    let (marks, []) = rest.as_chunks::<16>() else { return Vec::new() };
    marks.iter().take(MAX_MARKS).filter_map(mark).collect()
}

fn mark(bytes: &[u8; 16]) -> Option<Mark> {
    let (id, at_ms) = bytes.split_first_chunk::<8>()?;
    let at_ms = <[u8; 8]>::try_from(at_ms).ok()?;
    Some(Mark { id: u64::from_le_bytes(*id), at_ms: u64::from_le_bytes(at_ms) })
}

fn written(marks: &[Mark]) -> Vec<u8> {
    let mut bytes = NONE.to_vec();
    for mark in marks {
        bytes.extend(mark.id.to_le_bytes());
        bytes.extend(mark.at_ms.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn entered(bytes: &[u8], id: u64, now_ms: u64) -> Vec<u8> {
        match enter(bytes, id, now_ms) {
            Entry::Enter(bytes) => bytes,
            Entry::GiveUp(_) => panic!("given up"),
        }
    }

    #[test]
    fn after_two_that_did_not_come_back_it_is_given_up_and_then_tried_anew() {
        let first = entered(&NONE, 1, NOW);
        let second = entered(&first, 2, NOW + 1_000);
        assert_eq!(enter(&second, 3, NOW + 2_000), Entry::GiveUp(NONE.to_vec()));
        entered(&NONE, 4, NOW + 2_000);
    }

    #[test]
    fn whoever_comes_back_leaves_no_mark_and_takes_nobody_else_s_away() {
        let bytes = entered(&entered(&NONE, 1, NOW), 2, NOW);
        let without = leave(&bytes, 1).unwrap();
        assert_eq!(leave(&without, 1), None);
        assert_eq!(leave(&without, 2), Some(NONE.to_vec()));
    }

    #[test]
    fn any_number_that_read_at_the_same_moment_give_nothing_up() {
        let mut bytes = NONE.to_vec();
        for id in 0..1_000 {
            bytes = entered(&bytes, id, NOW + id / 10);
        }
        assert!(bytes.len() <= 1 + 16 * MAX_MARKS);
    }

    #[test]
    fn what_trapped_long_ago_or_by_a_clock_of_another_day_is_forgotten() {
        let bytes = entered(&entered(&NONE, 1, NOW), 2, NOW);
        for later in [NOW + FORGOTTEN_MS, NOW - FORGOTTEN_MS, 0] {
            entered(&bytes, 3, later);
        }
    }

    #[test]
    fn rubbish_is_no_mark() {
        for bytes in [&b""[..], b"rubbish", &[VERSION, 1, 2], &[9; 33]] {
            assert_eq!(enter(bytes, 1, NOW), enter(&NONE, 1, NOW));
            assert_eq!(leave(bytes, 1), None);
        }
    }
}
