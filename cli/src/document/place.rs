//! Lines and columns.

use std::ops::Range;

use serde_saphyr::Error;

use super::node::{Content, Extent, Found, Member, Node};

/// What a person is pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// The bytes of the text, all on one line.
    pub(crate) bytes: Range<usize>,
    /// Where it is also: the alias by which it is meant, or what is meant by an alias.
    pub(crate) other: Option<Other>,
}

/// The other end of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) line: usize,
    pub(crate) bytes: Range<usize>,
}

/// A field stands where its name does, together with its value if that is on the same line. An item of a list stands where
/// it begins.
pub(super) fn of(text: &str, found: Found<'_>) -> Place {
    let Found { key, node } = found;
    let (first, other) = match (key, node.alias) {
        // `name: *alias` with the name outside of what the alias stands for, or all of it inside.
        (Some(key), Some(alias)) if is_on_one_line(text, key.start, alias.start) => {
            (Extent { start: key.start, end: alias.end }, Some(node.at))
        }
        (Some(key), alias) => {
            let is_scalar = matches!(node.content, Content::Scalar);
            let reaches = alias.is_none() || is_on_one_line(text, key.start, node.at.start);
            let end = if is_scalar && reaches && is_on_one_line(text, key.start, node.at.end) {
                node.at.end.max(key.end)
            } else {
                key.end
            };
            (Extent { start: key.start, end }, alias)
        }
        (None, alias) => (Extent { start: node.at.start, end: node.end_on_line(text) }, alias),
    };
    let mut place = Place::at(text, first.start);
    place.bytes.end = end_of_line(text, place.bytes.start).min(first.end).max(place.bytes.end);
    place.other = other.map(|other| {
        let Place { line, mut bytes, .. } = Place::at(text, other.start);
        bytes.end = end_of_line(text, bytes.start).min(other.end).max(bytes.end);
        Other { line, bytes }
    });
    place
}

fn is_on_one_line(text: &str, start: usize, end: usize) -> bool {
    text.get(start..end).is_some_and(|between| !between.contains('\n'))
}

fn end_of_line(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    start + line.trim_end_matches('\r').len()
}

/// Where a line and a column, in bytes from 1, are in a text.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

impl Place {
    /// The character at an offset.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let mut start = offset.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let (before, after) = text.split_at_checked(start).unwrap_or((text, ""));
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let column =
            before.get(begin..).unwrap_or_default().trim_start_matches('\u{feff}').chars().count() + 1;
        let length =
            after.chars().next().filter(|next| !['\n', '\r'].contains(next)).map_or(0, char::len_utf8);
        let line = before.matches('\n').count() + 1;
        Self { line, column, bytes: start..start + length, other: None }
    }

    /// Where a text ceases to be YAML.
    pub(super) fn of_error(text: &str, error: &Error) -> Self {
        let Some(location) = error.location() else { return Self::at(text, 0) };
        let line_start = offset(text, location.line() as usize, 1);
        let line = text.get(line_start..).unwrap_or_default();
        let characters = (location.column() as usize).saturating_sub(1);
        let within: usize = line.chars().take(characters).map(char::len_utf8).sum();
        Self::at(text, line_start + within)
    }

    /// As many bytes as are pointed to, on the line alone that holds them: its text, and them in it.
    pub(crate) fn line_of<'t>(text: &'t str, bytes: &Range<usize>) -> (&'t str, Range<usize>) {
        let before = text.get(..bytes.start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(begin..end_of_line(text, begin)).unwrap_or_default();
        (line, bytes.start - begin..(bytes.end - begin).min(line.len()))
    }
}

/// The lines of a text that stands in a file as a literal block scalar, each a line of the file but for its margin.
pub(super) struct LiteralLines {
    /// For each line where it begins in the text, and where in the file.
    starts: Vec<(usize, usize)>,
}

impl LiteralLines {
    /// Where the byte of the text is in the file.
    pub(super) fn in_file(&self, offset: usize) -> usize {
        let after = self.starts.partition_point(|(start, _)| *start <= offset);
        let line = after.checked_sub(1).and_then(|index| self.starts.get(index));
        line.map_or(0, |(start, in_file)| in_file + (offset - start))
    }

    fn extent(&self, extent: Extent) -> Extent {
        Extent { start: self.in_file(extent.start), end: self.in_file(extent.end) }
    }
}

impl Node {
    /// The lines of this scalar, if they are lines of the file as they stand: `|`, not `>`, no quotes.
    pub(super) fn literal_lines(&self, file: &str, text: &str) -> Option<LiteralLines> {
        let begin = file.get(..self.at.start)?.rfind('\n')? + 1;
        let margin = self.at.start - begin;
        let mut lines = file.get(begin..)?.split_inclusive('\n');
        let (mut starts, mut in_text, mut in_file) = (Vec::new(), 0, begin);
        for line in text.split_inclusive('\n') {
            let written = lines.next()?;
            let content = line.trim_end_matches('\n');
            let stands = written.trim_end_matches(['\n', '\r']);
            // A line that is empty may lack the margin.
            let start = if content.is_empty() { margin.min(stands.len()) } else { margin };
            if stands.get(start..)? != content || !stands.get(..start)?.bytes().all(|byte| byte == b' ') {
                return None;
            }
            starts.push((in_text, in_file + start));
            in_text += line.len();
            in_file += written.len();
        }
        Some(LiteralLines { starts })
    }

    /// The node in the file that holds its text.
    pub(super) fn moved(self, lines: &LiteralLines) -> Self {
        let content = match self.content {
            Content::Scalar => Content::Scalar,
            Content::List(items) => Content::List(items.into_iter().map(|item| item.moved(lines)).collect()),
            Content::Object(members) => {
                let moved = |member: Member| Member {
                    key: lines.extent(member.key),
                    node: member.node.moved(lines),
                    ..member
                };
                Content::Object(members.into_iter().map(moved).collect())
            }
        };
        Self { at: lines.extent(self.at), alias: self.alias.map(|alias| lines.extent(alias)), content }
    }
}
