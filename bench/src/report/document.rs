use std::fs;
use std::path::Path;

use xtask::error::Error;

/// Writes the text between the two lines that mark this benchmark's place.
pub(super) fn replace(path: &Path, benchmark: &str, text: &str) -> Result<(), Error> {
    let document = fs::read_to_string(path).map_err(Error::file("read", path))?;
    let replaced = between(&document, benchmark, text).ok_or_else(|| {
        let [begin, end] = marks(benchmark);
        Error::unusable(
            format!("{} has no place for this benchmark", path.display()),
            format!("write these two lines where it should be: {begin} and {end}"),
        )
    })?;
    fs::write(path, replaced).map_err(Error::file("write", path))
}

fn between(document: &str, benchmark: &str, text: &str) -> Option<String> {
    let [begin, end] = marks(benchmark);
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim()))
}

fn marks(benchmark: &str) -> [String; 2] {
    let command = format!("cargo xtask bench {benchmark} --write");
    [format!("<!-- written by `{command}` -->"), format!("<!-- end of what `{command}` writes -->")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else() {
        let [begin, end] = marks("issuer");
        let document = format!("# Title\n\n{begin}\nold\n{end}\n\nMore.\n");
        let once = between(&document, "issuer", "new\n").unwrap();
        assert_eq!(once, format!("# Title\n\n{begin}\n\nnew\n\n{end}\n\nMore.\n"));
        assert_eq!(between(&once, "issuer", "new").unwrap(), once);
        assert!(between(&once, "envoy", "new").is_none());
    }
}
