//! A text and its lines.

use std::ops::Range;

/// A text in which lines and columns are found without counting from its top, also where it is a single line.
pub(super) struct Text {
    text: String,
    /// Line and column of a character in every so many bytes: offset, line, column.
    marks: Vec<(usize, usize, usize)>,
}

/// The bytes from one mark to the next, at least.
const MARK_EVERY_BYTES: usize = 1024;

/// Of a longer line only so many bytes before and behind a place are shown.
const MAX_BESIDE_BYTES: usize = 1024;

/// A part of a line.
pub(crate) struct Window<'t> {
    pub(crate) text: &'t str,
    /// What it is about, in it.
    pub(crate) bytes: Range<usize>,
    /// Whether the line begins before it.
    pub(crate) is_cut: bool,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        let mut marks = vec![(0, 1, 1)];
        let (mut line, mut column, mut last) = (1, 1, 0);
        for (offset, character) in text.char_indices() {
            if offset - last >= MARK_EVERY_BYTES {
                marks.push((offset, line, column));
                last = offset;
            }
            (line, column) = after(character, line, column);
        }
        Self { text, marks }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Line and column of the character at an offset, from 1.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let index = self.marks.partition_point(|(mark, ..)| *mark <= offset);
        let (mark, line, column) =
            index.checked_sub(1).and_then(|index| self.marks.get(index)).copied().unwrap_or((0, 1, 1));
        let between = self.text.get(mark..offset).unwrap_or_default();
        between.chars().fold((line, column), |(line, column), character| after(character, line, column))
    }

    /// The nearest offset at or before this one where a character begins.
    pub(super) fn boundary(&self, offset: usize) -> usize {
        floor(&self.text, offset)
    }
}

fn after(character: char, line: usize, column: usize) -> (usize, usize) {
    match character {
        '\n' => (line + 1, 1),
        // A byte order mark is no part of the first line.
        '\u{feff}' => (line, column),
        _ => (line, column + 1),
    }
}

/// Where a line and a column, in bytes from 1, are in a text.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

/// The line with these bytes, or the part of it around them.
pub(crate) fn window<'t>(text: &'t str, bytes: &Range<usize>) -> Window<'t> {
    let earliest = floor(text, bytes.start.saturating_sub(MAX_BESIDE_BYTES));
    let before = text.get(earliest..bytes.start).unwrap_or_default();
    let line_start = before.rfind('\n').map(|end| earliest + end + 1);
    let begin = line_start.unwrap_or(earliest);
    let latest = floor(text, bytes.start.saturating_add(MAX_BESIDE_BYTES));
    let after = text.get(bytes.start..latest).unwrap_or_default();
    let line = after.split(['\n', '\r']).next().unwrap_or_default();
    let shown = text.get(begin..bytes.start + line.len()).unwrap_or_default();
    Window {
        text: shown,
        bytes: bytes.start - begin..(bytes.end - begin).min(shown.len()),
        is_cut: line_start.is_none() && earliest > 0,
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or(0)
}
