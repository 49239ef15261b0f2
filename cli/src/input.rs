//! Tokens and claims from files or the standard input, never from the command line: a shell remembers its lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest input that is read, in bytes: more than any token that is looked at.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// Reads a file, or the standard input where the path is `-`.
///
/// # Errors
/// One sentence: what failed and where. Never holds anything of the input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = shown(path);
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes))
    };
    result.map_err(|error| format!("{shown}: {error}"))?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(format!("{shown}: larger than {MAX_INPUT_BYTES} bytes"));
    }
    Ok(bytes)
}

/// Reads a token: what stands there without the white space around it.
///
/// # Errors
/// As [`read`]; also where nothing stands there.
pub(crate) fn read_token(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = read(path)?;
    match bytes.trim_ascii() {
        [] => Err(format!("{}: holds no token", shown(path))),
        token => Ok(token.to_vec()),
    }
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "the standard input".to_owned() } else { path.display().to_string() }
}

/// Whether a text from a command line holds what looks like a JWS or JWE: its header begins with `{"`.
pub(crate) fn holds_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.split(|letter: char| !u8::try_from(letter).is_ok_and(is_part))
        .any(|word| word.starts_with("eyJ") && word.matches('.').count() >= 2)
}
