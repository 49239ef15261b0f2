//! The names that Envoy keeps in a place of their own.

/// What a header map belongs to: it decides which names occur once only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response,
    #[default]
    Trailers,
}

/// Names of a request whose second value Envoy appends to the first, as the probe has seen them: `authorization` is one,
/// `cookie` is none. Envoy has more of them, which no client may send or which only Envoy itself writes.
const REQUEST: [&str; 28] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "referer",
    "te",
    "user-agent",
    "via",
    "x-envoy-original-path",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-request-id",
];
/// The same for a response.
const RESPONSE: [&str; 13] = [
    "access-control-allow-origin",
    "cache-control",
    "content-encoding",
    "content-type",
    "date",
    "etag",
    "grpc-message",
    "grpc-status",
    "location",
    "server",
    "vary",
    "via",
    "x-request-id",
];

impl Kind {
    /// The name as it is looked up: in lower case, and a request's `host` is its `:authority`.
    pub(crate) fn canonical(self, name: &[u8]) -> Vec<u8> {
        let name = name.to_ascii_lowercase();
        if self == Self::Request && name == b"host" { b":authority".to_vec() } else { name }
    }

    /// Whether a name occurs once only: a second value is appended to the first.
    pub(crate) fn occurs_once(self, name: &[u8]) -> bool {
        let names: &[&str] = match self {
            Self::Request => &REQUEST,
            Self::Response => &RESPONSE,
            Self::Trailers => &[],
        };
        names.iter().any(|own| own.as_bytes() == name)
    }
}
