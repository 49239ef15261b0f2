//! How the inputs of a target are kept: one file, one input a line.
//!
//! A byte of printable ASCII stands for itself, but for the backslash; every other byte is written `\x` and two digits.
//! So a corpus can be read, searched, and compared line by line. The empty input is every target's and stands nowhere.

use std::collections::BTreeSet;

/// Writes inputs, shorter ones first.
#[must_use]
pub fn write(inputs: impl IntoIterator<Item = Vec<u8>>) -> String {
    let sorted: BTreeSet<(usize, Vec<u8>)> =
        inputs.into_iter().filter(|input| !input.is_empty()).map(|input| (input.len(), input)).collect();
    sorted.iter().map(|(_, input)| line(input)).collect()
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// The number of the first line that is not as it should be, counted from 1.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, usize> {
    text.lines().zip(1..).map(|(line, number)| input(line.as_bytes()).ok_or(number)).collect()
}

fn line(input: &[u8]) -> String {
    let mut line = String::with_capacity(input.len() + 1);
    for byte in input {
        match byte {
            b' '..=b'~' if *byte != b'\\' => line.push(char::from(*byte)),
            byte => line.push_str(&format!("\\x{byte:02x}")),
        }
    }
    line.push('\n');
    line
}

fn input(mut line: &[u8]) -> Option<Vec<u8>> {
    let mut input = Vec::with_capacity(line.len());
    while let Some((byte, rest)) = line.split_first() {
        line = rest;
        match byte {
            b'\\' => {
                let (digits, rest) = rest.strip_prefix(b"x")?.split_at_checked(2)?;
                line = rest;
                input.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            }
            b' '..=b'~' => input.push(*byte),
            _ => return None,
        }
    }
    (!input.is_empty()).then_some(input)
}
