//! Where a command leaves what it has made.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Writes to the standard output, or into a file. A file is replaced as a whole: whoever reads it meanwhile gets the old
/// one or the new one.
///
/// # Errors
/// One sentence: what failed and where.
pub(crate) fn write(text: &[u8], file: Option<&Path>) -> Result<(), String> {
    let Some(file) = file else {
        return match io::stdout().write_all(text).and_then(|()| io::stdout().flush()) {
            // Whoever reads has seen enough, as `head` has.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| format!("the standard output: {error}")),
        };
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    fs::write(&new, text).and_then(|()| fs::rename(&new, file)).map_err(|error| {
        // What is left of it helps nobody; that it could not be removed is no news after this.
        let _ = fs::remove_file(&new);
        format!("{}: {error}", file.display())
    })
}

/// Prints a report, with styles where somebody sees them, and ends with this status. Whoever has read enough of it may
/// close the pipe.
pub(crate) fn print(report: &str, status: u8) -> ExitCode {
    let mut output = anstream::stdout();
    match output.write_all(report.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("the standard output: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::from(status),
    }
}
