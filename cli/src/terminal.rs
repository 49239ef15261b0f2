//! What a terminal gets and a pipe does not: colour and width.
//!
//! Print by `anstream::{print, println, eprint, eprintln}`: they drop styles where nobody sees them (a pipe, `NO_COLOR`,
//! `TERM=dumb`). What is read by programs never has any.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use terminal_size::{Height, Width, terminal_size_of};

/// Good: forwarded, valid, passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad: refused, invalid, failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(crate) const SUSPICIOUS: Style = AnsiColor::Yellow.on_default().bold();
/// What orders the rest.
pub(crate) const HEADING: Style = Style::new().bold();
/// What is beside the point.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Lines of text are not longer than this, however wide a terminal is.
const MAX_COLUMNS: usize = 120;
/// And are not broken shorter than this, however narrow it is.
const MIN_COLUMNS: usize = 20;

/// How many columns the standard output has; `None` where it is no terminal.
pub(crate) fn columns() -> Option<usize> {
    let output = std::io::stdout();
    output.is_terminal().then(|| terminal_size_of(&output)).flatten().map(bounded)
}

/// How many columns the standard error has; `None` where it is no terminal.
pub(crate) fn error_columns() -> Option<usize> {
    let output = std::io::stderr();
    output.is_terminal().then(|| terminal_size_of(&output)).flatten().map(bounded)
}

fn bounded((Width(columns), _): (Width, Height)) -> usize {
    usize::from(columns).min(MAX_COLUMNS)
}

/// A text broken into lines of so many columns.
pub(crate) fn filled(text: &str, columns: usize) -> String {
    textwrap::fill(text, columns.max(MIN_COLUMNS))
}

/// A text behind a margin: broken where a terminal ends, whole for a pipe. `first` stands before the first line, as many
/// spaces before the others.
pub(crate) fn wrapped(first: &str, text: &str) -> String {
    let Some(columns) = columns() else { return format!("{first}{text}") };
    let rest = " ".repeat(textwrap::core::display_width(first));
    let options = textwrap::Options::new(columns).initial_indent(first).subsequent_indent(&rest);
    textwrap::fill(text, options)
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
