//! A response as one line, without what every proxy adds.

/// Headers of the transport, of the proxy, and of the clock.
const ADDED: [&str; 8] = [
    ":status",
    "connection",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
    "x-envoy-upstream-service-time",
    "content-type: application/json",
];
/// The same of a request, as variables of CGI.
const ADDED_VARIABLES: [&str; 5] = [
    "HTTP_HOST",
    "HTTP_CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REQUEST_ID",
];

/// Status, headers in the order of their names, and the body; or what reached the upstream, whose response says nothing.
pub(super) fn line<'h>(
    status: u16,
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
    body: &[u8],
    upstream_saw: Option<&[(String, String)]>,
) -> String {
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.escape_ascii().to_string(), value.escape_ascii().to_string()))
        .filter(|(name, _)| !ADDED.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .filter(|header| !ADDED.contains(&header.as_str()))
        .collect();
    headers.sort();
    // Only where the response is the upstream's own.
    let rest = match upstream_saw.filter(|_| body.starts_with(b"{")) {
        None => format!("\"{}\"", body.escape_ascii()),
        Some(variables) => {
            let own = variables.iter().filter(|(name, _)| !ADDED_VARIABLES.contains(&name.as_str()));
            let own: Vec<_> = own.map(|(name, value)| format!("{name}: {value}")).collect();
            format!("upstream saw [{}]", own.join(", "))
        }
    };
    format!("{status} [{}] {rest}", headers.join(", "))
}

/// A header's name as CGI has it.
pub(super) fn variable(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name).to_uppercase().replace('-', "_");
    format!("HTTP_{name}")
}
