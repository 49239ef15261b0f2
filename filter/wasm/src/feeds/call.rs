//! A question to the issuer of a feed.

use bearward_core::policy::RevocationFeed;

use crate::host::{self, HostError};

/// Asks for `path`; the call's number.
///
/// # Errors
/// What to tell: the cluster cannot be called.
pub(super) fn call(
    config: &RevocationFeed,
    path: &str,
    accept: &str,
    timeout_ms: u32,
) -> Result<u32, String> {
    let authorization = config.credential.authorization();
    let headers = [
        (":method", "GET"),
        (":scheme", config.scheme.as_str()),
        (":authority", config.authority.as_str()),
        (":path", path),
        ("accept", accept),
        ("authorization", authorization.as_str()),
        ("user-agent", concat!("bearward-filter/", env!("CARGO_PKG_VERSION"))),
        // Where a replica of the issuer is gone Envoy asks another one at once, and takes these headers out.
        ("x-envoy-retry-on", "connect-failure,refused-stream,reset"),
        ("x-envoy-max-retries", "1"),
    ];
    host::http_call(&config.cluster, &headers, timeout_ms).map_err(|HostError(status)| {
        format!("cluster `{}` cannot be called (status {status})", config.cluster)
    })
}
