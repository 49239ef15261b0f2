//! A file as JSON, whichever of the two languages it is written in: JSON is YAML.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a YAML or JSON file.
///
/// # Errors
/// One sentence: what failed and where.
pub(crate) fn read(file: &Path) -> Result<Value, String> {
    let shown = file.display();
    let size = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{shown}: larger than {MAX_FILE_BYTES} bytes"));
    }
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    serde_saphyr::from_str(&text).map_err(|error| format!("{shown}: {error}"))
}
