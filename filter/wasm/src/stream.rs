//! One request: strip, ask, obey.

use std::rc::Rc;

use bearward_core::{Decision, Edit, LocalResponse, Rejection, Request};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, HeaderMap, HostError};
use crate::pairs;
use crate::plugin::Plugin;

/// Where the access log finds the verdict: `%FILTER_STATE(wasm.bearward:PLAIN)%`.
const VERDICT: &str = "bearward";

/// The stream context.
pub(crate) struct Stream {
    plugin: Option<Rc<Plugin>>,
}

/// How a request is refused.
struct Refusal(LocalResponse);

/// Whatever the host fails at, the request is refused, also where the policy only observes: identity headers of the
/// client might be left in it.
impl From<HostError> for Refusal {
    fn from(_: HostError) -> Self {
        Self(LocalResponse::of(Rejection::HostFailure, false))
    }
}

impl Stream {
    pub(crate) fn new(plugin: Option<Rc<Plugin>>) -> Self {
        Self { plugin }
    }

    fn plugin(&self) -> Result<&Plugin, Refusal> {
        Ok(self.plugin.as_deref().ok_or(HostError(0))?)
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
        let verdict = plugin.decide(&request)?;
        // A log that cannot be written must not decide about a request.
        let _ = host::set_property(VERDICT, &verdict.to_string());
        match &verdict.decision {
            Decision::Reject(rejection) => Err(Refusal(verdict.response(*rejection, request.is_grpc()))),
            Decision::Forward(edits) => Ok(edits.iter().try_for_each(apply)?),
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

fn apply(edit: &Edit) -> Result<(), HostError> {
    match edit {
        Edit::Set { name, value } => host::set_header(HeaderMap::Request, name, value),
        Edit::Remove { name } => host::remove_header(HeaderMap::Request, name),
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
    let response = &refusal.0;
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
