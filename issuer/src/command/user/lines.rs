//! Reads lines of bounded length.

use std::io::{self, BufRead, Read};

/// The longest line, in bytes: as large as a request body.
pub(super) const MAX_LINE_BYTES: u64 = 8 * 1024;
/// How much of a line that is too long is passed over, in bytes. Beyond, this is no file of lines.
const MAX_SKIPPED_BYTES: u64 = 16 * 1024 * 1024;

/// One line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Text(Vec<u8>),
    TooLong,
}

/// The next line; `None` at the end.
///
/// # Errors
/// The input cannot be read, or goes on without a line end.
pub(super) fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut text = Vec::new();
    // One more for the line end.
    let read = input.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut text)?;
    if read == 0 {
        return Ok(None);
    }
    if text.pop_if(|last| *last == b'\n').is_some() || text.len() as u64 <= MAX_LINE_BYTES {
        return Ok(Some(Line::Text(text)));
    }
    skip(input)?;
    Ok(Some(Line::TooLong))
}

fn skip(input: &mut impl BufRead) -> io::Result<()> {
    let mut skipped: u64 = 0;
    while skipped <= MAX_SKIPPED_BYTES {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        if length == 0 || end.is_some() {
            input.consume(length);
            return Ok(());
        }
        input.consume(length);
        skipped += length as u64;
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a line goes on and on: give JSON lines"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<Option<usize>> {
        std::iter::from_fn(|| next(&mut input).unwrap())
            .map(|line| match line {
                Line::Text(text) => Some(text.len()),
                Line::TooLong => None,
            })
            .collect()
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_the_next_is_read() {
        let max = usize::try_from(MAX_LINE_BYTES).unwrap();
        let [fits, long, longer] = [max, max + 1, 3 * max].map(|length| "x".repeat(length));
        let all = format!("{fits}\n{long}\n\n{longer}\nx\n{fits}");
        assert_eq!(lines(all.as_bytes()), [Some(max), None, Some(0), None, Some(1), Some(max)]);
        assert_eq!(lines(format!("x\n{long}").as_bytes()), [Some(1), None]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn what_has_no_line_end_is_not_read_for_ever() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert!(next(&mut endless).is_err());
    }
}
