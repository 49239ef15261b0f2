//! GET on loopback.

use std::time::Duration;

/// What a loopback address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code, of errors too.
    pub status: u16,
    /// The body, at most [`BODY_LIMIT`] bytes of it are accepted.
    pub body: String,
}

/// The longest body that is read: Envoy's list of listeners has a few kilobytes.
pub const BODY_LIMIT: u64 = 4 * 1024 * 1024;

/// GET over a connection of its own, two seconds at most; `None` if there is no answer (yet).
pub fn get(url: &str, bearer: Option<&str>) -> Option<Answer> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(2)))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None) // a proxy of the environment is not for loopback
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().ok()?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(BODY_LIMIT).read_to_string().ok()?;
    Some(Answer { status, body })
}
