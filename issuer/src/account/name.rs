//! Names of people.

/// The longest name, in characters.
const MAX_CHARS: usize = 100;

/// A name: trimmed, not empty, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// # Errors
    /// A sentence for the client.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Name is required".to_owned());
        }
        if text.chars().count() > MAX_CHARS {
            return Err(format!("Name must be at most {MAX_CHARS} characters"));
        }
        if text.chars().any(|c| c.is_control() || breaks_lines_or_direction(c)) {
            return Err("Name must not contain control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Line and paragraph separators, and the embeddings, overrides and isolates of Unicode Annex 9, with which a name
/// can reorder the text that stands around it.
fn breaks_lines_or_direction(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_required() {
        assert_eq!(Name::parse("  Priya  ").unwrap().as_str(), "Priya");
        assert_eq!(Name::parse(" \u{a0} "), Err("Name is required".to_owned()));
    }

    #[test]
    fn a_name_of_any_script_is_accepted_up_to_100_characters() {
        assert!(Name::parse("प्रिया शर्मा").is_ok());
        assert!(Name::parse(&"é".repeat(100)).is_ok());
        assert_eq!(Name::parse(&"é".repeat(101)), Err("Name must be at most 100 characters".to_owned()));
    }

    #[test]
    fn a_name_with_control_characters_is_refused() {
        for text in ["a\nb", "a\0b", "a\u{7f}b", "a\u{85}b", "a\u{202e}b", "a\u{2028}b"] {
            assert_eq!(
                Name::parse(text),
                Err("Name must not contain control characters".to_owned()),
                "{text:?}"
            );
        }
    }
}
