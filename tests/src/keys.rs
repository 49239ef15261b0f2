//! The issuer's real signing key, as whoever can read its database has it.

use sqlx::Row;

use crate::harness::database::query_one;
use crate::token::Key;

/// The `kid` and the key that sign new tokens.
///
/// # Errors
/// What the database says.
pub fn signing_key(database_url: &str) -> Result<(String, Key), String> {
    // The last that has begun.
    let statement = "SELECT kid, private_key FROM signing_keys \
                     WHERE retired_at IS NULL AND private_key IS NOT NULL AND signs_from <= now() \
                     ORDER BY signs_from DESC LIMIT 1";
    let row = query_one(database_url, statement)?;
    let seed: Vec<u8> = row.get("private_key");
    Ok((row.get("kid"), Key::Ed25519(seed.try_into().map_err(|_| "the seed has not 32 bytes")?)))
}
