//! Lines and columns.

use std::ops::Range;

use serde_saphyr::Error;

use super::node::{Content, Extent, Found, Member, Node};
use super::text::{Text, offset};

/// What a person is pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// The bytes of the text, all on one line.
    pub(crate) bytes: Range<usize>,
    /// The other end of an alias: where it is meant, or what it means.
    pub(crate) other: Option<Box<Self>>,
}

/// A field stands where its name does, together with its value if that is on the same line. An item of a list stands where
/// it begins.
pub(super) fn of(source: &Text, found: Found<'_>) -> Place {
    let text = source.as_str();
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
    let other = other.map(|other| Place::of(source, other));
    Place { other: other.map(Box::new), ..Place::of(source, first) }
}

fn is_on_one_line(text: &str, start: usize, end: usize) -> bool {
    text.get(start..end).is_some_and(|between| !between.contains('\n'))
}

impl Place {
    /// The character at an offset.
    pub(super) fn at(text: &Text, offset: usize) -> Self {
        let start = text.boundary(offset);
        let next = text.as_str().get(start..).and_then(|after| after.chars().next());
        let length = next.filter(|next| !['\n', '\r'].contains(next)).map_or(0, char::len_utf8);
        Self::of_bytes(text, start..start + length)
    }

    /// As much of an extent as is on its first line, and at least one character.
    fn of(text: &Text, extent: Extent) -> Self {
        let first = Self::at(text, extent.start);
        let written = text.as_str().get(first.bytes.start..extent.end).unwrap_or_default();
        let on_line = written.split(['\n', '\r']).next().unwrap_or_default();
        let end = (first.bytes.start + on_line.len()).max(first.bytes.end);
        Self { bytes: first.bytes.start..end, ..first }
    }

    fn of_bytes(text: &Text, bytes: Range<usize>) -> Self {
        let (line, column) = text.position(bytes.start);
        Self { line, column, bytes, other: None }
    }

    /// Where a text ceases to be YAML.
    pub(super) fn of_error(text: &Text, error: &Error) -> Self {
        let Some(location) = error.location() else { return Self::at(text, 0) };
        let start = offset(text.as_str(), location.line() as usize, 1);
        let line = text.as_str().get(start..).unwrap_or_default();
        let characters = (location.column() as usize).saturating_sub(1);
        let within: usize = line.chars().take(characters).map(char::len_utf8).sum();
        Self::at(text, start + within)
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
