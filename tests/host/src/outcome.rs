//! What became of a request.

use crate::cluster::Response;
use crate::headers::Headers;

/// What became of a request: the only thing that a test should assert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It reached the upstream.
    Forwarded(Box<Forwarded>),
    /// The module answered, or the host did in its place.
    LocalResponse(Box<LocalResponse>),
    /// It waits for the module.
    Paused,
    /// The module trapped while it had the request.
    Trapped {
        /// What the engine says, with the functions of the module.
        backtrace: String,
        /// What the client and the upstream saw of it, by the failure policy.
        seen: Box<Outcome>,
    },
    /// The module, or the client, closed the stream before there was a response.
    Reset {
        /// Whether the upstream had seen the headers by then.
        upstream_saw_headers: bool,
    },
}

/// A request as the upstream got it, and its response as the client got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// With pseudo-headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Empty where there are none.
    pub trailers: Headers,
    /// What came back.
    pub response: Response,
    /// What `%FILTER_STATE(wasm.KEY)%` would print, by key.
    pub filter_state: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A response that no upstream made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResponse {
    /// The status code of HTTP; 200 for a client that speaks gRPC.
    pub status: u16,
    /// With `:status`.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// `%RESPONSE_CODE_DETAILS%`
    pub details: String,
    /// For a client that speaks gRPC.
    pub grpc_status: Option<u32>,
    /// Whether the upstream had seen the headers by then: so it is where trailers are refused.
    pub upstream_saw_headers: bool,
    /// As in [`Forwarded`].
    pub filter_state: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Outcome {
    /// The request as the upstream got it.
    ///
    /// # Panics
    /// If it did not reach the upstream.
    #[track_caller]
    #[allow(clippy::panic, reason = "how a test fails")]
    pub fn forwarded(&self) -> &Forwarded {
        match self {
            Self::Forwarded(forwarded) => forwarded,
            other => panic!("the request should have reached the upstream, but {other:#?}"),
        }
    }

    /// The response that no upstream made.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    #[allow(clippy::panic, reason = "how a test fails")]
    pub fn local_response(&self) -> &LocalResponse {
        match self {
            Self::LocalResponse(response) => response,
            other => panic!("there should have been a local response, but {other:#?}"),
        }
    }

    /// Whether anything of the request reached the upstream, complete or not, whatever the client saw.
    #[must_use]
    pub fn reached_the_upstream(&self) -> bool {
        match self {
            Self::Forwarded(_) => true,
            Self::LocalResponse(response) => response.upstream_saw_headers,
            Self::Reset { upstream_saw_headers } => *upstream_saw_headers,
            Self::Trapped { seen, .. } => seen.reached_the_upstream(),
            Self::Paused => false,
        }
    }

    /// The status code that the client saw, if it saw one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Forwarded(forwarded) => Some(forwarded.response.status()),
            Self::LocalResponse(response) => Some(response.status),
            Self::Trapped { seen, .. } => seen.status(),
            Self::Paused | Self::Reset { .. } => None,
        }
    }
}
