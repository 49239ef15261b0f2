//! What a test has measured or counted, for whoever reads the run.

use std::io::Write;

/// How such a line begins; `cargo xtask test` repeats them at the end.
const PREFIX: &str = "measured: ";

/// Says something about a run that passes. The test harness would keep what `println!` prints to itself.
pub fn note(text: &str) {
    let line = format!("{PREFIX}{}\n", text.replace('\n', " "));
    // A closed stdout is no reason to fail.
    let _ = std::io::stdout().write_all(line.as_bytes());
}
