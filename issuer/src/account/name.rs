//! Names of people.

/// The longest name, in characters.
const MAX_CHARS: usize = 100;

/// A name: trimmed, with something to see, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// # Errors
    /// A sentence for the client.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().count() > MAX_CHARS {
            return Err(format!("Name must be at most {MAX_CHARS} characters"));
        }
        if text.chars().any(|c| c.is_control() || misleads(c)) {
            return Err("Name must not contain control characters".to_owned());
        }
        if text.chars().all(is_blank) {
            return Err("Name is required".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Line and paragraph separators, the controls of Unicode Annex 9, with which a name can reorder the text that stands
/// around it, and the space without width. The two joiners are letters' affair: Persian and Indic names need them.
fn misleads(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What leaves nothing to see: spaces, the empty letters and patterns, and what Unicode lets a display ignore
/// (Default_Ignorable_Code_Point).
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200c}' | '\u{200d}')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_required() {
        assert_eq!(Name::parse("  Priya  ").unwrap().as_str(), "Priya");
        for blank in
            ["", " \u{a0} ", "\u{3164}", "\u{2800}\u{2800}", "\u{ad}", "\u{feff}", "\u{200d}", "\u{e0041}"]
        {
            assert_eq!(Name::parse(blank), Err("Name is required".to_owned()), "{blank:?}");
        }
    }

    #[test]
    fn a_name_of_any_script_is_accepted_up_to_100_characters() {
        assert!(Name::parse("प्रिया शर्मा").is_ok());
        assert!(Name::parse("علی\u{200c}رضا").is_ok(), "with a joiner");
        assert!(Name::parse(&"é".repeat(100)).is_ok());
        assert_eq!(Name::parse(&"é".repeat(101)), Err("Name must be at most 100 characters".to_owned()));
    }

    #[test]
    fn a_name_with_control_characters_is_refused() {
        for text in [
            "a\nb",
            "a\0b",
            "a\u{7f}b",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{200f}b",
            "a\u{61c}b",
            "a\u{2066}b",
        ] {
            assert_eq!(
                Name::parse(text),
                Err("Name must not contain control characters".to_owned()),
                "{text:?}"
            );
        }
    }
}
