//! One request: strip, ask, obey.

use std::rc::Rc;

use bearward_core::{Decision, LocalResponse, Rejection, Request};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, HeaderMap, HostError};
use crate::pairs;
use crate::plugin::Plugin;

/// The stream context.
pub(crate) struct Stream {
    plugin: Option<Rc<Plugin>>,
}

/// Why a request is refused, and whether its client speaks gRPC.
struct Refusal {
    rejection: Rejection,
    grpc: bool,
}

/// Whatever the host fails at, the request is refused.
impl From<HostError> for Refusal {
    fn from(_: HostError) -> Self {
        Self { rejection: Rejection::HostFailure, grpc: false }
    }
}

impl Stream {
    pub(crate) fn new(plugin: Option<Rc<Plugin>>) -> Self {
        Self { plugin }
    }

    fn plugin(&self) -> Result<&Plugin, Refusal> {
        self.plugin.as_deref().ok_or(Refusal { rejection: Rejection::HostFailure, grpc: false })
    }

    fn on_headers(&self) -> Result<(), Refusal> {
        let plugin = self.plugin()?;
        let serialized = host::header_pairs(HeaderMap::Request)?;
        let request = Request::new(pairs::decode(&serialized).ok_or(HostError(0))?);
        strip(plugin, HeaderMap::Request, request.headers().map(|(name, _)| name))?;
        #[cfg(feature = "trap-on-magic-header")]
        if request.value(b"x-bearward-trap").is_some() {
            #[allow(clippy::panic, reason = "a test-only build that shows what a trap does")]
            {
                panic!("asked to by a header");
            }
        }
        match plugin.decide(&request)?.decision {
            Decision::Reject(rejection) => Err(Refusal { rejection, grpc: request.is_grpc() }),
            Decision::Forward(headers) => {
                for (name, value) in &headers {
                    host::set_header(HeaderMap::Request, name, value)?;
                }
                Ok(())
            }
        }
    }

    fn on_trailers(&self) -> Result<(), Refusal> {
        let plugin = self.plugin()?;
        let serialized = host::header_pairs(HeaderMap::RequestTrailers)?;
        let trailers = pairs::decode(&serialized).ok_or(HostError(0))?;
        strip(plugin, HeaderMap::RequestTrailers, trailers.into_iter().map(|(name, _)| name))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        obey(self.on_headers())
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        obey(self.on_trailers())
    }
}

/// Removes the client's identity headers. One that cannot be removed refuses the request.
fn strip<'a>(plugin: &Plugin, map: HeaderMap, names: impl Iterator<Item = &'a [u8]>) -> Result<(), Refusal> {
    let forwarding = plugin.policy().forwarding();
    for name in names.filter(|name| forwarding.removes(name)) {
        host::remove_header(map, name)?;
    }
    Ok(())
}

fn obey(result: Result<(), Refusal>) -> Action {
    match result {
        Ok(()) => Action::Continue,
        Err(refusal) => {
            refuse(&refusal);
            Action::Pause
        }
    }
}

/// Answers in the proxy's place. Should even that fail, the request stays paused: it never reaches the upstream.
fn refuse(refusal: &Refusal) {
    let response = LocalResponse::of(refusal.rejection, refusal.grpc);
    let headers: Vec<_> = response.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = host::send_local_response(
        response.status,
        &response.details,
        &headers,
        &response.body,
        response.grpc_status,
    );
    if sent.is_err() {
        let _ = host::send_local_response(response.status, &response.details, &[], &[], response.grpc_status);
    }
}
