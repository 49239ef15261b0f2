//! Structured logs: JSON lines for machines, text for a terminal.
//!
//! What is never logged: passwords, their hashes, tokens, e-mail addresses, names, raw paths.

use std::io::{IsTerminal, stdout};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::LogSettings;

/// Begins to log to standard output, panics included.
pub(crate) fn begin(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let json = settings.json.unwrap_or_else(|| !stdout().is_terminal());
    let lines = fmt().with_env_filter(filter).with_writer(stdout);
    if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        lines.with_ansi(stdout().is_terminal()).init();
    }
    // The default hook writes a message of its own shape, and could print what a panic carries; the place suffices.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "a task panicked; this is a fault of the issuer");
    }));
}
