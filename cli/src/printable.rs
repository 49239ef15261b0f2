//! JSON that no terminal takes for a command, whoever wrote it.

use serde_json::Value;

/// The same JSON on one line, for programs, which a terminal may show all the same.
pub(crate) fn line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// The same JSON over several lines, for people.
pub(crate) fn pretty(value: &Value) -> String {
    escaped(&format!("{value:#}"))
}

/// In a text of JSON everything that has no shape of its own stands within strings: written as `\u` it is the same JSON.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // A line break within a string is escaped already.
            '\n' | ' ' => text.push(character),
            other if other.is_ascii_graphic() || other.is_alphanumeric() => text.push(other),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}
