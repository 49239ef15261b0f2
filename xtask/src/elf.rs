//! What a program of Linux asks of the machine that it runs on, out of its ELF headers.

/// The types of segments, and the tag of an entry of the dynamic one (the generic ABI, chapters "Program Loading" and
/// "Dynamic Linking").
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const NEEDED: u64 = 1;
/// `0x7f ELF`, 64 bits, little-endian.
const BEGIN: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
/// As many bytes an entry of the dynamic segment has.
const ENTRY_BYTES: usize = 16;

/// What it needs: a loader, or a shared library. Empty for a static program; `None` for what is no 64-bit, little-endian
/// ELF file.
#[must_use]
pub fn needs(file: &[u8]) -> Option<Vec<&'static str>> {
    file.strip_prefix(&BEGIN)?;
    let (first, size, count) = (long(file, 32)?, short(file, 54)?, short(file, 56)?);
    let mut found = Vec::new();
    for index in 0..count {
        let segment = first.checked_add(index.checked_mul(size)?)?;
        match u32::try_from(number(file, segment, 4)?).ok()? {
            INTERPRETER => found.push("a loader"),
            DYNAMIC => {
                let (begin, length) =
                    (long(file, segment.checked_add(8)?)?, long(file, segment.checked_add(32)?)?);
                let entries = file.get(begin..begin.checked_add(length)?)?;
                let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
                let libraries = entries.iter().filter(|entry| number(*entry, 0, 8) == Some(NEEDED));
                found.extend(libraries.map(|_| "a shared library"));
            }
            _ => {}
        }
    }
    Some(found)
}

fn long(file: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(file, at, 8)?).ok()
}

fn short(file: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(file, at, 2)?).ok()
}

/// A little-endian number of so many bytes.
fn number(file: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let bytes = file.get(at..at.checked_add(bytes)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these segments: type, and what it holds.
    fn file(segments: &[(u32, &[u64])]) -> Vec<u8> {
        let mut file = [BEGIN.as_slice(), &[0; 58]].concat();
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
        let mut at = 64 + 56 * segments.len() as u64;
        for (kind, words) in segments {
            let length = words.len() as u64 * 8;
            file.extend(kind.to_le_bytes().into_iter().chain([0; 4]));
            file.extend([at, 0, 0, length, length, 8].iter().flat_map(|word| word.to_le_bytes()));
            at += length;
        }
        file.extend(segments.iter().flat_map(|(_, words)| words.iter()).flat_map(|word| word.to_le_bytes()));
        file
    }

    #[test]
    fn a_loader_and_every_library_are_found_and_nothing_else() {
        assert_eq!(needs(&file(&[(1, &[7]), (DYNAMIC, &[5, 1, 0, 0])])), Some(vec![]));
        let dynamic = file(&[(INTERPRETER, &[0]), (1, &[]), (DYNAMIC, &[NEEDED, 9, 5, NEEDED, NEEDED, 2])]);
        assert_eq!(needs(&dynamic), Some(vec!["a loader", "a shared library", "a shared library"]));
    }

    #[test]
    fn what_is_no_such_file_or_ends_early_says_nothing() {
        assert_eq!(needs(b"#!/bin/sh"), None);
        let whole = file(&[(INTERPRETER, &[0]), (DYNAMIC, &[NEEDED, 9])]);
        for length in 0..whole.len() {
            assert_eq!(needs(&whole[..length]).filter(|needs| needs.len() == 2), None, "{length}");
        }
    }

    /// Unless they are built otherwise, tests of this crate stand on the C library of the machine.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn this_very_program_needs_a_loader_and_libraries() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs = needs(&own).unwrap();
        assert!(needs.contains(&"a loader") && needs.contains(&"a shared library"), "{needs:?}");
    }
}
