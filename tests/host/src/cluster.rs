//! Clusters: closures that answer the calls which a module sends.

use std::fmt;
use std::time::Duration;

use crate::headers::Headers;
use crate::shared::VmNumber;
use crate::thread::Thread;

/// A call as a cluster sees it.
#[derive(Clone, Debug)]
pub struct CallRequest {
    /// The name of the cluster.
    pub cluster: String,
    /// With pseudo-headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Empty where there are none.
    pub trailers: Headers,
    /// `None`: it waits for ever.
    pub timeout_ms: Option<u64>,
}

/// A response, to a call or of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// With `:status`.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Empty where there are none.
    pub trailers: Headers,
}

impl Response {
    /// A status and a body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let mut headers = Headers::of_response();
        headers.add(":status", status.to_string());
        Self { headers, body: body.into(), trailers: Headers::of_trailers() }
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// The status code; 0 where there is none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A complete response after some milliseconds.
    After(u64, Response),
    /// The connection ends inside of a response, after some milliseconds: the callback with no headers.
    ResetAfter(u64),
    /// Nobody listens: Envoy answers 503 itself.
    Unreachable,
    /// Never: Envoy answers 504 itself when the call's timeout ends.
    Never,
    /// Whenever the test says: see [`World::held`](crate::World::held). Until then as [`Answer::Never`].
    Held,
}

impl Answer {
    /// A complete response at once.
    #[must_use]
    pub fn now(response: Response) -> Self {
        Self::After(0, response)
    }
}

/// A call that waits until a test answers it.
#[derive(Clone, Debug)]
pub struct HeldCall {
    /// Whose VM made it.
    pub thread: Thread,
    /// What it asks for.
    pub request: CallRequest,
    /// When it reached the cluster, since the epoch.
    pub since: Duration,
    pub(crate) place: (VmNumber, u32, u32),
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum CallEnd {
    Answered(Response),
    Reset,
}

/// A cluster's behaviour.
pub(crate) struct Cluster(Box<dyn FnMut(&CallRequest) -> Answer>);

impl Cluster {
    pub(crate) fn new(behaviour: impl FnMut(&CallRequest) -> Answer + 'static) -> Self {
        Self(Box::new(behaviour))
    }

    pub(crate) fn answer(&mut self, request: &CallRequest) -> Answer {
        (self.0)(request)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cluster")
    }
}

/// What Envoy's own answers to a call look like; the texts are what the probe saw.
pub(crate) fn unreachable() -> Response {
    const BODY: &str =
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
    plain(503, BODY)
}

/// The same for a call that took too long.
pub(crate) fn timed_out() -> Response {
    plain(504, "upstream request timeout")
}

fn plain(status: u16, body: &str) -> Response {
    Response::new(status, body)
        .header("content-length", body.len().to_string())
        .header("content-type", "text/plain")
}
