//! Something about a place in a file, shown as rustc shows it.

use std::ops::Range;

use annotate_snippets::renderer::{DEFAULT_TERM_WIDTH, Renderer};
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Snippet};
use anstream::adapter::strip_str;

use crate::document::{self, Place, Source, Window};
use crate::terminal;

/// How bad it is.
#[derive(Clone, Copy)]
pub(crate) enum Severity<'a> {
    /// Wrong.
    Error,
    /// Worth a look; its kind.
    Warning(&'a str),
}

/// Shows a sentence and its place, with styles (print by `anstream`). `columns`: how wide the output is, where it is a
/// terminal.
pub(crate) fn shown(
    source: &Source,
    severity: Severity<'_>,
    text: &str,
    place: &Place,
    columns: Option<usize>,
) -> String {
    let (level, kind) = match severity {
        Severity::Error => (Level::ERROR, None),
        Severity::Warning(kind) => (Level::WARNING, Some(kind)),
    };
    let label = kind.map_or("error: ".len(), |kind| "warning[]: ".len() + kind.len());
    // Where the kind would take half of a terminal it stands below.
    let is_narrow = kind.is_some() && columns.is_some_and(|columns| columns < 2 * label);
    let label = if is_narrow { "warning: ".len() } else { label };
    let text = columns
        .map_or_else(|| text.to_owned(), |columns| terminal::filled(text, columns.saturating_sub(label)));
    let title = level.primary_title(text);
    let title = match kind {
        Some(kind) if !is_narrow => title.id(kind),
        _ => title,
    };
    let mut group = Group::with_title(title);
    match source.shown() {
        None => group = group.element(origin(source, place)),
        Some(text) => {
            group = group.elements(elements(source, text, place, AnnotationKind::Primary, None, columns));
            if let Some(other) = &place.other {
                let label = Some("meant here, too");
                group =
                    group.elements(elements(source, text, other, AnnotationKind::Context, label, columns));
            }
        }
    }
    if let Some(kind) = kind.filter(|_| is_narrow) {
        group = group.element(Level::NOTE.message(kind));
    }
    let renderer = Renderer::styled().term_width(columns.unwrap_or(DEFAULT_TERM_WIDTH));
    let rendered = renderer.render(&[group]);
    // What separates a place from the part of a long line that is shown for it.
    let is_empty_place = |line: &&str| strip_str(line).to_string().trim() == ":::";
    rendered.lines().filter(|line| !is_empty_place(line)).collect::<Vec<_>>().join("\n")
}

/// A line of the file with something underlined.
fn elements<'t>(
    source: &'t Source,
    text: &'t str,
    place: &Place,
    kind: AnnotationKind,
    label: Option<&'static str>,
    columns: Option<usize>,
) -> Vec<Element<'t>> {
    let Window { text: line, bytes, is_cut } = document::window(text, &place.bytes);
    let bytes = match columns {
        Some(columns) => fitting(line, bytes, columns),
        None => bytes,
    };
    let snippet = Snippet::source(line).line_start(place.line).annotation(kind.span(bytes).label(label));
    if is_cut {
        // Its column is not that of what is shown.
        vec![origin(source, place).into(), snippet.into()]
    } else {
        vec![snippet.path(source.name.as_str()).into()]
    }
}

fn origin<'t>(source: &'t Source, place: &Place) -> Origin<'t> {
    Origin::path(source.name.as_str()).line(place.line).char_column(place.column)
}

/// As much of what is underlined as fits beside the margin, the number of the line and what is left out.
fn fitting(line: &str, bytes: Range<usize>, columns: usize) -> Range<usize> {
    const BESIDE: usize = 20;
    let most = columns.saturating_sub(BESIDE).max(1);
    let cut = line.get(bytes.clone()).and_then(|text| text.char_indices().nth(most));
    bytes.start..cut.map_or(bytes.end, |(length, _)| bytes.start + length)
}
