use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How many lines of a dead process's log an error shows.
const LINES: usize = 20;
/// How far from its end a log is read for that.
const WINDOW: u64 = 16 * 1024;

/// The last lines of a log file, indented; what cannot be read is said in their place.
pub fn tail(log: &Path) -> String {
    match last_bytes(log) {
        Ok(bytes) => last_lines(&String::from_utf8_lossy(&bytes)),
        Err(error) => format!("  ({} cannot be read: {error})", log.display()),
    }
}

fn last_bytes(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn last_lines(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().rev().take(LINES).map(|line| format!("  {line}")).collect();
    if lines.is_empty() {
        return "  (it is empty)".to_owned();
    }
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_shown_in_their_order() {
        let text: String = (1..=50).map(|number| format!("line {number}\n")).collect();
        let shown = last_lines(&text);
        assert_eq!(shown.lines().count(), LINES);
        assert!(shown.starts_with("  line 31\n"), "{shown}");
        assert!(shown.ends_with("  line 50"), "{shown}");
    }

    #[test]
    fn an_empty_log_says_so() {
        assert_eq!(last_lines(""), "  (it is empty)");
    }

    #[test]
    fn a_missing_log_is_no_second_failure() {
        assert!(tail(Path::new("/no/such/log")).contains("cannot be read"));
    }
}
