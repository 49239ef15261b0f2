//! A file as JSON, whichever of the two languages it is written in: JSON is YAML.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Reads a YAML or JSON file of at most so many bytes.
///
/// # Errors
/// One sentence: what failed and where.
pub(crate) fn read(file: &Path, max_bytes: u64) -> Result<Value, String> {
    let shown = file.display();
    let size = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?.len();
    if size > max_bytes {
        return Err(format!("{shown}: larger than {max_bytes} bytes"));
    }
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    serde_saphyr::from_str(&text).map_err(|error| format!("{shown}: {error}"))
}
