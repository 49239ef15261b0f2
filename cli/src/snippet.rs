//! Something about a place in a file, shown as rustc shows it.

use std::ops::Range;

use annotate_snippets::renderer::{DEFAULT_TERM_WIDTH, Renderer};
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Snippet};

use crate::document::{Place, Source};
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
        None => {
            let origin = Origin::path(source.name.as_str()).line(place.line).char_column(place.column);
            group = group.element(Element::from(origin));
        }
        Some(text) => {
            let line = |line: usize, bytes, kind: AnnotationKind, label: Option<&'static str>| {
                let (line_text, bytes) = Place::line_of(text, bytes);
                let bytes = match columns {
                    Some(columns) => fitting(line_text, bytes, columns),
                    None => bytes,
                };
                let annotation = kind.span(bytes).label(label);
                Snippet::source(line_text).path(source.name.as_str()).line_start(line).annotation(annotation)
            };
            group = group.element(line(place.line, &place.bytes, AnnotationKind::Primary, None));
            if let Some(other) = &place.other {
                let label = Some("meant here, too");
                group = group.element(line(other.line, &other.bytes, AnnotationKind::Context, label));
            }
        }
    }
    if let Some(kind) = kind.filter(|_| is_narrow) {
        group = group.element(Level::NOTE.message(kind));
    }
    let renderer = Renderer::styled().term_width(columns.unwrap_or(DEFAULT_TERM_WIDTH));
    renderer.render(&[group])
}

/// As much of what is underlined as fits beside the margin, the number of the line and what is left out.
fn fitting(line: &str, bytes: Range<usize>, columns: usize) -> Range<usize> {
    const BESIDE: usize = 20;
    let most = columns.saturating_sub(BESIDE).max(1);
    let cut = line.get(bytes.clone()).and_then(|text| text.char_indices().nth(most));
    bytes.start..cut.map_or(bytes.end, |(length, _)| bytes.start + length)
}
