//! Texts with places to fill in: the configurations stand in the repository as somebody would read them.

use xtask::error::Error;

/// Ends a line that is there only where something holds: `# only: NAME`.
const ONLY: &str = "# only: ";

/// Fills each `${NAME}` with its value, and leaves out the lines that are for something that does not hold.
///
/// A value of several lines stands alone in its line, and each of its lines as far to the right as that.
///
/// # Errors
/// A place that has no value.
pub(super) fn filled(text: &str, values: &[(&str, &str)], holds: &[&str]) -> Result<String, Error> {
    let mut filled = String::new();
    for line in text.lines() {
        let line = match line.split_once(ONLY) {
            Some((_, condition)) if !holds.contains(&condition.trim()) => continue,
            Some((line, _)) => line.trim_end(),
            None => line,
        };
        let indentation = line.len() - line.trim_start().len();
        let mut line = line.to_owned();
        for (name, value) in values {
            let place = format!("${{{name}}}");
            if line.contains(&place) {
                line = line.replace(&place, &indented(value, indentation));
            }
        }
        if line.contains("${") {
            let what = format!("nothing to fill in: {}", line.trim());
            return Err(Error::unusable(what, "correct the template in bench/filter"));
        }
        if !line.trim().is_empty() {
            filled.push_str(&line);
            filled.push('\n');
        }
    }
    Ok(filled)
}

/// Every line but the first, which stands in its place already, so far to the right.
fn indented(text: &str, spaces: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{}", " ".repeat(spaces)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places_and_lines_that_do_not_hold_are_gone() {
        let text = "a: ${one}\nlist:\n  ${many}\nb: 1 # only: b\nc: 2 # only: c\n";
        let filled = filled(text, &[("one", "1"), ("many", "- x:\n    y\n- z\n")], &["c"]).unwrap();
        assert_eq!(filled, "a: 1\nlist:\n  - x:\n      y\n  - z\nc: 2\n");
    }

    #[test]
    fn a_place_without_a_value_is_an_error() {
        assert!(filled("a: ${one}", &[("two", "2")], &[]).unwrap_err().to_string().contains("a: ${one}"));
    }

    #[test]
    fn nothing_in_place_of_a_line_leaves_no_line() {
        assert_eq!(filled("a:\n  ${none}\nb:", &[("none", "")], &[]).unwrap(), "a:\nb:\n");
    }
}
