//! What came from outside, as it can be shown.

use serde_json::Value;

/// The most characters that are shown of one value.
const MAX_SHOWN_CHARACTERS: usize = 160;

/// A text in backquotes: whatever it holds, one line that no terminal takes for a command, cut where it is long.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    format!("`{}`", shown(&String::from_utf8_lossy(bytes)))
}

/// A value of JSON in backquotes, by the same rules.
pub(super) fn json(value: &Value) -> String {
    format!("`{}`", shown(&value.to_string()))
}

/// Texts in backquotes, with commas between them.
pub(super) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    texts.into_iter().map(|text| quoted(text.as_ref().as_bytes())).collect::<Vec<_>>().join(", ")
}

/// The names that lead to a claim, as a policy has them: `realm_access.roles`.
pub(super) fn claim(path: &[String]) -> String {
    quoted(path.join(".").as_bytes())
}

fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == MAX_SHOWN_CHARACTERS {
            shown.push_str("...");
            break;
        }
        match character {
            // Backquotes end what is quoted; everything that has no shape of its own could steer what shows it.
            ' ' => shown.push(' '),
            '`' => shown.push_str("\\u{60}"),
            other if other.is_ascii_graphic() || other.is_alphanumeric() => shown.push(other),
            other => shown.extend(other.escape_unicode()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_or_end_the_quotes_is_escaped() {
        assert_eq!(quoted(b"a b/\xc3\xa9"), "`a b/\u{e9}`");
        assert_eq!(
            quoted("\u{1b}[2J`\n\u{202e}\u{9b}".as_bytes()),
            "`\\u{1b}[2J\\u{60}\\u{a}\\u{202e}\\u{9b}`"
        );
        assert!(quoted(&[b'x'; 1000]).ends_with("x...`"));
        assert!(quoted(b"\xff").starts_with("`\\u{fffd}"));
    }
}
