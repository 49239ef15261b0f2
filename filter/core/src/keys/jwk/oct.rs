//! Secrets (RFC 7518 section 6.4), in a set of one's own.

use serde_json::{Map, Value};

use super::octets;
use crate::algorithm::AlgorithmName;
use crate::keys::secret::{Secret, SecretError};

/// The secret in `k`, at least as long as the hash.
pub(super) fn read(
    jwk: &Map<String, Value>,
    algorithm: AlgorithmName,
) -> Result<Secret, (&'static str, String)> {
    Secret::new(algorithm, &octets(jwk, "k")?).map_err(|error| match error {
        SecretError::TooShort(too_short) => (
            "k",
            format!(
                "must be at least {} bytes for {} (RFC 7518 section 3.2)",
                too_short.min_bytes,
                algorithm.as_str()
            ),
        ),
        SecretError::NotSymmetric => ("alg", format!("{} takes no secret", algorithm.as_str())),
    })
}
